#include "pipeline/job_run.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/log.h"
#include "core/stream_state.h"
#include "pipeline/read_ahead.h"
#include "pipeline/stream_columns.h"

namespace amp {
namespace {

Status OnTarget(const Status& status) { return WithSide(status, ErrorSide::kTarget); }

Status OtherJob(const TableName& table, const StreamState& state, const std::string& asked) {
  return MakeError(
      {.kind = ErrorKind::kConfigInvalid, .side = ErrorSide::kTarget},
      fmt::format("job '{}' of table '{}' was begun as: {} --mode {}{}{}; now asked for: {}. Ask "
                  "for the same, or choose another job with --job NAME",
                  state.name, table, state.query, ToString(state.mode),
                  state.key.empty() ? "" : " --key ", fmt::join(state.key, ","), asked));
}

std::optional<int64_t> SumOfRows(const std::vector<JobUnit>& units,
                                 const std::vector<size_t>& places) {
  int64_t sum = 0;
  for (const size_t place : places) {
    if (!units[place].rows) return std::nullopt;
    sum += *units[place].rows;
  }
  return sum;
}

}  // namespace

JobRun::JobRun(Loader* loader, JobSource* source, TableName table, const JobOptions& options)
    : loader_(loader),
      source_(source),
      table_(std::move(table)),
      options_(options),
      backoff_(options.pipeline) {}

Status JobRun::Run() {
  while (true) {
    Status status = Open();
    if (status.ok()) status = Load();
    if (status.ok()) return status;
    ARROW_RETURN_NOT_OK(Recover(status));
  }
}

// As opening the stream would, but in the words of a job.
Status JobRun::CheckFits() {
  auto streams = loader_->ReadStreams(table_);
  ARROW_RETURN_NOT_OK(OnTarget(streams.status()));
  for (const StreamState& state : *streams) {
    if (state.name != options_.job) continue;
    if (SameQuery(state.query, source_->query()) && state.mode == options_.mode &&
        state.key == options_.key) {
      continue;
    }
    return OtherJob(
        table_, state,
        fmt::format("{} --mode {}{}{}", source_->query(), ToString(options_.mode),
                    options_.key.empty() ? "" : " --key ", fmt::join(options_.key, ",")));
  }
  return Status::OK();
}

Status JobRun::Open() {
  ARROW_RETURN_NOT_OK(loader_->Connect());
  ARROW_RETURN_NOT_OK(CheckFits());
  ARROW_ASSIGN_OR_RAISE(const auto with_columns,
                        WithStreamColumns(*source_->schema(), options_.pipeline.block_ranges));
  auto state = loader_->OpenStream({.name = options_.job,
                                    .table = table_,
                                    .schema = with_columns,
                                    .mode = options_.mode,
                                    .key = options_.key,
                                    .query = source_->query(),
                                    .adopt = options_.adopt,
                                    .held_epoch = held_epoch_});
  ARROW_RETURN_NOT_OK(OnTarget(state.status()));
  const bool first = !held_epoch_.has_value();
  held_epoch_ = state->epoch;
  ledger_.emplace(*state);
  transactions_ = std::make_unique<StreamTransactions>(
      loader_, source_->schema(),
      WriteSpec{
          .table = table_, .schema = with_columns, .mode = options_.mode, .key = options_.key},
      *state);
  ARROW_ASSIGN_OR_RAISE(missing_, ledger_->Missing(source_->units()));
  if (!first) return Status::OK();
  all_units_before_ = ledger_->units_committed();
  all_rows_before_ = ledger_->rows_committed();
  counts_.units = static_cast<int64_t>(source_->units().size());
  counts_.units_before = counts_.units - static_cast<int64_t>(missing_.size());
  Log().info("job '{}' of table '{}': epoch {}, {} of {} units are to be loaded", options_.job,
             table_, state->epoch, missing_.size(), counts_.units);
  return Status::OK();
}

Status JobRun::Load() {
  progress_.units = ledger_->units_committed() - all_units_before_;
  progress_.units_to_load = progress_.units + static_cast<int64_t>(missing_.size());
  progress_.rows_to_load = SumOfRows(source_->units(), missing_);
  UnitReader reader(source_, missing_, options_.pipeline);
  UnitReader::Item item;
  while (true) {
    if (stopping()) return Stopped();
    ARROW_ASSIGN_OR_RAISE(const bool more, reader.Next(&item));
    if (!more) return Commit();
    ARROW_RETURN_NOT_OK(Take(item));
  }
}

Status JobRun::Take(const UnitReader::Item& item) {
  if (open_unit_ != item.unit) {
    open_unit_ = item.unit;
    ledger_->Begin(source_->units()[item.unit]);
  }
  return item.batch == nullptr ? CompleteUnit() : Write(item);
}

Status JobRun::Write(const UnitReader::Item& item) {
  ARROW_RETURN_NOT_OK(transactions_->Write(ledger_->open_record(), *item.batch));
  ledger_->AddRows(item.batch->num_rows());
  progress_.load.rows += item.batch->num_rows();
  progress_.load.bytes += BytesOf(*item.batch);
  ++progress_.load.batches;
  if (options_.on_progress) options_.on_progress(progress_);
  return Status::OK();
}

Status JobRun::CompleteUnit() {
  ledger_->Complete(UnixMillisNow());
  open_unit_.reset();
  ++progress_.units;
  if (first_wait_ == Clock::time_point{}) first_wait_ = Clock::now();
  return CommitIsDue() ? Commit() : Status::OK();
}

bool JobRun::CommitIsDue() const {
  constexpr int64_t kMostNumbers = kNumbersPerCommit / 2;
  const PipelineOptions& options = options_.pipeline;
  const auto interval = options.commit_interval.value_or(loader_->traits().commit_interval);
  return transactions_->rows() >= options.commit_rows ||
         transactions_->bytes() >= options.commit_bytes.bytes ||
         ledger_->numbers_since_commit() >= kMostNumbers || Clock::now() - first_wait_ >= interval;
}

Status JobRun::Commit() {
  if (!ledger_->dirty()) return Status::OK();
  ARROW_RETURN_NOT_OK(transactions_->Begin());
  ARROW_RETURN_NOT_OK(transactions_->Commit(ledger_->NextCheckpoint()).status());
  transactions_->Clear();
  ledger_->Committed();
  first_wait_ = {};
  ++counts_.commits;
  backoff_.Reset();
  return Status::OK();
}

Status JobRun::KeepComplete() {
  if (transactions_ == nullptr) return Status::OK();
  const std::optional<int64_t> keep = ledger_->Interrupt();
  open_unit_.reset();
  if (!ledger_->dirty()) return transactions_->Rollback();
  if (keep && transactions_->HasAbove(*keep)) {
    ARROW_RETURN_NOT_OK(transactions_->UndoAfter(*keep).status());
  }
  return Commit();
}

Status JobRun::Recover(const Status& failure) {
  // Of the target it is known only after reading it again what it has.
  const bool target = ErrorInfoOf(failure).side == ErrorSide::kTarget;
  if (!target) {
    const Status kept = KeepComplete();
    if (!kept.ok()) Log().warn("committing what is complete: {}", kept.message());
    return failure;
  }
  DropTarget();
  if (!IsPassing(failure)) return failure;
  const auto pause = backoff_.Next();
  if (!pause) return failure;
  Log().warn("{}; trying again in {:.1f} s (failure {} of at most {})", failure.message(),
             static_cast<double>(pause->count()) / 1000, backoff_.failures(),
             options_.pipeline.retry_tries);
  SleepUnless(options_.stop, *pause);
  return stopping() ? Stopped() : Status::OK();
}

void JobRun::DropTarget() {
  transactions_.reset();
  open_unit_.reset();
  first_wait_ = {};
  const Status status = loader_->Disconnect();
  if (!status.ok()) Log().debug("disconnecting: {}", status.message());
}

Status JobRun::Stopped() const {
  return MakeError(ErrorKind::kCancelled,
                   fmt::format("stopped on request; what job '{}' has completed is stored, and the "
                               "same command loads the rest",
                               options_.job));
}

// What is in the target counts, also where the answer to its commit was lost.
JobRun::Counts JobRun::counts() const {
  Counts counts = counts_;
  if (ledger_) {
    counts.units_loaded = ledger_->units_committed() - all_units_before_;
    counts.rows_loaded = ledger_->rows_committed() - all_rows_before_;
  }
  return counts;
}

}  // namespace amp
