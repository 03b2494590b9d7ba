#include "ledger/ledger.h"

#include <fmt/format.h>

#include <algorithm>

namespace amp {

Ledger::Ledger(LedgerOptions options, const StreamState& state)
    : options_(options),
      base_(SlotBase(state.slot)),
      sequence_(state.checkpoint.sequence),
      next_number_(state.checkpoint.next_number),
      committed_number_(next_number_),
      final_id_(state.checkpoint.final_id),
      map_(state.checkpoint.entries),
      networks_(state.checkpoint.watermark) {
  if (map_.empty()) return;
  networks_ = map_.last().ranges;
  origin_ = map_.first().ranges;
}

Result<LedgerStep> Ledger::Accept(const BlockRanges& ranges, bool complete, int64_t rows) {
  if (ranges.empty()) {
    // A server without a synced table says so, and ends the stream.
    if (rows == 0) return LedgerStep{};
    return ProtocolError(fmt::format("{} rows came without block ranges", rows));
  }
  if (options_.strict) ARROW_RETURN_NOT_OK(CheckRanges(ranges));
  ARROW_RETURN_NOT_OK(CheckNetworks(ranges));
  heard_ = true;
  LedgerStep step;
  if (open_ && SameRanges(ranges, open_->ranges)) {
    WriteTo(ranges, complete, rows, &step);
    return step;
  }
  if (AlreadyThere(ranges)) return step;
  return AcceptNew(ranges, complete, rows);
}

Result<LedgerStep> Ledger::AcceptNew(const BlockRanges& ranges, bool complete, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<ReorgNotice> reorgs, FindReorgs(ranges));
  LedgerStep step;
  if (!reorgs.empty()) {
    for (const ReorgNotice& reorg : reorgs) ARROW_RETURN_NOT_OK(CheckDepth(reorg));
    step = Undo(reorgs);
    step.reconnect = options_.strict && !FollowsRemaining(ranges);
    if (step.reconnect || AlreadyThere(ranges)) return step;
  } else if (open_) {
    if (options_.strict) {
      return ProtocolError(fmt::format("{} comes while {} is not complete", RangesText(ranges),
                                       RangesText(open_->ranges)));
    }
    Complete();
  }
  WriteTo(ranges, complete, rows, &step);
  return step;
}

Result<LedgerStep> Ledger::Reorg(const ReorgNotice& notice, bool limited) {
  if (limited) ARROW_RETURN_NOT_OK(CheckDepth(notice));
  const BlockRanges* last = LastSeen();
  const BlockRange* range = last == nullptr ? nullptr : FindRange(*last, notice.network);
  if (range == nullptr || range->end < notice.first_block) return LedgerStep{};
  return Undo({notice});
}

std::optional<int64_t> Ledger::Interrupted() {
  if (!open_) return std::nullopt;
  open_.reset();
  return last_complete_id();
}

const BlockRanges* Ledger::LastSeen() const {
  if (open_) return &open_->ranges;
  return map_.empty() ? nullptr : &map_.last().ranges;
}

Status Ledger::CheckNetworks(const BlockRanges& ranges) const {
  if (networks_.empty() || SameNetworks(ranges, networks_)) return Status::OK();
  const std::string message = fmt::format("the stream has the networks of ({}), not those of ({})",
                                          RangesText(networks_), RangesText(ranges));
  if (heard_) return ProtocolError(message);
  return MakeError({.kind = ErrorKind::kConfigInvalid, .side = ErrorSide::kSource},
                   message + "; choose another stream with --stream NAME");
}

// A watermark may come twice; a program may also give an earlier batch again.
bool Ledger::AlreadyThere(const BlockRanges& ranges) const {
  if (open_ || map_.empty()) return false;
  if (options_.strict) return SameRanges(ranges, map_.last().ranges);
  return std::any_of(map_.entries().begin(), map_.entries().end(),
                     [&](const BatchEntry& entry) { return SameRanges(ranges, entry.ranges); });
}

