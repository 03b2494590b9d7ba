#pragma once

#include "amp/loader.h"
#include "loaders/delta/table.h"

namespace amp::delta {

/// A checkpoint of the newest version; then deletes data files that no version within the retention
/// has, log files that are older than the table wants them, and states of streams that were left
/// behind.
Result<MaintainResult> MaintainTable(DeltaTable* table, const MaintainOptions& options);

}  // namespace amp::delta
