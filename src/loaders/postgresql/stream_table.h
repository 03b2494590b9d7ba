#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <vector>

#include "loaders/postgresql/batch_index.h"
#include "loaders/postgresql/state_tables.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {

/// What is known about a table that streams write.
struct StreamTable {
  TablePlace place;
  TableIdentity identity;
  std::vector<TableColumn> columns;
  std::shared_ptr<RangeSummaries> summaries;
};
using StreamTablePtr = std::shared_ptr<const StreamTable>;

/// Looks at the table; none where it is not there.
Result<StreamTablePtr> LookAtStreamTable(Connection& connection, const TablePlace& place);

/// What a loader knows about tables; may be used by several threads.
class StreamTableCache {
 public:
  StreamTablePtr Find(const TableName& table) const;
  /// Keeps the summaries of a table that is the same as before.
  void Put(const StreamTablePtr& table);
  void Drop(const TableName& table);

 private:
  mutable std::mutex mutex_;
  std::map<TableName, StreamTablePtr> tables_;
};

}  // namespace amp::postgresql
