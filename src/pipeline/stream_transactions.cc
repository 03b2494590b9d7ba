#include "pipeline/stream_transactions.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "core/failpoint.h"
#include "pipeline/read_ahead.h"
#include "pipeline/stream_columns.h"

namespace amp {
namespace {

Status OnTarget(const Status& status) { return WithSide(status, ErrorSide::kTarget); }

}  // namespace

StreamTransactions::StreamTransactions(Loader* loader, std::shared_ptr<arrow::Schema> schema,
                                       WriteSpec spec, const StreamState& state)
    : loader_(loader),
      source_schema_(std::move(schema)),
      spec_(std::move(spec)),
      ref_{.name = state.name,
           .slot = state.slot,
           .epoch = state.epoch,
           .sequence = state.checkpoint.sequence},
      found_id_(state.checkpoint.last_batch_id) {}

Status StreamTransactions::Begin() {
  if (transaction_ != nullptr) return Status::OK();
  spec_.stream = ref_;
  auto transaction = loader_->BeginTransaction(spec_);
  ARROW_RETURN_NOT_OK(OnTarget(transaction.status()));
  transaction_ = *std::move(transaction);
  if (recovered_ || loader_->traits().delivery == Delivery::kAtomic) return Status::OK();
  ARROW_RETURN_NOT_OK(OnTarget(transaction_->UndoAfter(found_id_).status()));
  recovered_ = true;
  return Status::OK();
}

Status StreamTransactions::Write(const BatchRecord& record, const arrow::RecordBatch& batch) {
  if (batch.schema() != source_schema_ && !batch.schema()->Equals(*source_schema_, false)) {
    return MakeError(
        {.kind = ErrorKind::kSchemaMismatch, .side = ErrorSide::kSource},
        fmt::format("the schema changed in the middle of the stream, from ({}) to ({})",
                    source_schema_->ToString(), batch.schema()->ToString()));
  }
  ARROW_ASSIGN_OR_RAISE(const auto with_columns, AddStreamColumns(batch, spec_.schema, record));
  ARROW_RETURN_NOT_OK(Begin());
  ARROW_RETURN_NOT_OK(Failpoint("stream.before_write"));
  ARROW_RETURN_NOT_OK(OnTarget(transaction_->Write(record, *with_columns).status()));
  ARROW_RETURN_NOT_OK(Failpoint("stream.after_write"));
  Note(*record.id, batch);
  return Status::OK();
}

Result<UndoReport> StreamTransactions::UndoAfter(int64_t id) {
  ARROW_RETURN_NOT_OK(Failpoint("stream.before_undo"));
  auto undone = transaction_->UndoAfter(id);
  ARROW_RETURN_NOT_OK(OnTarget(undone.status()));
  ARROW_RETURN_NOT_OK(Failpoint("stream.after_undo"));
  Forget(id);
  return undone;
}

Result<StreamTransactions::Clock::duration> StreamTransactions::Commit(
    const Checkpoint& checkpoint) {
  ARROW_RETURN_NOT_OK(Failpoint("stream.before_commit"));
  const auto start = Clock::now();
  ARROW_RETURN_NOT_OK(OnTarget(transaction_->Commit(checkpoint)));
  const auto latency = Clock::now() - start;
  ARROW_RETURN_NOT_OK(Failpoint("stream.after_commit"));
  transaction_.reset();
  ref_.sequence = checkpoint.sequence;
  return latency;
}

Status StreamTransactions::Rollback() {
  if (transaction_ == nullptr) return Status::OK();
  Clear();
  const Status status = transaction_->Rollback();
  transaction_.reset();
  return OnTarget(status);
}

void StreamTransactions::Note(int64_t id, const arrow::RecordBatch& batch) {
  if (written_.empty() || written_.back().id != id) written_.push_back({id, 0, 0});
  const int64_t bytes = BytesOf(batch);
  written_.back().rows += batch.num_rows();
  written_.back().bytes += bytes;
  rows_ += batch.num_rows();
  bytes_ += bytes;
}

void StreamTransactions::Forget(int64_t after_id) {
  for (; HasAbove(after_id); written_.pop_back()) {
    rows_ -= written_.back().rows;
    bytes_ -= written_.back().bytes;
  }
}

void StreamTransactions::Clear() {
  written_.clear();
  rows_ = bytes_ = 0;
}

}  // namespace amp
