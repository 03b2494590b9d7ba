#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>
#include <thread>

#include "core/log.h"
#include "ledger/ledger.h"
#include "pipeline/backoff.h"
#include "pipeline/stream_reader.h"
#include "pipeline/verify.h"
#include "pipeline/verify_blocks.h"
#include "pipeline/verify_fold.h"
#include "pipeline/verify_target.h"

namespace amp {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;

// How often a wait looks whether it is to stop.
constexpr milliseconds kLongestWait{100};
// How long a source is asked what follows the target's checkpoint, to tell a reorg from a
// difference: a source that has something says so at once.
constexpr milliseconds kProbe{3'000};

bool ByKey(const StreamState& state) {
  return state.mode == LoadMode::kUpsert || state.mode == LoadMode::kMerge;
}

// A stream brings all its columns with every batch, so its merges are upserts, unless others have
// columns in the same rows.
Status CheckMode(Loader* loader, const TableName& table, const StreamState& state) {
  if (state.mode != LoadMode::kMerge) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto streams, loader->ReadStreams(table));
  if (streams.size() == 1) return Status::OK();
  return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                   fmt::format("stream '{}' merges into rows of table '{}' that other streams "
                               "write too, so it cannot be told whose they are; compare the whole "
                               "table with files (--from PATH)",
                               state.name, table));
}

bool SameQuery(std::string a, std::string b) {
  const auto blank = [](unsigned char c) { return std::isspace(c) != 0; };
  std::erase_if(a, blank);
  std::erase_if(b, blank);
  return a == b;
}

/// One comparison of a stream, until the source has come to the target's checkpoint.
class VerifyRun {
 public:
  VerifyRun(Loader* loader, StreamSource* source, const TableName& table,
            const VerifyOptions& options, StreamState state)
      : loader_(loader),
        source_(source),
        table_(table),
        options_(options),
        state_(std::move(state)),
        progress_(options),
        reader_(source, options.pipeline.memory.bytes),
        backoff_(options.pipeline),
        ledger_({.retention = options.pipeline.retention,
                 .max_undo = INT64_MAX,
                 .strict = source->endless()},
                StreamState{}),
        walk_(state_.checkpoint.entries, state_.checkpoint.watermark) {}

  Result<VerifyResult> Run() {
    while (!done_) {
      ARROW_RETURN_NOT_OK(progress_.CheckStop());
      const Status status = Step();
      if (!status.ok()) ARROW_RETURN_NOT_OK(Recover(status));
    }
    reader_.Drop();
    if (result_.first_difference) ARROW_RETURN_NOT_OK(LookAtTargetAgain());
    return std::move(result_);
  }

 private:
  Status Step() {
    if (!reader_.active()) {
      reader_.Connect(ledger_.resume_point());
      last_heard_ = Clock::now();
    }
    StreamReader::Item item;
    ARROW_ASSIGN_OR_RAISE(const auto outcome,
                          reader_.NextUntil(Clock::now() + kLongestWait, &item));
    if (outcome == StreamReader::Outcome::kTimeout) return CheckPatience();
    last_heard_ = Clock::now();
    if (outcome == StreamReader::Outcome::kEnd) return SourceEnded();
    if (item.schema == nullptr) return TakeMessage(item.message);
    return sums_ ? Status::OK() : SumTheTarget(*item.schema);
  }

  Status SumTheTarget(const arrow::Schema& schema) {
    auto reader = loader_->ReadTable(table_);
    ARROW_RETURN_NOT_OK(WithSide(reader.status(), ErrorSide::kTarget));
    ARROW_ASSIGN_OR_RAISE(RowForm form, MatchRows(schema, *(*reader)->schema()));
    if (!form.differences.empty()) {
      result_.columns = std::move(form.differences);
      done_ = true;
      return Status::OK();
    }
    has_block_numbers_ = HasBlockNumbers(schema);
    auto sums = SumTarget(reader->get(), state_, form, &progress_);
    ARROW_RETURN_NOT_OK(WithSide(sums.status(), ErrorSide::kTarget));
    sums_ = *std::move(sums);
    std::optional<RowForm> key;
    if (ByKey(state_)) {
      ARROW_ASSIGN_OR_RAISE(key, SelectColumns(form, state_.key));
    }
    fold_ = VerifyFold(std::move(form), std::move(key));
    last_heard_ = Clock::now();
    return Status::OK();
  }

