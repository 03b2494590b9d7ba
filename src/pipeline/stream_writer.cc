#include "pipeline/stream_writer.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "core/failpoint.h"
#include "core/log.h"
#include "core/stream_state.h"
#include "pipeline/read_ahead.h"
#include "pipeline/stream_columns.h"

namespace amp {
namespace {

Status OnTarget(const Status& status) { return WithSide(status, ErrorSide::kTarget); }

LedgerOptions LedgerOptionsOf(const StreamOptions& options, bool strict) {
  return {.retention = options.pipeline.retention,
          .max_undo = options.max_undo.value_or(options.pipeline.retention),
          .strict = strict};
}

}  // namespace

StreamWriter::StreamWriter(Loader* loader, const StreamOptions& options, WriteSpec spec,
                           const StreamState& state, bool strict)
    : loader_(loader),
      options_(options),
      spec_(std::move(spec)),
      ref_{.name = state.name,
           .slot = state.slot,
           .epoch = state.epoch,
           .sequence = state.checkpoint.sequence},
      ledger_(LedgerOptionsOf(options, strict), state) {}

Result<std::unique_ptr<StreamWriter>> StreamWriter::Open(
    Loader* loader, const StreamSpec& spec, std::shared_ptr<arrow::Schema> source_schema,
    const StreamOptions& options, bool strict) {
  auto state = loader->OpenStream(spec);
  ARROW_RETURN_NOT_OK(OnTarget(state.status()));
  std::unique_ptr<StreamWriter> writer(new StreamWriter(
      loader, options,
      {.table = spec.table, .schema = spec.schema, .mode = spec.mode, .key = spec.key}, *state,
      strict));
  writer->source_schema_ = std::move(source_schema);
  Log().info("stream '{}' of table '{}': epoch {}, commit {}, {}", spec.name, spec.table,
             state->epoch, state->checkpoint.sequence,
             state->checkpoint.watermark.empty() ? "from the beginning"
                                                 : RangesText(state->checkpoint.watermark));
  return writer;
}

Result<StreamWriter::Effect> StreamWriter::Take(const StreamMessage& message) {
  ledger_.set_now(UnixMillisNow());
  const int64_t rows = message.batch == nullptr ? 0 : message.batch->num_rows();
  ARROW_ASSIGN_OR_RAISE(const LedgerStep step,
                        message.reorg
                            ? ledger_.Reorg(*message.reorg)
                            : ledger_.Accept(message.ranges, message.ranges_complete, rows));
  return Apply(step, message.batch.get());
}

Result<StreamWriter::Effect> StreamWriter::Apply(const LedgerStep& step,
                                                 const arrow::RecordBatch* batch) {
  Effect effect{.news = step.undo_after.has_value() || step.completed,
                .completed = step.completed,
                .reconnect = step.reconnect};
  if (step.undo_after) {
    ARROW_RETURN_NOT_OK(Undo(*step.undo_after, step.reorg ? &*step.reorg : nullptr));
  }
  if (step.write && batch != nullptr && batch->num_rows() > 0) {
    effect.news = true;
    ARROW_RETURN_NOT_OK(Write(*step.write, *batch));
  }
  if (ledger_.dirty() && first_wait_ == Clock::time_point{}) first_wait_ = Clock::now();
  return effect;
}

Status StreamWriter::Begin() {
  if (transaction_ != nullptr) return Status::OK();
  spec_.stream = ref_;
  auto transaction = loader_->BeginTransaction(spec_);
  ARROW_RETURN_NOT_OK(OnTarget(transaction.status()));
  transaction_ = *std::move(transaction);
  if (recovered_ || loader_->traits().delivery == Delivery::kAtomic) return Status::OK();
  ARROW_RETURN_NOT_OK(OnTarget(transaction_->UndoAfter(ledger_.last_complete_id()).status()));
  recovered_ = true;
  return Status::OK();
}

Status StreamWriter::Undo(int64_t id, const ReorgReport* report) {
  ARROW_RETURN_NOT_OK(Begin());
  ARROW_RETURN_NOT_OK(Failpoint("stream.before_undo"));
  const auto undone = transaction_->UndoAfter(id);
  ARROW_RETURN_NOT_OK(OnTarget(undone.status()));
  ARROW_RETURN_NOT_OK(Failpoint("stream.after_undo"));
  Forget(id);
  undone_ = *undone;
  unflushed_undo_ = true;
  if (report != nullptr) TellReorg(*report, *undone);
  return Status::OK();
}

Status StreamWriter::UndoFrom(const ReorgNotice& notice) {
  ARROW_ASSIGN_OR_RAISE(const LedgerStep step, ledger_.Reorg(notice, /*limited=*/false));
  return Apply(step, nullptr).status();
}

Status StreamWriter::Write(const BatchRecord& record, const arrow::RecordBatch& batch) {
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
  if (written_.empty() || written_.back().id != *record.id) written_.push_back({*record.id, 0, 0});
  const int64_t bytes = BytesOf(batch);
  written_.back().rows += batch.num_rows();
  written_.back().bytes += bytes;
  rows_ += batch.num_rows();
  bytes_ += bytes;
  return Status::OK();
}

void StreamWriter::Forget(int64_t after_id) {
  for (; !written_.empty() && written_.back().id > after_id; written_.pop_back()) {
    rows_ -= written_.back().rows;
    bytes_ -= written_.back().bytes;
  }
}

Status StreamWriter::Interrupt() {
  const std::optional<int64_t> keep = ledger_.Interrupted();
  if (!keep || written_.empty() || written_.back().id <= *keep) return Status::OK();
  if (ledger_.dirty()) return Undo(*keep, nullptr);
  // Nothing but the open batch is in it.
  Forget(*keep);
  const Status status = transaction_->Rollback();
  transaction_.reset();
  return OnTarget(status);
}

bool StreamWriter::full() const {
  constexpr int64_t kMostNumbers = kNumbersPerCommit / 2;
  return rows_ >= options_.pipeline.commit_rows || bytes_ >= options_.pipeline.commit_bytes.bytes ||
         unflushed_undo_ || ledger_.numbers_since_commit() >= kMostNumbers;
}

StreamWriter::Clock::time_point StreamWriter::commit_due() const {
  if (!ledger_.dirty() || ledger_.open()) return Clock::time_point::max();
  if (full()) return Clock::time_point::min();
  const auto interval =
      options_.pipeline.commit_interval.value_or(loader_->traits().commit_interval);
  return first_wait_ + interval;
}

Status StreamWriter::Commit() {
  if (!ledger_.dirty() || ledger_.open()) return Status::OK();
  ARROW_RETURN_NOT_OK(Begin());
  const Checkpoint checkpoint = ledger_.NextCheckpoint();
  ARROW_RETURN_NOT_OK(Failpoint("stream.before_commit"));
  const auto start = Clock::now();
  ARROW_RETURN_NOT_OK(OnTarget(transaction_->Commit(checkpoint)));
  const auto latency = Clock::now() - start;
  ARROW_RETURN_NOT_OK(Failpoint("stream.after_commit"));
  transaction_.reset();
  ledger_.Committed();
  ref_.sequence = checkpoint.sequence;
  first_wait_ = {};
  unflushed_undo_ = false;
  ++commits_;
  rows_committed_ += rows_;
  TellCommit(checkpoint, latency);
  written_.clear();
  rows_ = bytes_ = 0;
  return Status::OK();
}

void StreamWriter::TellReorg(const ReorgReport& report, const UndoReport& undone) {
  Log().info("reorg: {} orphaned, {} batches undone, {} rows removed, {} restored",
             RangesText(report.orphaned), report.batches, undone.removed, undone.restored);
  if (!options_.on_event) return;
  options_.on_event({.kind = StreamEvent::Kind::kReorg,
                     .stream = ref_.name,
                     .orphaned = report.orphaned,
                     .undone = undone});
}

void StreamWriter::TellCommit(const Checkpoint& checkpoint, Clock::duration latency) {
  if (!options_.on_event) return;
  options_.on_event({.kind = StreamEvent::Kind::kCommit,
                     .stream = ref_.name,
                     .rows = rows_,
                     .bytes = bytes_,
                     .checkpoint = checkpoint,
                     .latency = std::chrono::duration_cast<std::chrono::microseconds>(latency)});
}

}  // namespace amp
