#include "sources/simulated/tables.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sources/simulated/columns.h"

namespace amp {
namespace {

constexpr int64_t kNanosecondsPerSecond = 1'000'000'000;
constexpr uint64_t kEmptiness = 0x656D707479;

std::vector<SimulatedColumn> ColumnsOf(SimulatedTable table, bool with_network) {
  auto columns = table == SimulatedTable::kBlocks         ? BlockColumns()
                 : table == SimulatedTable::kTransactions ? TransactionColumns()
                                                          : LogColumns();
  if (with_network) columns.insert(columns.begin() + 1, NetworkColumn());
  return columns;
}

std::shared_ptr<arrow::Schema> SchemaOf(const std::vector<SimulatedColumn>& columns) {
  arrow::FieldVector fields;
  for (const SimulatedColumn& column : columns) fields.push_back(column.field);
  return arrow::schema(std::move(fields));
}

RowBlock Describe(const SimulationOptions& options, SimulatedTable table,
                  const SimulatedChain& chain, const SimulatedBlock& block, uint64_t key) {
  const auto height = static_cast<int64_t>(block.height);
  RowBlock row{
      .block = block,
      .network = chain.network(),
      .key = key,
      .nanoseconds = (options.base_time + height * options.block_seconds) * kNanosecondsPerSecond,
      .hash = chain.Hash(block),
      .parent_hash = {}};
  if (table == SimulatedTable::kBlocks) row.parent_hash = chain.ParentHash(block);
  return row;
}

void NextBlock(const std::vector<BlockRun>& runs, RowCursor* cursor) {
  cursor->row = 0;
  if (++cursor->block < runs[cursor->run].blocks.size()) return;
  cursor->block = 0;
  ++cursor->run;
}

}  // namespace

SimulatedColumn NetworkColumn() {
  return columns::Any(
      "network", arrow::utf8(), false, [](arrow::ArrayBuilder* builder, const columns::Row& row) {
        return static_cast<arrow::StringBuilder*>(builder)->Append(row.block.network);
      });
}

std::shared_ptr<arrow::Schema> SimulatedSchema(SimulatedTable table, bool with_network) {
  return SchemaOf(ColumnsOf(table, with_network));
}

uint64_t RowsOfBlock(const SimulationOptions& options, SimulatedTable table, uint64_t block_key) {
  if (table == SimulatedTable::kBlocks) return 1;
  if (Happens(Mix(block_key ^ kEmptiness), options.empty_rate)) return 0;
  return table == SimulatedTable::kLogs ? options.logs_per_block : options.transactions_per_block;
}

Result<RowMaker> RowMaker::Make(const SimulationOptions* options, SimulatedTable table,
                                bool with_network, const std::vector<std::string>& columns) {
  auto all = ColumnsOf(table, with_network);
  if (columns.empty()) return RowMaker(options, table, std::move(all));
  std::vector<SimulatedColumn> chosen;
  for (const std::string& name : columns) {
    const auto found = std::find_if(all.begin(), all.end(),
                                    [&](const auto& c) { return c.field->name() == name; });
    if (found == all.end()) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("there is no column '{}'; the table has {}", name,
                                   fmt::join(SchemaOf(all)->field_names(), ", ")));
    }
    chosen.push_back(*found);
  }
  return RowMaker(options, table, std::move(chosen));
}

RowMaker::RowMaker(const SimulationOptions* options, SimulatedTable table,
                   std::vector<SimulatedColumn> columns)
    : options_(options), table_(table), columns_(std::move(columns)), schema_(SchemaOf(columns_)) {}

RowSet RowMaker::Collect(const std::vector<BlockRun>& runs, RowCursor* cursor,
                         uint64_t most) const {
  RowSet set{.blocks = {}, .rows = {}, .options = options_};
  while (set.rows.size() < most && cursor->run < runs.size()) {
    const BlockRun& run = runs[cursor->run];
    if (run.blocks.empty()) {
      ++cursor->run;
      continue;
    }
    const SimulatedBlock& block = run.blocks[cursor->block];
    const uint64_t key = run.chain->Key(block);
    const uint64_t rows = RowsOfBlock(*options_, table_, key);
    if (cursor->row < rows) {
      set.blocks.push_back(Describe(*options_, table_, *run.chain, block, key));
    }
    const uint64_t row_key = Mix(key + static_cast<uint64_t>(table_));
    for (; cursor->row < rows && set.rows.size() < most; ++cursor->row) {
      set.rows.push_back({.block = static_cast<uint32_t>(set.blocks.size() - 1),
                          .index = static_cast<uint32_t>(cursor->row),
                          .key = Mix(row_key + cursor->row)});
    }
    if (cursor->row >= rows) NextBlock(runs, cursor);
  }
  return set;
}

Result<std::shared_ptr<arrow::RecordBatch>> RowMaker::Next(const std::vector<BlockRun>& runs,
                                                           RowCursor* cursor, int64_t most) const {
  const RowSet set = Collect(runs, cursor, static_cast<uint64_t>(most));
  arrow::ArrayVector arrays;
  for (const SimulatedColumn& column : columns_) {
    ARROW_ASSIGN_OR_RAISE(auto array, column.make(set));
    arrays.push_back(std::move(array));
  }
  return arrow::RecordBatch::Make(schema_, static_cast<int64_t>(set.rows.size()),
                                  std::move(arrays));
}

Result<std::shared_ptr<arrow::RecordBatch>> RowMaker::Empty() const {
  return arrow::RecordBatch::MakeEmpty(schema_);
}

}  // namespace amp
