#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ledger/block_ranges.h"

/// Chains that fork, for tests: every block that ever was is remembered, with its parent.
namespace amp::testing {

/// One block of one fork: network, number and fork in one number, which is also its hash.
using BlockKey = uint64_t;
/// One row of a block.
using RowKey = uint64_t;

constexpr int kForkBits = 16;
constexpr int kNumberBits = 32;

inline uint64_t NumberOf(BlockKey key) {
  return (key >> kForkBits) & ((uint64_t{1} << kNumberBits) - 1);
}
inline uint64_t ForkOf(BlockKey key) { return key & ((uint64_t{1} << kForkBits) - 1); }
std::string HashOf(BlockKey key);
BlockKey KeyOf(const std::string& hash);

/// The blocks of one network that are canonical now, from `origin` on.
struct ModelNetwork {
  std::string name;
  uint64_t origin = 0;
  uint64_t fork = 0;
  std::vector<BlockKey> blocks = {};

  uint64_t next() const { return origin + blocks.size(); }
};

class ModelChain {
 public:
  /// Each block has `most_rows` rows, or, where they vary, 0 to so many.
  explicit ModelChain(int most_rows = 1, bool rows_vary = false)
      : most_rows_(most_rows), rows_vary_(rows_vary) {}

  void AddNetwork(const std::string& name, uint64_t origin);
  void Grow(size_t network, uint64_t blocks);
  /// Blocks from `first` on are orphaned; what grows now is another fork.
  void Reorg(size_t network, uint64_t first);

  const std::vector<ModelNetwork>& networks() const { return networks_; }
  std::optional<size_t> Find(const std::string& name) const;
  BlockRange Range(size_t network, uint64_t start, uint64_t end) const;
  bool IsCanonical(size_t network, BlockKey key) const;
  /// The block after the last common ancestor of `key`'s fork and the canonical chain.
  uint64_t FirstAfterAncestor(size_t network, BlockKey key) const;
  /// Is `ancestor` the block itself, or one that it builds on?
  bool Descends(BlockKey key, BlockKey ancestor) const;
  std::vector<RowKey> RowsOf(BlockKey key) const;
  std::vector<RowKey> RowsOf(size_t network, uint64_t start, uint64_t end) const;
  /// All rows of all blocks up to the ranges' ends, each followed back by its parents; sorted.
  std::vector<RowKey> RowsUpTo(const BlockRanges& ends) const;

 private:
  int most_rows_;
  bool rows_vary_;
  std::vector<ModelNetwork> networks_;
  std::map<BlockKey, BlockKey> parents_;
};

}  // namespace amp::testing
