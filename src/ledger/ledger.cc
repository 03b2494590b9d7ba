#include "ledger/ledger.h"

#include <fmt/format.h>

#include <algorithm>

namespace amp {
namespace {

// The batches that were merged are final: what lies among them is one of them.
bool Holds(const BatchEntry& merged, const BlockRanges& ranges) {
  return std::all_of(ranges.begin(), ranges.end(), [&](const BlockRange& range) {
    const BlockRange* all = FindRange(merged.ranges, range.network);
    return all != nullptr && all->start <= range.start && range.end <= all->end;
  });
}

}  // namespace

Ledger::Ledger(LedgerOptions options, const StreamState& state)
    : options_(options),
      replaces_(state.mode == LoadMode::kUpsert || state.mode == LoadMode::kMerge),
      base_(SlotBase(state.slot)),
      sequence_(state.checkpoint.sequence),
      next_number_(state.checkpoint.next_number),
      committed_number_(next_number_),
      final_id_(state.checkpoint.final_id),
      pruned_id_(final_id_),
      map_(state.checkpoint.entries, options.merge),
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
  ARROW_RETURN_NOT_OK(CheckRanges(ranges));
  if (options_.strict) ARROW_RETURN_NOT_OK(CheckHashes(ranges));
  ARROW_RETURN_NOT_OK(CheckNetworks(ranges));
  heard_ = true;
  LedgerStep step;
  if (open_ && SameRanges(ranges, open_->ranges)) {
    WriteTo(ranges, complete, rows, &step);
    return step;
  }
  if (AlreadyThere(ranges)) {
    if (open_ && !options_.strict) Complete();
    return step;
  }
  return AcceptNew(ranges, complete, rows);
}

Result<LedgerStep> Ledger::AcceptNew(const BlockRanges& ranges, bool complete, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<ReorgNotice> reorgs, FindReorgs(ranges));
  LedgerStep step;
  if (!reorgs.empty()) {
    for (const ReorgNotice& reorg : reorgs) ARROW_RETURN_NOT_OK(CheckDepth(reorg));
    ARROW_RETURN_NOT_OK(CheckUndoable(reorgs));
    const BlockRanges seen = *LastSeen();
    const BlockRanges head = resume_point();
    step = Undo(reorgs);
    step.reconnect = options_.strict && !FollowsRemaining(ranges, seen);
    if (step.reconnect) {
      NoteHead(head);
      return step;
    }
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
  ARROW_RETURN_NOT_OK(CheckUndoable({notice}));
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
  if (map_.empty()) return false;
  if (options_.strict) {
    return !open_ && std::all_of(ranges.begin(), ranges.end(), [&](const BlockRange& range) {
      return IsRepeat(*FindRange(map_.last().ranges, range.network), range);
    });
  }
  const auto& entries = map_.entries();
  return std::any_of(entries.begin(), entries.end(), [&](const BatchEntry& entry) {
    return entry.batches == 1 ? SameRanges(ranges, entry.ranges) : Holds(entry, ranges);
  });
}

// Of the last of several batches that were merged only the end is still known.
bool Ledger::IsRepeat(const BlockRange& last, const BlockRange& next) const {
  if (next == last) return true;
  return !open_ && !map_.empty() && map_.last().batches > 1 && EndsAlike(last, next);
}

Result<std::vector<ReorgNotice>> Ledger::FindReorgs(const BlockRanges& ranges) const {
  std::vector<ReorgNotice> reorgs;
  const BlockRanges* last = LastSeen();
  if (last == nullptr) return reorgs;
  for (const BlockRange& range : ranges) {
    const BlockRange& before = *FindRange(*last, range.network);
    if (!options_.strict) {
      if (!IsRepeat(before, range) && range.start <= before.end) {
        reorgs.push_back({range.network, range.start});
      }
      continue;
    }
    if (IsRepeat(before, range)) continue;
    ARROW_ASSIGN_OR_RAISE(const Succession succession, Succeed(before, range));
    if (succession == Succession::kReorg) reorgs.push_back({range.network, range.start});
  }
  return reorgs;
}

