#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "sources/simulated/tables.h"

namespace amp {

/// A query of the little SQL that simulated servers answer:
///
///     SELECT * | column, … FROM [network.]table
///       [WHERE condition AND …] [LIMIT n] [SETTINGS stream = true | false] [;]
///
/// The tables are blocks, transactions and logs, of the first network where none is named, and
/// all_blocks, all_transactions and all_logs, of all networks, with a column `network`. A condition
/// is `_block_num` or `block_num`, one of = < <= > >=, and a number. Keywords are known in any
/// case; names may be in double quotes.
struct SimulatedQuery {
  SimulatedTable table = SimulatedTable::kLogs;
  bool with_network = false;
  std::vector<std::string> networks = {};  ///< whose rows are asked for
  std::vector<std::string> columns = {};   ///< all, where empty
  uint64_t first_block = 0;
  uint64_t last_block = std::numeric_limits<uint64_t>::max();
  std::optional<int64_t> limit = {};
  bool stream = false;
};

/// ConfigInvalid for text that is not understood, NotFound for a table that is not there,
/// Unsupported for SQL that the simulator does not answer (sorting, grouping, joining).
AMP_EXPORT Result<SimulatedQuery> ParseSimulatedQuery(std::string_view sql,
                                                      const std::vector<std::string>& networks);

/// Unsupported: a limited query cannot be a stream.
Status CheckStreamable(const SimulatedQuery& query);

}  // namespace amp
