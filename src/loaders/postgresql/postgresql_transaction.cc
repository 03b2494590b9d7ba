#include "loaders/postgresql/postgresql_transaction.h"

#include <arrow/record_batch.h>

#include "core/log.h"
#include "core/schema.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {

PostgreSQLTransaction::PostgreSQLTransaction(ConnectionPool::Lease connection,
                                             std::string qualified, TableName table,
                                             std::shared_ptr<arrow::Schema> plain)
    : connection_(std::move(connection)),
      qualified_(std::move(qualified)),
      table_(std::move(table)),
      plain_(std::move(plain)) {}

Result<std::unique_ptr<Transaction>> PostgreSQLTransaction::Begin(ConnectionPool::Lease connection,
                                                                  std::string qualified,
                                                                  const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(auto plain, PlainSchema(*spec.schema));
  std::unique_ptr<PostgreSQLTransaction> transaction(new PostgreSQLTransaction(
      std::move(connection), std::move(qualified), spec.table, std::move(plain)));
  const Status status = transaction->Prepare(spec.mode);
  if (!status.ok()) {
    const Status rolled_back = transaction->Rollback();
    if (!rolled_back.ok()) Log().debug("rolling back: {}", rolled_back.message());
    return status;
  }
  return transaction;
}

PostgreSQLTransaction::~PostgreSQLTransaction() {
  const Status status = Rollback();
  if (!status.ok()) Log().debug("rolling back: {}", status.message());
}

Status PostgreSQLTransaction::Prepare(LoadMode mode) {
  ARROW_RETURN_NOT_OK(connection_->Execute("BEGIN", "begin"));
  open_ = true;
  ARROW_ASSIGN_OR_RAISE(const std::vector<uint32_t> oids, EnsureTable());
  ARROW_ASSIGN_OR_RAISE(encoder_, MakeCopyEncoder(*plain_, oids));
  if (mode != LoadMode::kOverwrite) return Status::OK();
  // DELETE, not TRUNCATE: a reader with an older snapshot goes on seeing the old rows. The lock
  // keeps out a second OVERWRITE, whose DELETE would not see our rows; readers are not kept out.
  ARROW_RETURN_NOT_OK(connection_->Execute(
      fmt::format("LOCK TABLE {} IN SHARE ROW EXCLUSIVE MODE", qualified_), "locking the table"));
  return connection_->Execute(fmt::format("DELETE FROM {}", qualified_), "clearing the table")
      .status();
}

Result<std::vector<uint32_t>> PostgreSQLTransaction::EnsureTable() {
  ARROW_ASSIGN_OR_RAISE(auto columns, DescribeTable(*connection_, qualified_));
  if (!columns) {
    // Two who make the same table at once: the second waits here, and then finds it made.
    ARROW_RETURN_NOT_OK(connection_->Query("SELECT pg_advisory_xact_lock(hashtextextended($1, 0))",
                                           "locking the table's name", {"ampload " + qualified_}));
    ARROW_ASSIGN_OR_RAISE(columns, DescribeTable(*connection_, qualified_));
  }
  if (!columns) {
    ARROW_ASSIGN_OR_RAISE(const std::string sql, CreateTableSql(qualified_, *plain_));
    ARROW_RETURN_NOT_OK(connection_->Execute(sql, fmt::format("creating table '{}'", table_)));
    ARROW_ASSIGN_OR_RAISE(columns, DescribeTable(*connection_, qualified_));
  }
  if (!columns) return Status::UnknownError("the new table is not to be seen");
  return MatchTable(*columns, *plain_, table_);
}

Status PostgreSQLTransaction::StartCopy() {
  std::vector<std::string> names;
  for (const std::string& name : plain_->field_names()) names.push_back(QuoteName(name));
  ARROW_RETURN_NOT_OK(connection_->BeginCopyIn(
      fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", qualified_, fmt::join(names, ", "))));
  copying_ = true;
  return connection_->PutCopyData(CopyHeader());
}

Status PostgreSQLTransaction::EndCopy() {
  if (!copying_) return Status::OK();
  copying_ = false;
  ARROW_RETURN_NOT_OK(connection_->PutCopyData(CopyTrailer()));
  const Status status = connection_->EndCopyIn();
  return status.ok() ? status : WithContext(status, fmt::format("table '{}'", table_));
}

Result<int64_t> PostgreSQLTransaction::Write(const BatchRecord& /*record*/,
                                             const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const auto plain, ToPlain(batch, plain_));
  if (!copying_) ARROW_RETURN_NOT_OK(StartCopy());
  ARROW_RETURN_NOT_OK(encoder_->Encode(*plain, rows_, [&](const EncodedRows& rows) {
    return connection_->PutCopyData(rows.bytes);
  }));
  rows_ += batch.num_rows();
  // An answer in the middle of a COPY is an error, mostly: no need to send the rest. If it was but
  // a notice, the next batch starts another COPY.
  if (connection_->HasAnswer()) ARROW_RETURN_NOT_OK(EndCopy());
  return batch.num_rows();
}

Status PostgreSQLTransaction::Commit(const Checkpoint& /*checkpoint*/) {
  ARROW_RETURN_NOT_OK(EndCopy());
  open_ = false;
  return connection_->Commit();
}

Status PostgreSQLTransaction::Rollback() {
  if (copying_) connection_->AbortCopyIn();
  copying_ = false;
  if (!open_) return Status::OK();
  open_ = false;
  // Without a connection there is no transaction any more either.
  if (!connection_->usable()) return Status::OK();
  return connection_->Execute("ROLLBACK", "rollback").status();
}

}  // namespace amp::postgresql
