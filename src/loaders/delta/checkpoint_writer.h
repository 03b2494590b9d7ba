#pragma once

#include <cstdint>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/log_reader.h"

namespace amp::delta {

struct CheckpointOptions {
  int64_t now_ms = 0;
  /// Tombstones that are older leave the log: `TableProperties::deleted_file_retention_ms`.
  int64_t deleted_file_retention_ms = 0;
  bool with_stats = true;  ///< `TableProperties::checkpoint_stats_as_json`
};

/// Writes the classic checkpoint of a version from the one before and the commits since, then
/// `_last_checkpoint`. Memory holds what the commits name and one row group, however large the
/// table is. AlreadyExists where the version has one: nothing to do.
AMP_EXPORT Result<LastCheckpoint> WriteCheckpoint(LogReader* reader, int64_t version,
                                                  const CheckpointOptions& options);

}  // namespace amp::delta
