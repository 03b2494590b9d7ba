#include "loaders/delta/load_transaction.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "core/failpoint.h"
#include "core/json_text.h"
#include "core/log.h"
#include "core/stream_state.h"
#include "loaders/delta/replace_where.h"

namespace amp::delta {
namespace {

// Others may make the table, or change it in a way that does not matter here, so often.
constexpr int kPlans = 20;

std::string ListText(const Strings& list) {
  Strings quoted;
  for (const std::string& item : list) quoted.push_back(JsonQuoted(item));
  return fmt::format("[{}]", fmt::join(quoted, ","));
}

Status ChangedMeanwhile(const DeltaTable& table) {
  return MakeError(
      {.kind = ErrorKind::kConflict, .side = ErrorSide::kTarget, .operation = "commit"},
      fmt::format("table '{}' was {} while rows were written, and nothing is stored. Run it again",
                  table.name(), table.exists() ? "changed or made" : "dropped"));
}

}  // namespace

Result<std::unique_ptr<Transaction>> LoadTransaction::Begin(WriteContext context,
                                                            const WriteSpec& spec) {
  std::unique_ptr<LoadTransaction> transaction(new LoadTransaction(std::move(context), spec));
  ARROW_RETURN_NOT_OK(transaction->Prepare());
  return transaction;
}

LoadTransaction::~LoadTransaction() {
  const Status status = Rollback();
  if (!status.ok()) Log().debug("rolling back: {}", status.message());
}

Status LoadTransaction::Prepare() {
  DeltaTable& table = *context_.table;
  const std::lock_guard lock(table.mutex());
  ARROW_RETURN_NOT_OK(table.Refresh());
  ARROW_RETURN_NOT_OK(CheckOverwrite());
  ARROW_ASSIGN_OR_RAISE(WritePlan plan, PlanWrite(table, *context_.config, *spec_.schema));
  plan_ = std::make_shared<const WritePlan>(std::move(plan));
  writer_ = std::make_unique<DataWriter>(plan_, table.shared_store(), context_.pool.get());
  return Status::OK();
}

Status LoadTransaction::CheckOverwrite() const {
  const DeltaTable& table = *context_.table;
  if (spec_.mode != LoadMode::kOverwrite) return Status::OK();
  if (!table.streams().empty()) return HasStreams(spec_.table);
  return table.exists() ? CheckMayRemove(table) : Status::OK();
}

Result<int64_t> LoadTransaction::Write(const BatchRecord& /*record*/,
                                       const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(writer_->Write(std::nullopt, batch));
  return batch.num_rows();
}

Status LoadTransaction::Commit(const Checkpoint& /*checkpoint*/) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<Add> adds, writer_->Finish());
  const Status status = CommitFiles(adds);
  // Where nobody knows whether the commit was done, the files must stay.
  ended_ = status.ok() || KindOf(status) == ErrorKind::kCommitUnknown;
  return status;
}

Status LoadTransaction::CommitFiles(const std::vector<Add>& adds) {
  DeltaTable& table = *context_.table;
  const std::lock_guard lock(table.mutex());
  // Another thread of this process may have read the log since, or failed to.
  ARROW_RETURN_NOT_OK(table.EnsureKnown());
  if (!IsPlanOf(*plan_, table)) ARROW_RETURN_NOT_OK(PlanAgain(ChangedMeanwhile(table)));
  ARROW_RETURN_NOT_OK(CheckOverwrite());
  for (int plans = 1;; ++plans) {
    ARROW_ASSIGN_OR_RAISE(const CommitDraft draft, Draft(adds));
    // An append of nothing changes nothing.
    if (draft.actions.empty()) return Status::OK();
    ARROW_RETURN_NOT_OK(Failpoint("delta.before_commit"));
    ARROW_ASSIGN_OR_RAISE(const auto conflict, table.Commit(draft));
    if (!conflict) break;
    const Status lost = ToStatus(*conflict, table.name());
    if (plans == kPlans) return lost;
    ARROW_RETURN_NOT_OK(PlanAgain(lost));
  }
  context_.housekeeper->AfterCommit(&table);
  return Status::OK();
}

Result<CommitDraft> LoadTransaction::Draft(const std::vector<Add>& adds) const {
  const bool overwrites = spec_.mode == LoadMode::kOverwrite;
  CommitDraft draft{.operation = "WRITE",
                    .parameters = {{"mode", overwrites ? R"("Overwrite")" : R"("Append")"},
                                   {"partitionBy", JsonQuoted(ListText(plan_->partition_columns))}},
                    .rows = writer_->rows(),
                    .actions = {}};
  if (!context_.table->exists()) {
    draft.actions.emplace_back(*plan_->new_protocol);
    draft.actions.emplace_back(*plan_->new_table);
  } else if (overwrites) {
    // What others append meanwhile is to be replaced, too.
    draft.read = ReadScope::kTable;
    ARROW_RETURN_NOT_OK(AddRemoves(adds, &draft));
  }
  for (Add add : adds) {
    // A stream may have been opened since the file was written.
    if (plan_->beside_streams) add.tags.emplace(kBatchTag, kNoBatch);
    draft.actions.emplace_back(std::move(add));
  }
  return draft;
}

Status LoadTransaction::AddRemoves(const std::vector<Add>& adds, CommitDraft* draft) const {
  DeltaTable& table = *context_.table;
  ARROW_ASSIGN_OR_RAISE(
      const ReplaceWhere where,
      ReplaceWhere::Parse(context_.config->replace_where, table.snapshot().metadata()));
  for (const Add& add : adds) ARROW_RETURN_NOT_OK(where.CheckNew(add));
  const int64_t now = UnixMillisNow();
  return table.ForEachFile([&](const Add& add) {
    ARROW_ASSIGN_OR_RAISE(const bool replaced, where.Fits(add.partition_values));
    if (replaced) draft->actions.emplace_back(RemoveOf(add, now));
    return Status::OK();
  });
}

// The snapshot is up to date. An overwrite is planned anew on what is there now; someone may have
// made the table as we would have, or changed what does not concern these files.
Status LoadTransaction::PlanAgain(const Status& why) {
  DeltaTable& table = *context_.table;
  if (!table.exists()) return why;
  ARROW_RETURN_NOT_OK(CheckOverwrite());
  ARROW_ASSIGN_OR_RAISE(WritePlan plan, PlanWrite(table, *context_.config, *spec_.schema));
  if (!plan.columns.written->Equals(*plan_->columns.written) ||
      plan.partition_columns != plan_->partition_columns) {
    return why;
  }
  plan_ = std::make_shared<const WritePlan>(std::move(plan));
  return Status::OK();
}

Status LoadTransaction::Rollback() {
  if (ended_ || writer_ == nullptr) return Status::OK();
  ended_ = true;
  return writer_->Abort();
}

}  // namespace amp::delta
