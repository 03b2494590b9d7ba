#include "loaders/delta/stream_transaction.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/failpoint.h"
#include "core/json_text.h"
#include "core/log.h"
#include "core/stream_state.h"

namespace amp::delta {
namespace {

// Others may compact the files that are to be undone so often while we try.
constexpr int kPlans = 10;

}  // namespace

Result<std::unique_ptr<Transaction>> StreamTransaction::Begin(WriteContext context,
                                                              const WriteSpec& spec) {
  std::unique_ptr<StreamTransaction> transaction(new StreamTransaction(std::move(context), spec));
  ARROW_RETURN_NOT_OK(transaction->Prepare());
  return transaction;
}

StreamTransaction::~StreamTransaction() {
  const Status status = Rollback();
  if (!status.ok()) Log().debug("rolling back: {}", status.message());
}

Status StreamTransaction::Prepare() {
  DeltaTable& table = *context_.table;
  const std::lock_guard lock(table.mutex());
  ARROW_RETURN_NOT_OK(table.Refresh());
  ARROW_RETURN_NOT_OK(CheckHeldStill());
  ARROW_ASSIGN_OR_RAISE(WritePlan plan, PlanWrite(table, *context_.config, *spec_.schema));
  plan_ = std::make_shared<const WritePlan>(std::move(plan));
  writer_ = std::make_unique<DataWriter>(plan_, table.shared_store(), context_.pool.get());
  return Status::OK();
}

// A writer that was taken over learns it before it writes.
Status StreamTransaction::CheckHeldStill() const {
  const DeltaTable& table = *context_.table;
  if (!table.exists()) return StreamGone(spec_.table, stream_.name);
  const auto found = table.streams().find(stream_.name);
  if (found == table.streams().end()) return StreamGone(spec_.table, stream_.name);
  if (found->second.table_id != table.snapshot().metadata().id) {
    return TableReplaced(spec_.table, stream_.name);
  }
  return CheckHeld(spec_.table, stream_, found->second.state);
}

Result<int64_t> StreamTransaction::Write(const BatchRecord& record,
                                         const arrow::RecordBatch& batch) {
  if (!record.id) return MakeError(ErrorKind::kInternal, "a batch of a stream has no id");
  ARROW_RETURN_NOT_OK(writer_->Write(record.id, batch));
  return batch.num_rows();
}

IdRange StreamTransaction::UndoRange() const {
  return {.after = *undo_after_, .last = SlotEnd(stream_.slot)};
}

Result<UndoReport> StreamTransaction::UndoAfter(int64_t batch_id) {
  ARROW_RETURN_NOT_OK(Failpoint("delta.before_undo"));
  const int64_t after = std::max(batch_id, SlotBase(stream_.slot));
  UndoReport report{.removed = writer_->DropAfter(after)};
  const int64_t rows_before = undo_.rows;
  if (!undo_after_ || after < *undo_after_) {
    undo_after_ = after;
    const std::lock_guard lock(context_.table->mutex());
    ARROW_RETURN_NOT_OK(context_.table->EnsureKnown());
    ARROW_RETURN_NOT_OK(CheckHeldStill());
    ARROW_RETURN_NOT_OK(PlanUndoAgain());
  }
  report.removed += undo_.rows - rows_before;
  ARROW_RETURN_NOT_OK(Failpoint("delta.after_undo"));
  return report;
}

Status StreamTransaction::PlanUndoAgain() {
  ARROW_RETURN_NOT_OK(DropWritten());
  ARROW_ASSIGN_OR_RAISE(undo_, PlanUndo(context_.table.get(), UndoRange(), context_.pool.get()));
  undo_version_ = context_.table->snapshot().version();
  return Status::OK();
}

// Files that an undo wrote for a commit that does not come about.
Status StreamTransaction::DropWritten() {
  const std::vector<std::string> written = std::exchange(undo_, {}).written;
  return written.empty() ? Status::OK() : context_.table->store().Delete(written);
}

Status StreamTransaction::Commit(const Checkpoint& checkpoint) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<Add> adds, writer_->Finish());
  const Status status = CommitFiles(adds, checkpoint);
  // Where nobody knows whether the commit was done, the files must stay.
  ended_ = status.ok() || KindOf(status) == ErrorKind::kCommitUnknown;
  ARROW_RETURN_NOT_OK(status);
  if (FailpointAt("delta.after_commit") != FailpointAction::kNone) {
    return MakeError({.kind = ErrorKind::kCommitUnknown, .side = ErrorSide::kTarget},
                     "commit: failpoint delta.after_commit");
  }
  return Status::OK();
}

