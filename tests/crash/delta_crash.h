#pragma once

#include <nlohmann/json.hpp>
#include <string>

#include "crash/stream_crash.h"

namespace amp::testing {

/// A Delta table's rows as delta-rs finds them, as the crash tests compare them; `options` are
/// those of its storage.
Result<Lines> DeltaLines(const std::string& table, const arrow::Schema& schema,
                         const nlohmann::json& options = {});

}  // namespace amp::testing
