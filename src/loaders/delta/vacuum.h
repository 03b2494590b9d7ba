#pragma once

#include <cstdint>
#include <vector>

#include "amp/error.h"
#include "loaders/delta/log_reader.h"
#include "storage/object_store.h"

namespace amp::delta {

/// What decides which files a table still needs.
struct VacuumScope {
  Strings partition_columns;     ///< as they are in folders' names: logical and physical names
  int64_t retention_ms = 0;      ///< files that left the table later than this ago are needed
  int64_t log_retention_ms = 0;  ///< for so long the log remembers which those are
  int64_t now_ms = 0;
};

/// The files in the table's folder that no version within the retention has, and that are older
/// than it. What begins with `_` or `.` is none of the table's, but for change data and partitions;
/// what lies in another table's folder is not either. Source: PROTOCOL.md, "Add File and Remove
/// File"; which names are left alone is as Delta's own VACUUM has it.
Result<std::vector<storage::ObjectInfo>> FindUnneeded(LogReader* reader, const VacuumScope& scope);

}  // namespace amp::delta