  Status TakeMessage(const StreamMessage& message) {
    if (message.reorg) return TakeNotice(*message.reorg);
    if (!source_->endless() && !SameNetworks(message.ranges, walk_.watermark())) {
      return Status::OK();  // another stream's
    }
    const bool beyond = !message.ranges.empty() && walk_.GoesBeyond(message.ranges);
    if (beyond && !CanCut()) return GiveUpTheRest();
    if (!source_->endless()) ARROW_RETURN_NOT_OK(CompleteBefore(message.ranges));
    if (done_) return Status::OK();
    const int64_t rows = message.batch == nullptr ? 0 : message.batch->num_rows();
    ARROW_ASSIGN_OR_RAISE(const LedgerStep step,
                          ledger_.Accept(message.ranges, message.ranges_complete, rows));
    if (step.reorg && TakeReorg(step.reorg->orphaned)) return Status::OK();
    if (step.undo_after) fold_.DropOpen();
    if (step.reconnect) reader_.Drop();
    if (step.write && rows > 0) ARROW_RETURN_NOT_OK(AddRows(*message.batch, beyond));
    if (ledger_.open()) open_ranges_ = message.ranges;
    return step.completed ? Complete(message.ranges) : Status::OK();
  }

  // A program's batch may also end where the next one begins.
  Status CompleteBefore(const BlockRanges& ranges) {
    if (!ledger_.open() || SameRanges(ranges, open_ranges_)) return Status::OK();
    const BlockRange* next = FindRange(ranges, open_ranges_.front().network);
    if (next == nullptr || next->start <= open_ranges_.front().end) return Status::OK();
    return Complete(open_ranges_);
  }

  Status AddRows(const arrow::RecordBatch& batch, bool beyond) {
    ARROW_RETURN_NOT_OK(progress_.Count(batch));
    std::optional<uint64_t> last_block;
    if (beyond) last_block = walk_.watermark().front().end;
    return WithSide(fold_.Add(batch, last_block), ErrorSide::kSource);
  }

  Status Complete(const BlockRanges& ranges) {
    backoff_.Reset();
    fold_.Complete();
    const bool beyond = walk_.GoesBeyond(ranges);
    const Boundary boundary = beyond ? walk_.ComeToTheEnd() : walk_.ComeTo(ranges);
    if (!boundary.common) return Status::OK();
    done_ = boundary.at_checkpoint || boundary.reorg.has_value();
    if (boundary.reorg) {
      result_.reorg = AskForReorg().value_or(*boundary.reorg);
      return Status::OK();
    }
    Compare(boundary);
    return Status::OK();
  }

  void Compare(const Boundary& boundary) {
    for (size_t i = boundary.first; i < boundary.end; ++i) target_.Add((*sums_)[i]);
    // What lies under a key may have been written by any batch: only the whole can be compared.
    if (fold_.by_key() && !boundary.at_checkpoint) return;
    const RowSum source = fold_.Take();
    const RowSum target = std::exchange(target_, {});
    const size_t first = fold_.by_key() ? 0 : boundary.first;
    result_.compared = walk_.RangesOf(0, boundary.end);
    ++result_.ranges_compared;
    result_.rows_source += source.rows;
    result_.rows_target += target.rows;
    if (source == target) return;
    ++result_.ranges_different;
    if (result_.first_difference) return;
    if (boundary.at_checkpoint) result_.reorg = AskForReorg();
    if (result_.reorg) return;
    result_.first_difference = RangeDifference{.ranges = walk_.RangesOf(first, boundary.end),
                                               .source_rows = source.rows,
                                               .target_rows = target.rows};
  }

  // Asked to go on after the target's checkpoint, a source starts further back where that is
  // orphaned.
  std::optional<OrphanedBlocks> AskForReorg() {
    if (!source_->endless()) return std::nullopt;
    reader_.Connect(walk_.watermark());
    const auto deadline = Clock::now() + kProbe;
    while (Clock::now() < deadline && progress_.CheckStop().ok()) {
      StreamReader::Item item;
      const auto outcome =
          reader_.NextUntil(std::min(deadline, Clock::now() + kLongestWait), &item);
      if (!outcome.ok() || *outcome == StreamReader::Outcome::kEnd) return std::nullopt;
      if (*outcome != StreamReader::Outcome::kItem || item.message.ranges.empty()) continue;
      return FirstOrphaned(item.message.ranges);
    }
    return std::nullopt;
  }

  /// Of ranges that a reorg brings or orphans: the first that the target has too.
  std::optional<OrphanedBlocks> FirstOrphaned(const BlockRanges& ranges) const {
    for (const BlockRange& range : ranges) {
      const BlockRange* last = FindRange(walk_.watermark(), range.network);
      if (last == nullptr || range.start > last->end || range == *last) continue;
      return OrphanedBlocks{range.network, range.start};
    }
    return std::nullopt;
  }

