#include "ledger/batch_map.h"

#include <algorithm>

namespace amp {
namespace {

bool IsFinal(const BatchEntry& entry, const BlockRanges& newest, uint64_t retention) {
  return std::all_of(entry.ranges.begin(), entry.ranges.end(), [&](const BlockRange& range) {
    const BlockRange* head = FindRange(newest, range.network);
    return head != nullptr && head->end > range.end && head->end - range.end > retention;
  });
}

// Several streams of a program may leave gaps; those must stay visible.
bool Adjoin(const BatchEntry& a, const BatchEntry& b) {
  return SameNetworks(a.ranges, b.ranges) &&
         std::all_of(b.ranges.begin(), b.ranges.end(), [&](const BlockRange& next) {
           const BlockRange& last = *FindRange(a.ranges, next.network);
           // A network may stand still while others go on.
           return EndsAlike(last, next) || (next.start > last.end && next.start - last.end == 1);
         });
}

void Extend(BatchEntry* entry, const BatchEntry& next) {
  for (BlockRange& range : entry->ranges) {
    const BlockRange& last = *FindRange(next.ranges, range.network);
    range.end = last.end;
    range.hash = last.hash;
    range.timestamp = last.timestamp;
  }
  entry->last_id = next.last_id;
  entry->rows += next.rows;
  entry->batches += next.batches;
  entry->completed_at = next.completed_at;
}

}  // namespace

void BatchMap::Add(BatchEntry entry) {
  unsaved_.insert(entry.last_id);
  entries_.push_back(std::move(entry));
}

void BatchMap::UndoAfter(int64_t id) {
  while (!entries_.empty() && entries_.back().last_id > id) entries_.pop_back();
  unsaved_.erase(unsaved_.upper_bound(id), unsaved_.end());
}

size_t BatchMap::FirstHit(const std::string& network, uint64_t block) const {
  const auto hit = std::find_if(entries_.begin(), entries_.end(), [&](const BatchEntry& entry) {
    const BlockRange* range = FindRange(entry.ranges, network);
    return range != nullptr && range->end >= block;
  });
  return static_cast<size_t>(hit - entries_.begin());
}

std::optional<int64_t> BatchMap::LastFinal(int64_t retention) const {
  std::optional<int64_t> id;
  for (const BatchEntry& entry : entries_) {
    if (!IsFinal(entry, entries_.back().ranges, static_cast<uint64_t>(retention))) break;
    id = entry.last_id;
  }
  return id;
}

// At least as many lines stay apart as are merged: so recent history is fine. One merge a call is
// enough, as it takes away more lines than a batch adds.
void BatchMap::MergeBelow(int64_t id) {
  size_t run = 0;
  for (size_t i = 0; i < entries_.size() && entries_[i].last_id < id; ++i) {
    const bool goes_on = i > run && LevelOf(entries_[i - 1]) == LevelOf(entries_[i]) &&
                         Adjoin(entries_[i - 1], entries_[i]);
    if (!goes_on) run = i;
    if (i + 1 - run == 2 * merged_) return MergeRun(run);
  }
}

// How often its batches were merged: 0 for one batch, 1 for 64, 2 for 4096.
int BatchMap::LevelOf(const BatchEntry& entry) const {
  int level = 0;
  const auto merged = static_cast<int64_t>(merged_);
  for (int64_t batches = entry.batches; batches >= merged; batches /= merged) ++level;
  return level;
}

void BatchMap::MergeRun(size_t begin) {
  const auto first = entries_.begin() + static_cast<ptrdiff_t>(begin);
  const auto end = first + static_cast<ptrdiff_t>(merged_);
  unsaved_.erase(first->last_id);
  for (auto next = first + 1; next != end; ++next) {
    unsaved_.erase(next->last_id);
    Extend(&*first, *next);
  }
  unsaved_.insert(first->last_id);
  entries_.erase(first + 1, end);
}

std::vector<BatchEntry> BatchMap::Unsaved() const {
  std::vector<BatchEntry> lines;
  for (const BatchEntry& entry : entries_) {
    if (unsaved_.contains(entry.last_id)) lines.push_back(entry);
  }
  return lines;
}

std::map<std::string, std::vector<BlockInterval>> BatchMap::Completed() const {
  std::map<std::string, std::vector<BlockInterval>> completed;
  for (const BatchEntry& entry : entries_) {
    for (const BlockRange& range : entry.ranges) {
      auto& intervals = completed[range.network];
      const bool adjoins =
          !intervals.empty() && intervals.back().start <= range.start &&
          (range.start <= intervals.back().end || range.start - intervals.back().end == 1);
      if (adjoins) {
        intervals.back().end = std::max(intervals.back().end, range.end);
      } else {
        intervals.push_back({range.start, range.end});
      }
    }
  }
  for (auto& [network, intervals] : completed) {
    std::sort(intervals.begin(), intervals.end(),
              [](const auto& a, const auto& b) { return a.start < b.start; });
  }
  return completed;
}

}  // namespace amp
