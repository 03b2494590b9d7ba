#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

/// The words in which the pipeline tells a loader about streams. A loader stores them; only the
/// ledger interprets them.
namespace amp {

/// Blocks `start` to `end` (inclusive) of one network. Hashes are those of the end block and of the
/// start block's parent, as 0x hex.
struct BlockRange {
  std::string network;
  uint64_t start = 0;
  uint64_t end = 0;
  std::string hash;
  std::string prev_hash;
};

/// What is written down about the rows of one `Transaction::Write`.
struct BatchRecord {
  /// Goes into the rows' `_amp_batch_id`; none for rows that belong to no stream.
  std::optional<int64_t> id;
  std::vector<BlockRange> ranges;
};

/// How far a stream has come; committed with its rows. Empty for a load without a stream.
struct Checkpoint {
  int64_t sequence = 0;
  int64_t last_batch_id = 0;
  std::vector<BlockRange> watermark;
};

/// The stream that a transaction writes for.
struct StreamRef {
  std::string name;
  int64_t epoch = 0;
};

}  // namespace amp
