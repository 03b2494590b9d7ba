#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/block_range.h"
#include "amp/load_result.h"

/// The words in which the pipeline tells a loader about streams. A loader stores them; only the
/// ledger interprets them.
namespace amp {

/// The columns that a stream adds to its rows: the id of their batch, and its block ranges as JSON
/// where that is asked for. Names that start with `_amp_` are Ampload's own.
inline constexpr std::string_view kBatchIdColumn = "_amp_batch_id";
inline constexpr std::string_view kBlockRangesColumn = "_amp_block_ranges";

/// A batch id is slot × 2^48 + number. The slot is the stream's within its table; numbers only
/// grow, and none is used twice.
inline constexpr int kSlotShift = 48;
inline constexpr int32_t kMostSlots = 1 << 15;
constexpr int64_t SlotBase(int32_t slot) { return int64_t{slot} << kSlotShift; }
/// The largest id of a slot.
constexpr int64_t SlotEnd(int32_t slot) {
  return SlotBase(slot) + ((int64_t{1} << kSlotShift) - 1);
}

/// What is written down about the rows of one `Transaction::Write`.
struct BatchRecord {
  /// Goes into the rows' `_amp_batch_id`; none for rows that belong to no stream.
  std::optional<int64_t> id;
  std::vector<BlockRange> ranges;
};

/// A line of a stream's batch map: one batch, or a run of final ones.
struct BatchEntry {
  int64_t first_id = 0;
  int64_t last_id = 0;
  std::vector<BlockRange> ranges;  ///< from the first batch's start to the last one's end
  int64_t rows = 0;
  int64_t batches = 1;
  int64_t completed_at = 0;  ///< in Unix milliseconds

  friend bool operator==(const BatchEntry&, const BatchEntry&) = default;
};

/// How far a stream has come; committed with its rows. Empty for a load without a stream.
struct Checkpoint {
  int64_t sequence = 0;  ///< counts the stream's commits
  int64_t last_batch_id = 0;
  std::vector<BlockRange> watermark;  ///< the last completed range of each network
  /// To be put into the batch map, each in place of those whose ids lie within its own.
  std::vector<BatchEntry> entries = {};
  /// Batches up to this id are final: what would be needed to undo upserts may be dropped.
  int64_t final_id = 0;
  /// Batch numbers from this one on are unused.
  int64_t next_number = 1;
};

/// What a stream shall be: asked for with `Loader::OpenStream`.
struct StreamSpec {
  std::string name = "main";
  std::string table;
  std::shared_ptr<arrow::Schema> schema;  ///< with the `_amp_` columns
  LoadMode mode = LoadMode::kAppend;
  std::vector<std::string> key = {};
  std::string query = {};
  bool adopt = false;         ///< take a table that was not made for streams
  bool accept_query = false;  ///< go on although the query's text is another one
  /// The epoch that this writer had before it lost the target; a higher one is a Conflict.
  std::optional<int64_t> held_epoch = {};
};

/// A stream as the target has it.
struct StreamState {
  std::string name;
  int32_t slot = 0;
  std::string query;
  LoadMode mode = LoadMode::kAppend;
  std::vector<std::string> key;
  std::shared_ptr<arrow::Schema> schema;
  int64_t epoch = 0;
  std::string owner;         ///< who raised the epoch: "host:process"
  int64_t owner_since = 0;   ///< in Unix milliseconds
  int64_t committed_at = 0;  ///< of the last commit; 0 before the first
  Checkpoint checkpoint;     ///< `entries` is the whole batch map, in the order of ids
};

/// The stream that a transaction writes for. Its commit is a Conflict unless the target still has
/// this epoch and sequence.
struct StreamRef {
  std::string name;
  int32_t slot = 0;
  int64_t epoch = 0;
  int64_t sequence = 0;  ///< of the last commit
};

/// What an undo did.
struct UndoReport {
  int64_t removed = 0;   ///< rows that the undone batches had inserted
  int64_t restored = 0;  ///< rows that got back what they were before (upserts)
  int64_t left = 0;      ///< rows that someone else has changed since, left as they are
};

}  // namespace amp
