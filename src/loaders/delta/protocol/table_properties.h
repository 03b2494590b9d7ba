#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

namespace amp::delta {

/// The table properties (`delta.…`) that a writer heeds. What is absent or unreadable has Delta's
/// default: a typing error of another writer must not stop this one.
struct TableProperties {
  bool append_only = false;
  int64_t checkpoint_interval = 10;
  /// -1: all columns.
  int64_t data_skipping_num_indexed_cols = 32;
  /// Names of columns, "a.b" inside others; empty where the number above counts.
  Strings data_skipping_stats_columns = {};
  int64_t deleted_file_retention_ms = int64_t{7} * 86'400'000;
  int64_t log_retention_ms = int64_t{30} * 86'400'000;
  bool enable_expired_log_cleanup = true;
  bool checkpoint_stats_as_json = true;
  bool checkpoint_v2 = false;  ///< `delta.checkpointPolicy` is "v2"
  bool enable_change_data_feed = false;
  bool enable_in_commit_timestamps = false;
  /// Since when, where that was not at the beginning.
  std::optional<int64_t> in_commit_timestamp_version = {};
  std::optional<int64_t> in_commit_timestamp_at = {};
  bool serializable = true;  ///< `delta.isolationLevel` is not "WriteSerializable"
  std::string column_mapping_mode = "none";
  std::string compression = {};  ///< `delta.parquet.compression.codec`, lower case
};

AMP_EXPORT TableProperties PropertiesOf(const Metadata& metadata);

/// "interval 30 days", "interval 1 week 2 hours" → milliseconds; none for other text, and for
/// months and years, whose length nobody knows.
AMP_EXPORT std::optional<int64_t> ParseInterval(std::string_view text);

}  // namespace amp::delta