// A reorg that takes several connections to undo counts as one.
Status Ledger::CheckDepth(const ReorgNotice& notice) {
  const BlockRanges head = head_.empty() ? resume_point() : head_;
  const BlockRange* last = FindRange(head, notice.network);
  if (last == nullptr || last->end < notice.first_block) return Status::OK();
  const uint64_t depth = last->end - notice.first_block;
  if (depth < static_cast<uint64_t>(options_.max_undo)) return Status::OK();
  too_deep_ = notice;
  return MakeError(
      {.kind = ErrorKind::kReorgTooDeep, .side = ErrorSide::kSource},
      fmt::format("a reorganisation of network '{}' orphans its blocks from {} to {}; at most {} "
                  "blocks may be undone (--max-undo)",
                  notice.network, notice.first_block, last->end, options_.max_undo));
}

// Where reorgs follow one another closely, they may reach behind what was final at the newest end.
Status Ledger::CheckUndoable(const std::vector<ReorgNotice>& notices) const {
  const int64_t keep = IdBefore(FirstHit(notices));
  if (!replaces_ || keep >= pruned_id_) return Status::OK();
  return MakeError(
      {.kind = ErrorKind::kReorgTooDeep, .side = ErrorSide::kTarget},
      fmt::format("blocks of network '{}' from {} on cannot be undone: they are final, and the "
                  "table no longer has the rows that theirs replaced. Begin anew: ampload reset",
                  notices.front().network, notices.front().first_block));
}

size_t Ledger::FirstHit(const std::vector<ReorgNotice>& notices) const {
  size_t first_hit = map_.entries().size();
  for (const ReorgNotice& notice : notices) {
    first_hit = std::min(first_hit, map_.FirstHit(notice.network, notice.first_block));
  }
  return first_hit;
}

int64_t Ledger::IdBefore(size_t entry) const {
  return entry == 0 ? base_ : map_.entries()[entry - 1].last_id;
}

// What is undone is always the end of the stream: ids and block numbers grow together.
LedgerStep Ledger::Undo(const std::vector<ReorgNotice>& notices) {
  const size_t first_hit = FirstHit(notices);
  const int64_t keep = IdBefore(first_hit);
  LedgerStep step;
  step.reorg = ReportOf(notices, first_hit);
  step.undo_after = keep;
  dirty_ = dirty_ || first_hit < map_.entries().size();
  open_.reset();
  map_.UndoAfter(keep);
  final_id_ = std::max(pruned_id_, std::min(final_id_, keep));
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

// After an undo every network must go on just where what remains of it ends, or repeat it. One
// whose range was seen before and is undone now may go on there by its numbers, but its rows need
// not come again: the server has only gone back on the other network.
bool Ledger::FollowsRemaining(const BlockRanges& ranges, const BlockRanges& seen) const {
  return std::all_of(ranges.begin(), ranges.end(), [&](const BlockRange& range) {
    const bool undone = range == *FindRange(seen, range.network);
    if (map_.empty()) {
      const BlockRange* origin = FindRange(origin_, range.network);
      return !undone && origin != nullptr && origin->start == range.start;
    }
    const BlockRange& last = *FindRange(map_.last().ranges, range.network);
    return IsRepeat(last, range) || (!undone && Continues(last, range));
  });
}

void Ledger::NoteHead(const BlockRanges& head) {
  if (head_.empty()) head_ = head;
}

void Ledger::WriteTo(const BlockRanges& ranges, bool complete, int64_t rows, LedgerStep* step) {
  if (!open_) {
    open_ = OpenBatch{.id = base_ + next_number_++, .ranges = ranges};
    if (networks_.empty()) networks_ = ranges;
    if (map_.empty()) origin_ = ranges;
    head_.clear();
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
  pruned_id_ = final_id_;
  dirty_ = false;
  map_.MarkSaved();
}

}  // namespace amp
