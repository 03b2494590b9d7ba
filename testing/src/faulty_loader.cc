#include "faulty_loader.h"

namespace amp::testing {
namespace {

class FaultyTransaction final : public Transaction {
 public:
  FaultyTransaction(FaultyLoader* loader, std::unique_ptr<Transaction> inner)
      : loader_(loader), inner_(std::move(inner)) {}

  Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) override {
    ARROW_ASSIGN_OR_RAISE(const int64_t rows, inner_->Write(record, batch));
    ARROW_RETURN_NOT_OK(loader_->At(FaultStep::kWrite));
    return rows;
  }
  Result<UndoReport> UndoAfter(int64_t batch_id) override {
    ARROW_ASSIGN_OR_RAISE(const UndoReport report, inner_->UndoAfter(batch_id));
    ARROW_RETURN_NOT_OK(loader_->At(FaultStep::kUndo));
    return report;
  }
  Status Commit(const Checkpoint& checkpoint) override {
    ARROW_RETURN_NOT_OK(loader_->At(FaultStep::kBeforeCommit));
    ARROW_RETURN_NOT_OK(inner_->Commit(checkpoint));
    return loader_->At(FaultStep::kLostAnswer);
  }
  Status Rollback() override { return inner_->Rollback(); }

 private:
  FaultyLoader* loader_;
  std::unique_ptr<Transaction> inner_;
};

}  // namespace

Status FaultyLoader::At(FaultStep step) {
  if (step != step_ || left_ == 0 || --left_ > 0) return Status::OK();
  const bool lost = step == FaultStep::kLostAnswer;
  return MakeError({.kind = lost ? ErrorKind::kCommitUnknown : ErrorKind::kUnavailable,
                    .side = ErrorSide::kTarget,
                    .retryable = true},
                   "the test breaks the connection");
}

Result<std::unique_ptr<Transaction>> FaultyLoader::BeginTransactionImpl(const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(auto inner, inner_->BeginTransaction(spec));
  return std::make_unique<FaultyTransaction>(this, std::move(inner));
}

}  // namespace amp::testing