Status StreamTransaction::CommitFiles(const std::vector<Add>& adds, const Checkpoint& checkpoint) {
  DeltaTable& table = *context_.table;
  const std::lock_guard lock(table.mutex());
  ARROW_RETURN_NOT_OK(CatchUp());
  ARROW_RETURN_NOT_OK(Failpoint("delta.before_checkpoint"));
  ARROW_ASSIGN_OR_RAISE(StoredStream next, NextState(checkpoint));
  ARROW_RETURN_NOT_OK(table.files().Write(&next));
  ARROW_RETURN_NOT_OK(Failpoint("delta.before_commit"));
  for (int plans = 1;; ++plans) {
    ARROW_ASSIGN_OR_RAISE(const auto conflict, table.Commit(Draft(adds, next)));
    if (!conflict) break;
    ARROW_RETURN_NOT_OK(CheckHeldStill());
    if (plans == kPlans) return ToStatus(*conflict, table.name());
    ARROW_RETURN_NOT_OK(CheckSamePlan());
    if (undo_after_) ARROW_RETURN_NOT_OK(PlanUndoAgain());
  }
  context_.housekeeper->AfterCommit(&table, &next);
  table.Stored(std::move(next));
  return Status::OK();
}

// Others of this process may have read the log on since this transaction began, or failed to: what
// was planned must hold for the version that the commit follows.
Status StreamTransaction::CatchUp() {
  DeltaTable& table = *context_.table;
  ARROW_RETURN_NOT_OK(table.EnsureKnown());
  ARROW_RETURN_NOT_OK(CheckHeldStill());
  if (!IsPlanOf(*plan_, table)) ARROW_RETURN_NOT_OK(CheckSamePlan());
  const bool moved_on = undo_after_ && undo_version_ != table.snapshot().version();
  return moved_on ? PlanUndoAgain() : Status::OK();
}

// Someone has changed the table: files that are written already must still fit.
Status StreamTransaction::CheckSamePlan() const {
  ARROW_ASSIGN_OR_RAISE(const WritePlan plan,
                        PlanWrite(*context_.table, *context_.config, *spec_.schema));
  if (plan.columns.written->Equals(*plan_->columns.written) &&
      plan.partition_columns == plan_->partition_columns) {
    return Status::OK();
  }
  return MakeError({.kind = ErrorKind::kUnavailable,
                    .side = ErrorSide::kTarget,
                    .operation = "commit",
                    .retryable = true},
                   fmt::format("table '{}': its columns were changed while rows were written; they "
                               "are to be written again",
                               spec_.table));
}

Result<StoredStream> StreamTransaction::NextState(const Checkpoint& checkpoint) const {
  DeltaTable& table = *context_.table;
  StoredStream next = table.streams().at(stream_.name);
  const StreamFiles files = table.files();
  const auto read = files.LinesReader(stream_.name);
  if (undo_after_) ARROW_RETURN_NOT_OK(next.lines.DropAfter(*undo_after_, read));
  ARROW_RETURN_NOT_OK(next.lines.Put(checkpoint.entries, read));
  AdvanceTo(checkpoint, &next.state);
  return next;
}

CommitDraft StreamTransaction::Draft(const std::vector<Add>& adds, const StoredStream& next) const {
  CommitDraft draft{
      .operation = "STREAMING UPDATE",
      .parameters = {{"outputMode", R"("Append")"},
                     {"queryId", JsonQuoted(stream_.name)},
                     {"epochId", JsonQuoted(std::to_string(next.state.checkpoint.sequence))},
                     {"amploadState", JsonQuoted(std::to_string(next.number))}},
      .rows = writer_->rows(),
      .actions = {Txn{.app_id = AppIdOf(stream_.name),
                      .version = next.number,
                      .last_updated = next.state.committed_at}}};
  draft.actions.insert(draft.actions.end(), undo_.actions.begin(), undo_.actions.end());
  for (const Add& add : adds) draft.actions.emplace_back(add);
  return draft;
}

Status StreamTransaction::Rollback() {
  if (ended_ || writer_ == nullptr) return Status::OK();
  ended_ = true;
  const Status dropped = DropWritten();
  const Status aborted = writer_->Abort();
  return dropped.ok() ? aborted : dropped;
}

}  // namespace amp::delta
