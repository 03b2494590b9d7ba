#include "loaders/postgresql/stream_table.h"

namespace amp::postgresql {

Result<StreamTablePtr> LookAtStreamTable(Connection& connection, const TablePlace& place) {
  ARROW_ASSIGN_OR_RAISE(const auto identity, IdentifyTable(connection, place.qualified()));
  if (!identity) return nullptr;
  ARROW_ASSIGN_OR_RAISE(auto columns, DescribeTable(connection, place.qualified()));
  if (!columns) return nullptr;
  ARROW_ASSIGN_OR_RAISE(const auto index, FindBatchIndex(connection, identity->id));
  return std::make_shared<const StreamTable>(
      StreamTable{.place = place,
                  .identity = *identity,
                  .columns = *std::move(columns),
                  .summaries = std::make_shared<RangeSummaries>(index.value_or(BatchIndex()))});
}

StreamTablePtr StreamTableCache::Find(const TableName& table) const {
  const std::lock_guard lock(mutex_);
  const auto found = tables_.find(table);
  return found == tables_.end() ? nullptr : found->second;
}

void StreamTableCache::Put(const StreamTablePtr& table) {
  const std::lock_guard lock(mutex_);
  StreamTablePtr& known = tables_[table->place.table];
  if (known == nullptr || known->identity != table->identity ||
      known->summaries->index().id != table->summaries->index().id) {
    known = table;
    return;
  }
  auto merged = std::make_shared<StreamTable>(*table);
  merged->summaries = known->summaries;
  known = std::move(merged);
}

void StreamTableCache::Drop(const TableName& table) {
  const std::lock_guard lock(mutex_);
  tables_.erase(table);
}

}  // namespace amp::postgresql
