#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace amp {

/// Blocks `start` to `end` (inclusive) of one network. Hashes are those of the end block and of the
/// start block's parent, as 0x hex.
struct BlockRange {
  std::string network;
  uint64_t start = 0;
  uint64_t end = 0;
  std::string hash;
  std::string prev_hash;
  std::optional<int64_t> timestamp = {};  ///< of the end block, in Unix seconds; not compared

  friend bool operator==(const BlockRange& a, const BlockRange& b) {
    return a.network == b.network && a.start == b.start && a.end == b.end && a.hash == b.hash &&
           a.prev_hash == b.prev_hash;
  }
};

}  // namespace amp
