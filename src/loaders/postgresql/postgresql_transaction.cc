#include "loaders/postgresql/postgresql_transaction.h"

#include <arrow/record_batch.h>

#include "core/log.h"
#include "core/schema.h"
#include "loaders/postgresql/open_stream.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {

Result<std::unique_ptr<Transaction>> PostgreSQLTransaction::Begin(ConnectionPool::Lease connection,
                                                                  TablePlace place,
                                                                  const WriteSpec& spec) {
  std::unique_ptr<PostgreSQLTransaction> transaction(
      new PostgreSQLTransaction(std::move(connection), std::move(place)));
  ARROW_RETURN_NOT_OK(transaction->Prepare(spec));
  return transaction;
}

PostgreSQLTransaction::~PostgreSQLTransaction() {
  const Status status = Rollback();
  if (!status.ok()) Log().debug("rolling back: {}", status.message());
}

Status PostgreSQLTransaction::Prepare(const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(auto plain, PlainSchema(*spec.schema));
  ARROW_RETURN_NOT_OK(connection_->Execute("BEGIN", "begin"));
  open_ = true;
  ARROW_ASSIGN_OR_RAISE(const std::vector<uint32_t> oids, EnsureTable(*plain));
  ARROW_ASSIGN_OR_RAISE(rows_, RowCopier::Make(place_.qualified(), std::move(plain), oids));
  return spec.mode == LoadMode::kOverwrite ? Clear() : Status::OK();
}

Status PostgreSQLTransaction::Clear() {
  ARROW_RETURN_NOT_OK(CheckHasNoStreams(*connection_, place_));
  // DELETE, not TRUNCATE: a reader with an older snapshot goes on seeing the old rows. The lock
  // keeps out a second OVERWRITE, whose DELETE would not see our rows; readers are not kept out.
  ARROW_RETURN_NOT_OK(connection_->Execute(
      fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", place_.qualified()),
      "locking the table"));
  return connection_->Execute("DELETE FROM " + place_.qualified(), "clearing the table").status();
}

Result<std::vector<uint32_t>> PostgreSQLTransaction::EnsureTable(const arrow::Schema& plain) {
  const std::string qualified = place_.qualified();
  ARROW_ASSIGN_OR_RAISE(auto columns, DescribeTable(*connection_, qualified));
  if (!columns) {
    // Two who make the same table at once: the second waits here, and then finds it made.
    ARROW_RETURN_NOT_OK(LockTableName(*connection_, place_.table));
    ARROW_ASSIGN_OR_RAISE(columns, DescribeTable(*connection_, qualified));
  }
  if (!columns) {
    ARROW_ASSIGN_OR_RAISE(const std::string sql, CreateTableSql(qualified, plain));
    ARROW_RETURN_NOT_OK(
        connection_->Execute(sql, fmt::format("creating table '{}'", place_.table)));
    ARROW_ASSIGN_OR_RAISE(columns, DescribeTable(*connection_, qualified));
  }
  if (!columns) return Status::UnknownError("the new table is not to be seen");
  return MatchTable(*columns, plain, place_.table);
}

Result<int64_t> PostgreSQLTransaction::Write(const BatchRecord& /*record*/,
                                             const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(rows_->Write(*connection_, batch));
  return batch.num_rows();
}

Status PostgreSQLTransaction::Commit(const Checkpoint& /*checkpoint*/) {
  ARROW_RETURN_NOT_OK(rows_->End(*connection_));
  open_ = false;
  return connection_->Commit().status();
}

Status PostgreSQLTransaction::Rollback() {
  if (rows_) rows_->Abort(*connection_);
  if (!open_) return Status::OK();
  open_ = false;
  // Without a connection there is no transaction any more either.
  if (!connection_->usable()) return Status::OK();
  return connection_->Execute("ROLLBACK", "rollback").status();
}

}  // namespace amp::postgresql
