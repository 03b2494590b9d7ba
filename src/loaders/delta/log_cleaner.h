#pragma once

#include <cstdint>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/log_store.h"

namespace amp::delta {

/// Deletes what `PlanLogCleanup` finds, the oldest first, so that a reader never meets a gap below
/// a newer file, then sidecars that no checkpoint names; gives the number of files.
AMP_EXPORT Result<int64_t> CleanLog(const LogStore& log, int64_t retention_ms, int64_t now_ms);

}  // namespace amp::delta