  bool TakeReorg(const BlockRanges& orphaned) {
    result_.reorg = FirstOrphaned(orphaned);
    done_ = result_.reorg.has_value();
    return done_;
  }

  Status TakeNotice(const ReorgNotice& notice) {
    const BlockRanges orphaned{
        {.network = notice.network, .start = notice.first_block, .hash = {}, .prev_hash = {}}};
    if (TakeReorg(orphaned)) return Status::OK();
    return ledger_.Reorg(notice, /*limited=*/false).status();
  }

  // Rows can be told apart by their blocks where there is one network.
  bool CanCut() const { return has_block_numbers_ && walk_.watermark().size() == 1; }

  Status GiveUpTheRest() {
    done_ = true;
    const Boundary rest = walk_.ComeToTheEnd();
    result_.uncompared = walk_.RangesOf(fold_.by_key() ? 0 : rest.first, rest.end);
    return Status::OK();
  }

  Status SourceEnded() {
    if (source_->endless()) {
      return MakeError(
          {.kind = ErrorKind::kUnavailable, .side = ErrorSide::kSource, .retryable = true},
          "the source ended the stream");
    }
    done_ = true;
    Compare(walk_.ComeToTheEnd());
    return Status::OK();
  }

  Status CheckPatience() {
    if (Clock::now() - last_heard_ < options_.patience) return Status::OK();
    const BlockRanges have = ledger_.resume_point();
    return MakeError(
        {.kind = ErrorKind::kUnavailable, .side = ErrorSide::kSource},
        fmt::format("{} has said nothing for {} s and has come to {} only, the target to {}: it "
                    "may lag behind the source that the stream came from; verify later",
                    source_->Describe(),
                    std::chrono::duration_cast<std::chrono::seconds>(options_.patience).count(),
                    have.empty() ? "no block" : RangesText(have), RangesText(walk_.watermark())));
  }

  Status Recover(const Status& failure) {
    reader_.Drop();
    ledger_.Interrupted();
    fold_.DropOpen();
    if (!IsPassing(failure) || ErrorInfoOf(failure).side == ErrorSide::kTarget) return failure;
    const auto pause = backoff_.Next();
    if (!pause) return failure;
    Log().warn("{}; trying again in {:.1f} s (failure {} of at most {})", failure.message(),
               static_cast<double>(pause->count()) / 1000, backoff_.failures(),
               options_.pipeline.retry_tries);
    const auto end = Clock::now() + *pause;
    while (Clock::now() < end && progress_.CheckStop().ok()) {
      std::this_thread::sleep_for(std::min<Clock::duration>(kLongestWait, end - Clock::now()));
    }
    return Status::OK();
  }

  // The stream may have gone on while the table was read.
  Status LookAtTargetAgain() {
    ARROW_ASSIGN_OR_RAISE(const StreamState now, FindStream(loader_, table_, state_.name));
    const auto& entries = now.checkpoint.entries;
    const int64_t last = state_.checkpoint.last_batch_id;
    const bool undone = std::none_of(entries.begin(), entries.end(), [&](const auto& entry) {
      return entry.first_id <= last && last <= entry.last_id;
    });
    const bool went_on = now.checkpoint.sequence != state_.checkpoint.sequence;
    result_.target_changed = undone || (fold_.by_key() && went_on);
    return Status::OK();
  }

  Loader* loader_;
  StreamSource* source_;
  const TableName& table_;
  const VerifyOptions& options_;
  const StreamState state_;
  VerifyProgress progress_;
  StreamReader reader_;
  Backoff backoff_;
  Ledger ledger_;
  VerifyWalk walk_;
  VerifyFold fold_;
  std::optional<std::vector<RowSum>> sums_;  ///< a line of the batch map each
  RowSum target_;                            ///< since the last comparison
  BlockRanges open_ranges_;
  bool has_block_numbers_ = false;
  bool done_ = false;
  Clock::time_point last_heard_{};
  VerifyResult result_;
};

}  // namespace

Result<VerifyResult> VerifyStream(Loader* loader, StreamSource* source, const TableName& table,
                                  const VerifyOptions& options) {
  ARROW_ASSIGN_OR_RAISE(StreamState state, FindStream(loader, table, options.stream));
  ARROW_RETURN_NOT_OK(CheckMode(loader, table, state));
  if (!SameQuery(state.query, source->query())) {
    Log().warn("stream '{}' was made with another query: {}", state.name, state.query);
  }
  if (state.checkpoint.entries.empty()) return VerifyResult{};
  VerifyRun run(loader, source, table, options, std::move(state));
  return run.Run();
}

}  // namespace amp
