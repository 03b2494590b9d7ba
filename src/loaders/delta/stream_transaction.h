#pragma once

#include <memory>
#include <optional>
#include <vector>

#include "loaders/delta/load_transaction.h"
#include "loaders/delta/undo_files.h"

namespace amp::delta {

/// Batches of a stream: files of each, what is undone, and the checkpoint, in one commit.
class StreamTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(WriteContext context, const WriteSpec& spec);
  ~StreamTransaction() override;

  Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) override;
  Result<UndoReport> UndoAfter(int64_t batch_id) override;
  Status Commit(const Checkpoint& checkpoint) override;
  Status Rollback() override;

 private:
  StreamTransaction(WriteContext context, const WriteSpec& spec)
      : context_(std::move(context)), spec_(spec), stream_(*spec.stream) {}
  Status Prepare();
  Status CheckHeldStill() const;
  IdRange UndoRange() const;
  Status PlanUndoAgain();
  Status DropWritten();
  Status CommitFiles(const std::vector<Add>& adds, const Checkpoint& checkpoint);
  Result<StoredStream> NextState(const Checkpoint& checkpoint) const;
  CommitDraft Draft(const std::vector<Add>& adds, const StoredStream& next) const;
  Status CheckSamePlan() const;
  Status CatchUp();

  const WriteContext context_;
  const WriteSpec spec_;
  const StreamRef stream_;
  std::shared_ptr<const WritePlan> plan_;
  std::unique_ptr<DataWriter> writer_;
  std::optional<int64_t> undo_after_;  ///< ids above it that the table had are undone
  UndoPlan undo_;
  int64_t undo_version_ = -1;  ///< that it was planned on
  bool ended_ = false;
};

}  // namespace amp::delta
