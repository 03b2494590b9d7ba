#include "loaders/postgresql/stream_transaction.h"

#include <arrow/record_batch.h>

#include "core/failpoint.h"
#include "core/log.h"
#include "core/schema.h"
#include "loaders/postgresql/stream_errors.h"

namespace amp::postgresql {
namespace {

// The planner does not trust an index without statistics, as a new table's; it must take it.
constexpr std::string_view kUseIndexes = "SET LOCAL enable_seqscan = off; SET LOCAL jit = off";
constexpr std::string_view kUseIndexesNoMore = "; SET LOCAL enable_seqscan TO DEFAULT";

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
  const uint32_t id = table_->identity.id;
  ARROW_ASSIGN_OR_RAISE(rows_,
                        TableRows::Make(connection(), table_->place, id, table_->columns, spec));
  const KeyedTarget* keyed = rows_->keyed();
  if (keyed == nullptr) return Status::OK();
  // Where the table has changed since the opening, the images must follow.
  if (looked_again_) ARROW_RETURN_NOT_OK(EnsureImages(connection(), *keyed));
  return connection().ExecuteAll(std::string(kTextSettings), "begin").status();
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
  looked_again_ = true;
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
                      " SELECT c.oid::int8, c.relfilenode::int8, c.relnatts FROM {} s JOIN "
                      "pg_class c ON c.oid"
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
                       .file = static_cast<uint32_t>(found.integer(0, 1)),
                       .columns = found.integer(0, 2)};
}

// Where table, state tables or row are not as they should be: says why, in words of streams.
Status StreamTransaction::ExplainFailure(const Status& error, const StreamRef& stream) {
  const ErrorInfo info = ErrorInfoOf(error);
  context_.cache->Drop(table_name_);
  if (info.kind != ErrorKind::kNotFound && info.native_code != kNoSuchRow) return error;
  ARROW_RETURN_NOT_OK(Rollback());
  return WhyRefused(connection(), table_->place, stream);
}

Result<int64_t> StreamTransaction::Write(const BatchRecord& record,
                                         const arrow::RecordBatch& batch) {
  if (!record.id) return MakeError(ErrorKind::kInternal, "a batch of a stream has no id");
  const Status status = rows_->Write(connection(), record.id, batch);
  if (KindOf(status) == ErrorKind::kSchemaMismatch) context_.cache->Drop(table_name_);
  ARROW_RETURN_NOT_OK(status);
  return batch.num_rows();
}

Result<UndoReport> StreamTransaction::UndoAfter(int64_t batch_id) {
  ARROW_RETURN_NOT_OK(Failpoint("postgresql.before_undo"));
  ARROW_RETURN_NOT_OK(rows_->Flush(connection()));
  const int64_t after = std::max(batch_id, SlotBase(stream_.slot));
  ARROW_ASSIGN_OR_RAISE(const UndoReport report,
                        rows_->keyed() == nullptr ? UndoRows(after) : UndoByImages(after));
  ARROW_RETURN_NOT_OK(ForgetBatches(after));
  ARROW_RETURN_NOT_OK(Failpoint("postgresql.after_undo"));
  return report;
}

Result<UndoReport> StreamTransaction::UndoRows(int64_t after) {
  const std::string id = QuoteName(kBatchIdColumn);
  ARROW_ASSIGN_OR_RAISE(
      const auto results,
      connection().ExecuteAll(
          fmt::format("{}; DELETE FROM {} WHERE {} > {} AND {} <= {}", kUseIndexes,
                      table_->place.qualified(), id, after, id, SlotEnd(stream_.slot)),
          "undoing batches"));
  return UndoReport{.removed = results.back().affected()};
}

Result<UndoReport> StreamTransaction::UndoByImages(int64_t after) {
  const KeyedTarget& target = *rows_->keyed();
  const IdRange ids{.after = after, .last = SlotEnd(stream_.slot)};
  // Two undos at once would not see what each hands over to the other.
  const std::string lock = fmt::format("SELECT pg_advisory_xact_lock(hashtextextended({}, 0))",
                                       connection().Literal("ampload undo " + target.images()));
  ARROW_ASSIGN_OR_RAISE(const auto results,
                        connection().ExecuteAll(fmt::format("{}; {}; {}", lock, kUseIndexes,
                                                            UndoImagesSql(target, ids)),
                                                "undoing batches"));
  const Rows& counts = results.back();
  UndoReport report{.removed = counts.integer(0, 1), .restored = counts.integer(0, 2)};
  report.left = counts.integer(0, 0) - report.removed - report.restored;
  if (report.left > 0) {
    Log().warn(
        "table '{}': {} rows of the batches that were undone had been changed by someone "
        "else since; they are left as they are",
        table_name_, report.left);
  }
  ARROW_RETURN_NOT_OK(connection().ExecuteAll(
      HandOverImagesSql(target, ids) + "; " + DropImagesSql(target, ids), "undoing batches"));
  return report;
}

Status StreamTransaction::ForgetBatches(int64_t after) {
  return connection()
      .ExecuteAll(ForgetBatchesSql(connection(), table_->place, stream_.slot, after) +
                      std::string(kUseIndexesNoMore),
                  "undoing batches")
      .status();
}

Status StreamTransaction::Commit(const Checkpoint& checkpoint) {
  ARROW_RETURN_NOT_OK(Failpoint("postgresql.before_checkpoint"));
  ARROW_RETURN_NOT_OK(rows_->Flush(connection()));
  ARROW_RETURN_NOT_OK(Failpoint("postgresql.before_commit"));
  const Status committed = SendCommit(checkpoint);
  if (!committed.ok()) {
    StreamRef expected = stream_;
    expected.sequence = checkpoint.sequence - 1;
    return ExplainFailure(committed, expected);
  }
  return committed;
}

std::string StreamTransaction::CommitSql(const Checkpoint& checkpoint) const {
  const KeyedTarget* keyed = rows_->keyed();
  std::string sql;
  if (keyed != nullptr) {
    sql = PruneImagesSql(connection(), *keyed, stream_.name, checkpoint.final_id) + "; ";
  }
  return sql + CheckpointSql(connection(), table_->place, table_->identity.id, stream_, checkpoint);
}

Status StreamTransaction::SendCommit(const Checkpoint& checkpoint) {
  ARROW_ASSIGN_OR_RAISE(
      const auto results,
      connection().Commit(fmt::format(
          "{}; SELECT coalesce(pg_relation_size({}::oid), 0) / current_setting('block_size')::int8",
          CommitSql(checkpoint), table_->identity.id)));
  open_ = false;
  if (FailpointAt("postgresql.after_commit") != FailpointAction::kNone) {
    connection().Close();
    return MakeError({.kind = ErrorKind::kCommitUnknown, .side = ErrorSide::kTarget},
                     "commit: failpoint postgresql.after_commit");
  }
  const Rows& pages = results[results.size() - 2];
  table_->summaries->SummariseMeanwhile(context_.pool.get(), connection(), pages.integer(0, 0));
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
