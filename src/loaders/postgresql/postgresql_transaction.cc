#include "loaders/postgresql/postgresql_transaction.h"

#include <arrow/record_batch.h>

#include "core/log.h"
#include "core/schema.h"
#include "loaders/postgresql/key_index.h"
#include "loaders/postgresql/open_stream.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {

Result<std::unique_ptr<Transaction>> PostgreSQLTransaction::Begin(ConnectionPool::Lease connection,
                                                                  TablePlace place, bool create_key,
                                                                  const WriteSpec& spec) {
  std::unique_ptr<PostgreSQLTransaction> transaction(
      new PostgreSQLTransaction(std::move(connection), std::move(place), create_key));
  ARROW_RETURN_NOT_OK(transaction->Prepare(spec));
  return transaction;
}

PostgreSQLTransaction::~PostgreSQLTransaction() {
  const Status status = Rollback();
  if (!status.ok()) Log().debug("rolling back: {}", status.message());
}

Status PostgreSQLTransaction::Prepare(const WriteSpec& spec) {
  ARROW_RETURN_NOT_OK(connection_->Execute("BEGIN", "begin"));
  open_ = true;
  ARROW_ASSIGN_OR_RAISE(const auto columns, EnsureTable(*spec.schema));
  if (IsKeyed(spec.mode)) ARROW_RETURN_NOT_OK(EnsureKey(spec.key));
  ARROW_ASSIGN_OR_RAISE(rows_, TableRows::Make(*connection_, place_, 0, columns, spec));
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

Result<std::vector<TableColumn>> PostgreSQLTransaction::EnsureTable(const arrow::Schema& schema) {
  const std::string qualified = place_.qualified();
  ARROW_ASSIGN_OR_RAISE(auto columns, DescribeTable(*connection_, qualified));
  if (!columns) {
    // Two who make the same table at once: the second waits here, and then finds it made.
    ARROW_RETURN_NOT_OK(LockTableName(*connection_, place_.table));
    ARROW_ASSIGN_OR_RAISE(columns, DescribeTable(*connection_, qualified));
  }
  if (!columns) {
    ARROW_ASSIGN_OR_RAISE(const auto plain, PlainSchema(schema));
    ARROW_ASSIGN_OR_RAISE(const std::string sql, CreateTableSql(qualified, *plain));
    ARROW_RETURN_NOT_OK(
        connection_->Execute(sql, fmt::format("creating table '{}'", place_.table)));
    ARROW_ASSIGN_OR_RAISE(columns, DescribeTable(*connection_, qualified));
  }
  if (!columns) return Status::UnknownError("the new table is not to be seen");
  return *std::move(columns);
}

Status PostgreSQLTransaction::EnsureKey(const std::vector<std::string>& key) {
  ARROW_ASSIGN_OR_RAISE(const bool there, HasKeyIndex(*connection_, place_.qualified(), key));
  if (there) return Status::OK();
  ARROW_RETURN_NOT_OK(LockTableName(*connection_, place_.table));
  return EnsureKeyIndex(*connection_, place_.qualified(), key, create_key_);
}

Result<int64_t> PostgreSQLTransaction::Write(const BatchRecord& /*record*/,
                                             const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(rows_->Write(*connection_, std::nullopt, batch));
  return batch.num_rows();
}

Status PostgreSQLTransaction::Commit(const Checkpoint& /*checkpoint*/) {
  ARROW_RETURN_NOT_OK(rows_->Flush(*connection_));
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
