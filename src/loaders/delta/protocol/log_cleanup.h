#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "amp/export.h"
#include "loaders/delta/protocol/log_files.h"

namespace amp::delta {

struct CleanupPlan {
  /// The oldest checkpoint that stays; -1: nothing may go.
  int64_t checkpoint_version = -1;
  std::vector<std::string> files;  ///< names within `_delta_log` to delete, the oldest first
};

/// Which files of a log may go: those before the newest checkpoint that is not above the newest
/// commit from before midnight (UTC) of the day `retention_ms` ago. Sidecars are not among them:
/// which of them go is known only when these are gone. Source: PROTOCOL.md, "Metadata Cleanup".
AMP_EXPORT CleanupPlan PlanLogCleanup(std::span<const LogFile> files, int64_t retention_ms,
                                      int64_t now_ms);

}  // namespace amp::delta
