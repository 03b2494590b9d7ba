#pragma once

#include <nlohmann/json_fwd.hpp>

#include "amp/load_result.h"

namespace amp {

/// Adds each entry as a member of the object `out`.
void AddMetadata(const Metadata& metadata, nlohmann::ordered_json* out);

}  // namespace amp
