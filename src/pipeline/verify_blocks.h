#pragma once

#include <arrow/type_fwd.h>

#include <optional>
#include <string_view>
#include <vector>

#include "amp/error.h"

namespace amp {

/// The column in which an Amp server says of which block a row is.
inline constexpr std::string_view kBlockNumberColumn = "_block_num";

bool HasBlockNumbers(const arrow::Schema& schema);
/// Which rows are of `last_block` or an earlier one; all where it is none.
Result<std::vector<bool>> RowsUpTo(const arrow::RecordBatch& batch,
                                   std::optional<uint64_t> last_block);

}  // namespace amp
