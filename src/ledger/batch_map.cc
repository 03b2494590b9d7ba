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
           return next == last || next.start == last.end + 1;
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

void BatchMap::MergeBelow(int64_t id) {
  const auto end = static_cast<size_t>(std::lower_bound(entries_.begin(), entries_.end(), id,
                                                        [](const BatchEntry& entry, int64_t value) {
                                                          return entry.last_id < value;
                                                        }) -
                                       entries_.begin());
  size_t limit = end;
  for (int64_t batches = 1; limit >= kMerged; batches *= static_cast<int64_t>(kMerged)) {
    const size_t before = entries_.size();
    if (!MergeLevel(limit, batches)) break;
    limit -= before - entries_.size();
  }
}

// Of the entries of one size, at least as many stay apart as are merged: so recent history is fine.
bool BatchMap::MergeLevel(size_t end, int64_t batches) {
  size_t begin = end;
  while (begin > 0 && entries_[begin - 1].batches < batches * static_cast<int64_t>(kMerged)) {
    --begin;
  }
  size_t level_end = begin;
  while (level_end < end && entries_[level_end].batches >= batches) ++level_end;
  if (level_end - begin < 2 * kMerged) return false;
  MergeRun(begin, begin + kMerged);
  return true;
}

void BatchMap::MergeRun(size_t begin, size_t end) {
  std::vector<BatchEntry> merged{entries_[begin]};
  for (size_t i = begin + 1; i < end; ++i) {
    if (!Adjoin(merged.back(), entries_[i])) {
      merged.push_back(entries_[i]);
      continue;
    }
    unsaved_.erase(merged.back().last_id);
    Extend(&merged.back(), entries_[i]);
    unsaved_.insert(merged.back().last_id);
  }
  const auto at = entries_.begin() + static_cast<ptrdiff_t>(begin);
  entries_.erase(at + static_cast<ptrdiff_t>(merged.size()),
                 entries_.begin() + static_cast<ptrdiff_t>(end));
  std::move(merged.begin(), merged.end(), entries_.begin() + static_cast<ptrdiff_t>(begin));
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
      if (!intervals.empty() && intervals.back().end + 1 >= range.start &&
          intervals.back().start <= range.start) {
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
