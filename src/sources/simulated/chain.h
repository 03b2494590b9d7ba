#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/export.h"

namespace amp {

/// splitmix64: a small, well mixed function from numbers to numbers.
constexpr uint64_t Mix(uint64_t x) {
  x += 0x9E3779B97F4A7C15ULL;
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// Does it happen, where `key` is well mixed?
bool Happens(uint64_t key, double rate);

using BlockHash = std::array<uint8_t, 32>;

/// 0x hex.
AMP_EXPORT std::string ToText(const BlockHash& hash);

/// A block of a chain: where it stands, and the number of the event that made it.
struct SimulatedBlock {
  uint64_t height = 0;
  uint64_t event = 0;
  friend bool operator==(const SimulatedBlock&, const SimulatedBlock&) = default;
};

/// One network's chain, with its forks, as a pure function of numbers; it stores nothing.
///
/// Event e makes block e. Where it is a reorg of depth d it also makes blocks e-d to e-1 anew, so
/// the new chain is longer than the one it replaces. After n events the head is block n-1, and the
/// canonical block of a height is that of the last event which made one there. Block 0 is never
/// replaced.
///
///     event 3, depth 2:   0 ─ 1 ─ 2           after 3 events
///                         └── 1' ─ 2' ─ 3     after 4
class AMP_EXPORT SimulatedChain {
 public:
  SimulatedChain(uint64_t seed, std::string network, double reorg_rate, uint64_t reorg_depth);

  const std::string& network() const { return network_; }
  uint64_t reorg_depth() const { return reorg_depth_; }

  /// How many blocks the event replaces.
  uint64_t Depth(uint64_t event) const;
  /// The canonical blocks `first` to `last` (inclusive, below `events`) after that many events.
  std::vector<SimulatedBlock> Blocks(uint64_t first, uint64_t last, uint64_t events) const;
  SimulatedBlock At(uint64_t height, uint64_t events) const;
  /// The lowest block that the events from `from` up to `to` (exclusive) make; none without events.
  std::optional<uint64_t> LowestMade(uint64_t from, uint64_t to) const;

  /// Numbers of which everything about a block is made.
  uint64_t Key(const SimulatedBlock& block) const;
  BlockHash Hash(const SimulatedBlock& block) const;
  /// All zero for block 0.
  BlockHash ParentHash(const SimulatedBlock& block) const;
  /// The block of that height and hash (0x hex, any case), if the chain ever has one.
  std::optional<SimulatedBlock> Find(uint64_t height, std::string_view hash) const;

 private:
  std::string network_;
  uint64_t seed_ = 0;
  double reorg_rate_ = 0;
  uint64_t reorg_depth_ = 0;
};

}  // namespace amp
