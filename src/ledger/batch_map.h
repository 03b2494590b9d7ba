#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "amp/stream.h"
#include "ledger/block_ranges.h"

namespace amp {

/// A run of completed blocks.
struct BlockInterval {
  uint64_t start = 0;
  uint64_t end = 0;
  friend bool operator==(const BlockInterval&, const BlockInterval&) = default;
};

/// The completed batches of a stream, in the order of their ids, and which of their lines the
/// target does not have yet. Batches that are final for good are merged, 64 into one, and these
/// again: so the map stays short however long the stream is, and still reaches back to its start.
/// Only batches that adjoin are merged, so every gap stays visible.
class AMP_EXPORT BatchMap {
 public:
  /// `merged` lines become one.
  explicit BatchMap(std::vector<BatchEntry> stored = {}, size_t merged = 64)
      : entries_(std::move(stored)), merged_(merged) {}

  bool empty() const { return entries_.empty(); }
  const BatchEntry& last() const { return entries_.back(); }
  const BatchEntry& first() const { return entries_.front(); }
  const std::vector<BatchEntry>& entries() const { return entries_; }

  void Add(BatchEntry entry);
  /// Removes all batches with ids above `id`.
  void UndoAfter(int64_t id);

  /// The first entry one of whose blocks of `network` is `block` or later; its place, or size().
  size_t FirstHit(const std::string& network, uint64_t block) const;

  /// The last batch whose end is more than `retention` blocks below the newest end on every
  /// network; none where no batch is.
  std::optional<int64_t> LastFinal(int64_t retention) const;
  /// Merges the next batches below `id` that are to be merged, if there are any; that one itself
  /// stays apart, as a place to resume from.
  void MergeBelow(int64_t id);

  /// Lines that the target lacks.
  std::vector<BatchEntry> Unsaved() const;
  void MarkSaved() { unsaved_.clear(); }

  /// What is completed of each network; where there are several intervals, gaps lie between.
  std::map<std::string, std::vector<BlockInterval>> Completed() const;

 private:
  int LevelOf(const BatchEntry& entry) const;
  void MergeRun(size_t begin);

  std::vector<BatchEntry> entries_;
  size_t merged_;
  std::set<int64_t> unsaved_;  ///< last ids
};

}  // namespace amp