Result<std::vector<ReorgNotice>> Ledger::FindReorgs(const BlockRanges& ranges) const {
  std::vector<ReorgNotice> reorgs;
  const BlockRanges* last = LastSeen();
  if (last == nullptr) return reorgs;
  for (const BlockRange& range : ranges) {
    const BlockRange& before = *FindRange(*last, range.network);
    if (!options_.strict) {
      if (range != before && range.start <= before.end) {
        reorgs.push_back({range.network, range.start});
      }
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(const Succession succession, Succeed(before, range));
    if (succession == Succession::kReorg) reorgs.push_back({range.network, range.start});
  }
  return reorgs;
}

Status Ledger::CheckDepth(const ReorgNotice& notice) {
  if (map_.empty()) return Status::OK();
  const BlockRange* last = FindRange(map_.last().ranges, notice.network);
  if (last == nullptr || last->end < notice.first_block) return Status::OK();
  const uint64_t depth = last->end - notice.first_block + 1;
  if (depth <= static_cast<uint64_t>(options_.max_undo)) return Status::OK();
  too_deep_ = notice;
  return MakeError({.kind = ErrorKind::kReorgTooDeep, .side = ErrorSide::kSource},
                   fmt::format("a reorganisation of network '{}' orphans {} blocks, from {} on; at "
                               "most {} may be undone (--max-undo)",
                               notice.network, depth, notice.first_block, options_.max_undo));
}

// What is undone is always the end of the stream: ids and block numbers grow together.
LedgerStep Ledger::Undo(const std::vector<ReorgNotice>& notices) {
  size_t first_hit = map_.entries().size();
  for (const ReorgNotice& notice : notices) {
    first_hit = std::min(first_hit, map_.FirstHit(notice.network, notice.first_block));
  }
  LedgerStep step;
  step.reorg = ReportOf(notices, first_hit);
  open_.reset();
  const bool completed_ones = first_hit < map_.entries().size();
  const int64_t keep = first_hit == 0 ? base_ : map_.entries()[first_hit - 1].last_id;
  step.undo_after = keep;
  map_.UndoAfter(keep);
  dirty_ = dirty_ || completed_ones;
  return step;
}

ReorgReport Ledger::ReportOf(const std::vector<ReorgNotice>& notices, size_t first_hit) const {
  ReorgReport report;
  report.batches = static_cast<int64_t>(map_.entries().size() - first_hit) + (open_ ? 1 : 0);
  for (const ReorgNotice& notice : notices) {
    const BlockRange* last = FindRange(*LastSeen(), notice.network);
    report.orphaned.push_back({.network = notice.network,
                               .start = notice.first_block,
                               .end = last == nullptr ? notice.first_block : last->end,
                               .hash = last == nullptr ? "" : last->hash,
                               .prev_hash = {}});
  }
  return report;
}

// After an undo every network must go on just where what remains of it ends, or repeat it.
bool Ledger::FollowsRemaining(const BlockRanges& ranges) const {
  return std::all_of(ranges.begin(), ranges.end(), [&](const BlockRange& range) {
    if (map_.empty()) {
      const BlockRange* origin = FindRange(origin_, range.network);
      return origin != nullptr && origin->start == range.start;
    }
    const BlockRange& last = *FindRange(map_.last().ranges, range.network);
    return range == last || Continues(last, range);
  });
}

void Ledger::WriteTo(const BlockRanges& ranges, bool complete, int64_t rows, LedgerStep* step) {
  if (!open_) {
    open_ = OpenBatch{.id = base_ + next_number_++, .ranges = ranges};
    if (networks_.empty()) networks_ = ranges;
    if (map_.empty()) origin_ = ranges;
  }
  for (BlockRange& range : open_->ranges) {
    if (const auto& time = FindRange(ranges, range.network)->timestamp) range.timestamp = time;
  }
  step->write = BatchRecord{.id = open_->id, .ranges = open_->ranges};
  open_->rows += rows;
  step->completed = complete;
  if (complete) Complete();
}

void Ledger::Complete() {
  map_.Add({.first_id = open_->id,
            .last_id = open_->id,
            .ranges = std::move(open_->ranges),
            .rows = open_->rows,
            .batches = 1,
            .completed_at = now_});
  open_.reset();
  dirty_ = true;
  Prune();
}

void Ledger::Prune() {
  const std::optional<int64_t> last_final = map_.LastFinal(options_.retention);
  if (!last_final) return;
  final_id_ = std::max(final_id_, *last_final);
  map_.MergeBelow(*last_final);
}

BlockRanges Ledger::resume_point() const {
  return map_.empty() ? BlockRanges{} : map_.last().ranges;
}

int64_t Ledger::last_complete_id() const { return map_.empty() ? base_ : map_.last().last_id; }

Checkpoint Ledger::NextCheckpoint() const {
  return {.sequence = sequence_ + 1,
          .last_batch_id = last_complete_id(),
          .watermark = resume_point(),
          .entries = map_.Unsaved(),
          .final_id = final_id_,
          .next_number = next_number_};
}

void Ledger::Committed() {
  ++sequence_;
  committed_number_ = next_number_;
  dirty_ = false;
  map_.MarkSaved();
}

}  // namespace amp
