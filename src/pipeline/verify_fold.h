#pragma once

#include <optional>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "core/row_hash.h"
#include "ledger/block_ranges.h"
#include "pipeline/verify.h"

namespace amp {

/// The rows of a source, batch after batch, as sums. By key, only the newest row of each counts.
class VerifyFold {
 public:
  VerifyFold() = default;
  VerifyFold(RowForm form, std::optional<RowForm> key)
      : form_(std::move(form)), key_(std::move(key)) {}

  bool by_key() const { return key_.has_value(); }
  /// Rows of the open batch; of blocks after `last_block`, none.
  Status Add(const arrow::RecordBatch& batch, std::optional<uint64_t> last_block);
  /// The open batch is complete.
  void Complete();
  /// It is not, and will not be.
  void DropOpen();
  /// What was completed since the last call; by key, since the beginning.
  RowSum Take();

 private:
  struct HashOfHash {
    size_t operator()(const Hash128& hash) const { return hash.low; }
  };

  void AddKeyed(const std::vector<Hash128>& rows, const std::vector<Hash128>& keys,
                const std::vector<bool>& wanted);

  RowForm form_;
  std::optional<RowForm> key_;
  RowSum open_, complete_;
  std::vector<std::pair<Hash128, Hash128>> open_rows_;
  std::unordered_map<Hash128, Hash128, HashOfHash> newest_;
};

/// What became of comparing up to the end of a source's batch.
struct Boundary {
  bool common = false;                       ///< batches of both sides end here
  bool at_checkpoint = false;                ///< there is no more to compare
  size_t first = 0, end = 0;                 ///< the target's lines since the last common boundary
  std::optional<OrphanedBlocks> reorg = {};  ///< the hashes differ
};

/// Walks along a stream's batch map as the source's batches come.
class VerifyWalk {
 public:
  VerifyWalk() = default;
  VerifyWalk(std::vector<BatchEntry> entries, BlockRanges watermark)
      : entries_(std::move(entries)), watermark_(std::move(watermark)) {}

  const BlockRanges& watermark() const { return watermark_; }
  /// Does the range of one network go beyond the checkpoint?
  bool GoesBeyond(const BlockRanges& ranges) const;
  /// A batch of the source ends with these ranges.
  Boundary ComeTo(const BlockRanges& ranges);
  /// All the lines that are left; the source has come to the checkpoint or will come no further.
  Boundary ComeToTheEnd();
  /// From the start of line `first` to the end of the line before `end`.
  BlockRanges RangesOf(size_t first, size_t end) const;

 private:
  Boundary Close(bool at_checkpoint);

  std::vector<BatchEntry> entries_;
  BlockRanges watermark_;
  size_t first_ = 0;  ///< of the segment
  size_t next_ = 0;
};

}  // namespace amp
