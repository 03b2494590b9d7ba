#pragma once

#include <arrow/type_fwd.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/loader.h"
#include "amp/stream_source.h"

/// Is in the target what the source has? By counts and order-free hashes; nothing is changed.
namespace amp {

struct VerifyOptions {
  std::string stream = "main";
  PipelineOptions pipeline = {};
  /// How long a source may say nothing before it has come to the target's checkpoint.
  std::chrono::milliseconds patience{90'000};
  /// Counts the rows of both sides.
  std::function<void(const LoadProgress&)> on_progress = {};
  /// Once true, it ends with Cancelled.
  const std::atomic<bool>* stop = nullptr;
};

/// Rows that are not the same on both sides.
struct RangeDifference {
  std::vector<BlockRange> ranges = {};  ///< empty for files
  int64_t source_rows = 0;
  int64_t target_rows = 0;
};

/// Blocks that the target has and that are no longer the source's.
struct OrphanedBlocks {
  std::string network;
  uint64_t first_block = 0;  ///< this one or a later one
};

struct VerifyResult {
  int64_t rows_source = 0;
  int64_t rows_target = 0;
  int64_t ranges_compared = 0;
  int64_t ranges_different = 0;
  std::vector<BlockRange> compared = {};  ///< from the first block to the last, a range a network
  /// Columns that the target lacks, or that cannot be compared; then no rows are.
  std::vector<std::string> columns = {};
  std::optional<RangeDifference> first_difference = {};
  std::optional<OrphanedBlocks> reorg = {};
  /// What the source gives only together with later blocks, and so was not compared.
  std::vector<BlockRange> uncompared = {};
  /// The stream undid or replaced rows while they were read: a difference may come from that.
  bool target_changed = false;

  bool equal() const {
    return columns.empty() && !first_difference && !reorg && uncompared.empty();
  }
  /// {"equal","rows_source","rows_target","ranges_compared","ranges_different","columns",
  /// "first_difference":{"ranges","source_rows","target_rows"},"reorg":{"network","first_block"},
  /// "uncompared","target_changed"} on one line; null for what is not there.
  AMP_EXPORT std::string ToJson() const;
  /// OK where both are equal; else Different, or Unsupported where rows could not be compared,
  /// saying what comes first and what to do.
  AMP_EXPORT Status ToStatus(const TableName& table) const;
};

/// All rows of `source` against all rows of the table.
AMP_EXPORT Result<VerifyResult> VerifyFiles(Loader* loader,
                                            std::shared_ptr<arrow::RecordBatchReader> source,
                                            const TableName& table,
                                            const VerifyOptions& options = {});

/// What the source gives up to the stream's checkpoint, against the rows of the stream's batches,
/// range by range wherever batches of both sides end at the same blocks; in a table that is written
/// by key as a whole. Keeps a record of some bytes for each line of the batch map; by key also one
/// for each key.
AMP_EXPORT Result<VerifyResult> VerifyStream(Loader* loader, StreamSource* source,
                                             const TableName& table,
                                             const VerifyOptions& options = {});

}  // namespace amp
