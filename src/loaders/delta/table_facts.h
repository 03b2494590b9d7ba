#pragma once

#include <optional>

#include "amp/loader.h"
#include "loaders/delta/table.h"

namespace amp::delta {

/// None where there is no table. Files whose statistics do not say how many rows they have are
/// asked themselves.
Result<std::optional<TableInfo>> ReadTableFacts(DeltaTable* table);

}  // namespace amp::delta
