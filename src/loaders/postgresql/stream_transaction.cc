#include "loaders/postgresql/stream_transaction.h"

#include <arrow/record_batch.h>

#include "core/failpoint.h"
#include "core/log.h"
#include "core/schema.h"
#include "loaders/postgresql/stream_errors.h"

namespace amp::postgresql {
namespace {

// The planner does not trust an index without statistics, as a new table's; it must take it.
constexpr std::string_view kUseIndexes = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off; ";
constexpr std::string_view kUseIndexesNoMore =
    "; SET LOCAL enable_seqscan TO DEFAULT; SET LOCAL jit TO DEFAULT";

}  // namespace

Result<std::unique_ptr<Transaction>> StreamTransaction::Begin(StreamContext context,
                                                              const WriteSpec& spec) {
  std::unique_ptr<StreamTransaction> transaction(new StreamTransaction(std::move(context), spec));
  ARROW_RETURN_NOT_OK(transaction->Prepare(spec));
  return transaction;
}

StreamTransaction::~StreamTransaction() {
  const Status status = Rollback();
  if (!status.ok()) Log().debug("rolling back: {}", status.message());
}

Status StreamTransaction::Prepare(const WriteSpec& spec) {
  ARROW_RETURN_NOT_OK(FindTable());
  ARROW_RETURN_NOT_OK(BeginAndCheck());
  ARROW_ASSIGN_OR_RAISE(auto plain, PlainSchema(*spec.schema));
  ARROW_ASSIGN_OR_RAISE(const auto oids, MatchTable(table_->columns, *plain, table_name_));
  ARROW_ASSIGN_OR_RAISE(rows_, RowCopier::Make(table_->place.qualified(), std::move(plain), oids));
  return Status::OK();
}

Status StreamTransaction::FindTable() {
  table_ = context_.cache->Find(table_name_);
  if (table_ != nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const TablePlace place,
                        FindPlace(connection(), context_.configured_schema, table_name_));
  ARROW_ASSIGN_OR_RAISE(table_, LookAtStreamTable(connection(), place));
  if (table_ == nullptr) return WhyRefused(connection(), place, stream_);
  context_.cache->Put(table_);
  return Status::OK();
}

// What is known of the table may be old; with its lock in hand it cannot change any more.
Status StreamTransaction::BeginAndCheck() {
  const auto identity = Start();
  if (!identity.ok()) return ExplainFailure(identity.status(), stream_);
  if (*identity == table_->identity && identity->file != 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(table_, LookAtStreamTable(connection(), table_->place));
  context_.cache->Put(table_);
  return Status::OK();
}

// One round trip: the lock that COPY would take anyway, and a plain look at the stream's row, so
// that a writer which was taken over learns it before it writes. The row is not locked: that would
// keep out the one who takes over.
Result<TableIdentity> StreamTransaction::Start() {
  open_ = true;
  ARROW_ASSIGN_OR_RAISE(
      const auto results,
      connection().ExecuteAll(
          fmt::format("BEGIN ISOLATION LEVEL READ COMMITTED; LOCK TABLE {} IN ROW EXCLUSIVE MODE;"
                      " SELECT c.oid::int8, c.relfilenode::int8 FROM {} s JOIN pg_class c ON c.oid"
                      " = s.table_id WHERE s.table_name = {} AND s.stream = {} AND s.epoch = {} AND"
                      " s.sequence = {} AND c.oid = to_regclass({})",
                      table_->place.qualified(), table_->place.streams(),
                      connection().Literal(table_name_), connection().Literal(stream_.name),
                      stream_.epoch, stream_.sequence,
                      connection().Literal(table_->place.qualified())),
          "begin"));
  const Rows& found = results.back();
  if (found.size() == 0) return WhyRefused(connection(), table_->place, stream_);
  return TableIdentity{.id = static_cast<uint32_t>(found.integer(0, 0)),
                       .file = static_cast<uint32_t>(found.integer(0, 1))};
}

// Where table, state tables or row are not as they should be: says why, in words of streams.
Status StreamTransaction::ExplainFailure(const Status& error, const StreamRef& stream) {
  const ErrorInfo info = ErrorInfoOf(error);
  context_.cache->Drop(table_name_);
  if (info.kind != ErrorKind::kNotFound && info.native_code != kNoSuchRow) return error;
  ARROW_RETURN_NOT_OK(Rollback());
  return WhyRefused(connection(), table_->place, stream);
}

Result<int64_t> StreamTransaction::Write(const BatchRecord& /*record*/,
                                         const arrow::RecordBatch& batch) {
  const Status status = rows_->Write(connection(), batch);
  if (KindOf(status) == ErrorKind::kSchemaMismatch) context_.cache->Drop(table_name_);
  ARROW_RETURN_NOT_OK(status);
  return batch.num_rows();
}

Result<UndoReport> StreamTransaction::UndoAfter(int64_t batch_id) {
  ARROW_RETURN_NOT_OK(Failpoint("postgresql.before_undo"));
  ARROW_RETURN_NOT_OK(rows_->End(connection()));
  const int64_t after = std::max(batch_id, SlotBase(stream_.slot));
  const std::string delete_rows = fmt::format(
      "DELETE FROM {} WHERE {} > {} AND {} <= {}", table_->place.qualified(),
      QuoteName(kBatchIdColumn), after, QuoteName(kBatchIdColumn), SlotEnd(stream_.slot));
  ARROW_ASSIGN_OR_RAISE(
      const auto results,
      connection().ExecuteAll(
          fmt::format("{}{}; {}{}", kUseIndexes, delete_rows,
                      ForgetBatchesSql(connection(), table_->place, stream_.slot, after),
                      kUseIndexesNoMore),
          "undoing batches"));
  ARROW_RETURN_NOT_OK(Failpoint("postgresql.after_undo"));
  return UndoReport{.removed = results[2].affected()};
}

Status StreamTransaction::Commit(const Checkpoint& checkpoint) {
  ARROW_RETURN_NOT_OK(Failpoint("postgresql.before_checkpoint"));
  ARROW_RETURN_NOT_OK(rows_->End(connection()));
  ARROW_RETURN_NOT_OK(Failpoint("postgresql.before_commit"));
  const Status committed = SendCommit(checkpoint);
  if (!committed.ok()) {
    StreamRef expected = stream_;
    expected.sequence = checkpoint.sequence - 1;
    return ExplainFailure(committed, expected);
  }
  return committed;
}

Status StreamTransaction::SendCommit(const Checkpoint& checkpoint) {
  const std::string sql =
      CheckpointSql(connection(), table_->place, table_->identity.id, stream_, checkpoint);
  ARROW_ASSIGN_OR_RAISE(
      const auto results,
      connection().Commit(fmt::format(
          "{}; SELECT coalesce(pg_relation_size({}::oid), 0) / current_setting('block_size')::int8",
          sql, table_->identity.id)));
  open_ = false;
  if (FailpointAt("postgresql.after_commit") != FailpointAction::kNone) {
    connection().Close();
    return MakeError({.kind = ErrorKind::kCommitUnknown, .side = ErrorSide::kTarget},
                     "commit: failpoint postgresql.after_commit");
  }
  const Rows& pages = results[results.size() - 2];
  table_->summaries->SummariseUpTo(connection(), pages.integer(0, 0));
  return Status::OK();
}

Status StreamTransaction::Rollback() {
  if (rows_) rows_->Abort(connection());
  if (!open_) return Status::OK();
  open_ = false;
  // Without a connection there is no transaction any more either.
  if (!connection().usable()) return Status::OK();
  return connection().Execute("ROLLBACK", "rollback").status();
}

}  // namespace amp::postgresql
