#pragma once

#include <memory>

#include "loaders/postgresql/stream_table.h"
#include "loaders/postgresql/table_rows.h"

namespace amp::postgresql {

/// What a stream's transaction needs of its loader.
struct StreamContext {
  ConnectionPool::Lease connection;
  std::string configured_schema;
  std::shared_ptr<StreamTableCache> cache;
  std::shared_ptr<ConnectionPool> pool;
};

/// Rows of a stream, what was undone, and its checkpoint: one database transaction.
class StreamTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(StreamContext context, const WriteSpec& spec);
  ~StreamTransaction() override;

  Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) override;
  Result<UndoReport> UndoAfter(int64_t batch_id) override;
  Status Commit(const Checkpoint& checkpoint) override;
  Status Rollback() override;

 private:
  StreamTransaction(StreamContext context, const WriteSpec& spec)
      : context_(std::move(context)), table_name_(spec.table), stream_(*spec.stream) {}
  Connection& connection() const { return *context_.connection; }
  Status Prepare(const WriteSpec& spec);
  Status FindTable();
  Status BeginAndCheck();
  Result<TableIdentity> Start();
  Status ExplainFailure(const Status& error, const StreamRef& stream);
  Result<UndoReport> UndoRows(int64_t after);
  Result<UndoReport> UndoByImages(int64_t after);
  Status ForgetBatches(int64_t after);
  std::string CommitSql(const Checkpoint& checkpoint) const;
  Status SendCommit(const Checkpoint& checkpoint);

  StreamContext context_;
  TableName table_name_;
  StreamRef stream_;
  StreamTablePtr table_;
  std::optional<TableRows> rows_;
  bool looked_again_ = false;  ///< the table is another one than the cache had
  bool open_ = false;
};

}  // namespace amp::postgresql
