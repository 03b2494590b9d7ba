#include "scenario/model_target.h"

#include <fmt/format.h>

#include <algorithm>

namespace amp::testing {

std::vector<RowKey> ModelTarget::Sorted(const Batches& batches) {
  std::vector<RowKey> all;
  for (const auto& [id, rows] : batches) all.insert(all.end(), rows.begin(), rows.end());
  std::sort(all.begin(), all.end());
  return all;
}

void ModelTarget::Fault(std::string what) {
  if (!fault_) fault_ = std::move(what);
}

const StreamState& ModelTarget::Open(int64_t skipped) {
  state_.checkpoint.next_number += skipped;
  UndoAfter(state_.checkpoint.last_batch_id);
  undone_to_.reset();
  committed_rows_ = rows_;
  return state_;
}

void ModelTarget::Write(const BatchRecord& record, const std::vector<RowKey>& rows) {
  const int64_t id = *record.id;
  if (id <= SlotBase(state_.slot) || id > SlotEnd(state_.slot)) {
    Fault(fmt::format("id {} is not of slot {}", id, state_.slot));
  }
  if (closed_.contains(id)) Fault(fmt::format("id {} comes again", id));
  const auto [used, fresh] = used_.try_emplace(id, record.ranges);
  if (fresh && std::prev(used_.end())->first != id) Fault(fmt::format("id {} is too small", id));
  if (!SameRanges(used->second, record.ranges)) Fault(fmt::format("id {} has two ranges", id));
  auto& batch = rows_[id];
  batch.insert(batch.end(), rows.begin(), rows.end());
}

void ModelTarget::UndoAfter(int64_t id) {
  const bool replaces = state_.mode == LoadMode::kUpsert || state_.mode == LoadMode::kMerge;
  if (replaces && id < state_.checkpoint.final_id) {
    Fault(fmt::format("undo after {}, but {} is final", id, state_.checkpoint.final_id));
  }
  rows_.erase(rows_.upper_bound(id), rows_.end());
  for (auto used = used_.upper_bound(id); used != used_.end(); ++used) closed_.insert(used->first);
  undone_to_ = std::min(id, undone_to_.value_or(id));
}

void ModelTarget::Commit(const Checkpoint& checkpoint) {
  if (checkpoint.sequence != state_.checkpoint.sequence + 1) Fault("a sequence is left out");
  if (checkpoint.next_number < state_.checkpoint.next_number) Fault("numbers go back");
  if (checkpoint.final_id < state_.checkpoint.final_id) Fault("the final id goes back");
  if (!rows_.empty() && rows_.rbegin()->first > checkpoint.last_batch_id) {
    Fault("a commit while a batch is open");
  }
  std::vector<BatchEntry> map = std::move(state_.checkpoint.entries);
  if (undone_to_) {
    std::erase_if(map, [&](const BatchEntry& line) { return line.last_id > *undone_to_; });
  }
  state_.checkpoint = checkpoint;
  state_.checkpoint.entries = std::move(map);
  for (const BatchEntry& line : checkpoint.entries) PutLine(line);
  for (const auto& [id, ranges] : used_) closed_.insert(id);
  undone_to_.reset();
  committed_rows_ = rows_;
}

void ModelTarget::PutLine(const BatchEntry& line) {
  auto& map = state_.checkpoint.entries;
  std::erase_if(map, [&](const BatchEntry& other) {
    return line.first_id <= other.first_id && other.last_id <= line.last_id;
  });
  const auto after = std::find_if(map.begin(), map.end(), [&](const BatchEntry& other) {
    return other.first_id > line.first_id;
  });
  map.insert(after, line);
}

void ModelTarget::Crash() {
  // A target must not take back what its checkpoint counts on before it has another checkpoint.
  Batches kept = committed_rows_;
  if (!atomic_) kept.insert(rows_.upper_bound(state_.checkpoint.last_batch_id), rows_.end());
  rows_ = std::move(kept);
  for (const auto& [id, ranges] : used_) closed_.insert(id);
  undone_to_.reset();
}

namespace {

std::optional<std::string> FaultBetween(const BatchEntry& a, const BatchEntry& b,
                                        const ModelChain& chain) {
  if (a.last_id >= b.first_id) return fmt::format("ids {} and {} overlap", a.last_id, b.first_id);
  for (const BlockRange& next : b.ranges) {
    const BlockRange* last = FindRange(a.ranges, next.network);
    if (last == nullptr) return "a network is missing";
    // A line may begin with a range that stood still, where there are several networks.
    const bool overlaps = a.ranges.size() > 1 && last->start <= next.start &&
                          next.start <= last->end &&
                          chain.Descends(KeyOf(next.hash), KeyOf(last->hash));
    if (!overlaps && !Continues(*last, next)) {
      return fmt::format("{} does not go on after {}", RangesText(b.ranges), RangesText(a.ranges));
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> FaultOfMap(const StreamState& state, const ModelChain& chain) {
  const auto& map = state.checkpoint.entries;
  if (map.empty() != state.checkpoint.watermark.empty()) return "map and watermark disagree";
  if (map.empty()) return std::nullopt;
  for (const BlockRange& range : map.front().ranges) {
    if (range.start != chain.networks()[*chain.Find(range.network)].origin) {
      return "the map does not reach back to the origin";
    }
  }
  for (size_t i = 1; i < map.size(); ++i) {
    if (auto fault = FaultBetween(map[i - 1], map[i], chain)) return fault;
  }
  if (map.back().last_id != state.checkpoint.last_batch_id) return "the map ends at another id";
  if (!SameRanges(map.back().ranges, state.checkpoint.watermark)) return "no line at the watermark";
  return std::nullopt;
}

}  // namespace amp::testing
