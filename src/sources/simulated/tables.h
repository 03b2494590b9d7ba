#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "sources/simulated/chain.h"
#include "sources/simulated/options.h"

/// The tables of simulated networks, with the columns and types that Amp servers give their tables
/// of EVM chains. What is in a row follows from the options' seed, its network and its block.
namespace amp {

enum class SimulatedTable { kBlocks, kTransactions, kLogs };

/// Blocks of one network, of which rows are made.
struct BlockRun {
  const SimulatedChain* chain = nullptr;
  std::vector<SimulatedBlock> blocks;
};

/// How far rows have been made.
struct RowCursor {
  size_t run = 0;
  size_t block = 0;
  uint64_t row = 0;  ///< of the block
};

/// The block and the number of a row, as columns see it.
struct RowBlock {
  SimulatedBlock block;
  std::string_view network;
  uint64_t key = 0;
  int64_t nanoseconds = 0;
  BlockHash hash;
  BlockHash parent_hash;  ///< only for the table of blocks
};
struct RowKey {
  uint32_t block = 0;  ///< which of the batch's
  uint32_t index = 0;  ///< which of its block's
  uint64_t key = 0;
};
struct RowSet {
  std::vector<RowBlock> blocks;
  std::vector<RowKey> rows;
  const SimulationOptions* options = nullptr;
};

/// A column: its field, and how its values for some rows are made.
struct SimulatedColumn {
  std::shared_ptr<arrow::Field> field;
  std::function<Result<std::shared_ptr<arrow::Array>>(const RowSet&)> make;
};
/// All columns of a table; `_block_num` is the first.
std::vector<SimulatedColumn> BlockColumns();
std::vector<SimulatedColumn> TransactionColumns();
std::vector<SimulatedColumn> LogColumns();
SimulatedColumn NetworkColumn();

AMP_EXPORT std::shared_ptr<arrow::Schema> SimulatedSchema(SimulatedTable table, bool with_network);

/// How many rows a block has.
uint64_t RowsOfBlock(const SimulationOptions& options, SimulatedTable table, uint64_t block_key);

/// Makes batches of rows.
class AMP_EXPORT RowMaker {
 public:
  /// `columns`: all, where empty. ConfigInvalid for one that the table does not have.
  static Result<RowMaker> Make(const SimulationOptions* options, SimulatedTable table,
                               bool with_network, const std::vector<std::string>& columns);

  const std::shared_ptr<arrow::Schema>& schema() const { return schema_; }

  /// The next rows of the runs from the cursor on, at most `most`; moves the cursor. A batch
  /// without rows: there are no more.
  Result<std::shared_ptr<arrow::RecordBatch>> Next(const std::vector<BlockRun>& runs,
                                                   RowCursor* cursor, int64_t most) const;
  Result<std::shared_ptr<arrow::RecordBatch>> Empty() const;

 private:
  RowMaker(const SimulationOptions* options, SimulatedTable table,
           std::vector<SimulatedColumn> columns);
  RowSet Collect(const std::vector<BlockRun>& runs, RowCursor* cursor, uint64_t most) const;

  const SimulationOptions* options_;
  SimulatedTable table_;
  std::vector<SimulatedColumn> columns_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace amp
