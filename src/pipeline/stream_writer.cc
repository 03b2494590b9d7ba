#include "pipeline/stream_writer.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "core/log.h"
#include "core/stream_state.h"
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

StreamWriter::StreamWriter(Loader* loader, const StreamOptions& options,
                           std::shared_ptr<arrow::Schema> schema, WriteSpec spec,
                           const StreamState& state, bool strict)
    : loader_(loader),
      options_(options),
      ledger_(LedgerOptionsOf(options, strict), state),
      transactions_(loader, std::move(schema), std::move(spec), state) {}

Result<std::unique_ptr<StreamWriter>> StreamWriter::Open(
    Loader* loader, const StreamSpec& spec, std::shared_ptr<arrow::Schema> source_schema,
    const StreamOptions& options, bool strict) {
  auto state = loader->OpenStream(spec);
  ARROW_RETURN_NOT_OK(OnTarget(state.status()));
  std::unique_ptr<StreamWriter> writer(new StreamWriter(
      loader, options, std::move(source_schema),
      {.table = spec.table, .schema = spec.schema, .mode = spec.mode, .key = spec.key}, *state,
      strict));
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
    ARROW_RETURN_NOT_OK(transactions_.Write(*step.write, *batch));
  }
  if (ledger_.dirty() && first_wait_ == Clock::time_point{}) first_wait_ = Clock::now();
  return effect;
}

Status StreamWriter::Undo(int64_t id, const ReorgReport* report) {
  ARROW_RETURN_NOT_OK(transactions_.Begin());
  ARROW_ASSIGN_OR_RAISE(const UndoReport undone, transactions_.UndoAfter(id));
  undone_ = undone;
  unflushed_undo_ = true;
  if (report != nullptr) TellReorg(*report, undone);
  return Status::OK();
}

Status StreamWriter::UndoFrom(const ReorgNotice& notice) {
  ARROW_ASSIGN_OR_RAISE(const LedgerStep step, ledger_.Reorg(notice, /*limited=*/false));
  return Apply(step, nullptr).status();
}

Status StreamWriter::Interrupt() {
  const std::optional<int64_t> keep = ledger_.Interrupted();
  if (!keep || !transactions_.HasAbove(*keep)) return Status::OK();
  if (ledger_.dirty()) return Undo(*keep, nullptr);
  // Nothing but the open batch is in it.
  return transactions_.Rollback();
}

Status StreamWriter::MakeWay() {
  ledger_.EndBatch();
  return Commit();
}

bool StreamWriter::full() const {
  constexpr int64_t kMostNumbers = kNumbersPerCommit / 2;
  return transactions_.rows() >= options_.pipeline.commit_rows ||
         transactions_.bytes() >= options_.pipeline.commit_bytes.bytes || unflushed_undo_ ||
         ledger_.numbers_since_commit() >= kMostNumbers;
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
  ARROW_RETURN_NOT_OK(transactions_.Begin());
  const Checkpoint checkpoint = ledger_.NextCheckpoint();
  ARROW_ASSIGN_OR_RAISE(const auto latency, transactions_.Commit(checkpoint));
  ledger_.Committed();
  first_wait_ = {};
  unflushed_undo_ = false;
  ++commits_;
  rows_committed_ += transactions_.rows();
  TellCommit(checkpoint, latency);
  transactions_.Clear();
  return Status::OK();
}

void StreamWriter::TellReorg(const ReorgReport& report, const UndoReport& undone) {
  Log().info("reorg: {} orphaned, {} batches undone, {} rows removed, {} restored",
             RangesText(report.orphaned), report.batches, undone.removed, undone.restored);
  if (!options_.on_event) return;
  options_.on_event({.kind = StreamEvent::Kind::kReorg,
                     .stream = transactions_.ref().name,
                     .orphaned = report.orphaned,
                     .undone = undone});
}

void StreamWriter::TellCommit(const Checkpoint& checkpoint, Clock::duration latency) {
  if (!options_.on_event) return;
  options_.on_event({.kind = StreamEvent::Kind::kCommit,
                     .stream = transactions_.ref().name,
                     .rows = transactions_.rows(),
                     .bytes = transactions_.bytes(),
                     .checkpoint = checkpoint,
                     .latency = std::chrono::duration_cast<std::chrono::microseconds>(latency)});
}

}  // namespace amp
