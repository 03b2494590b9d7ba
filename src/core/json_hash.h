#pragma once

#include <string_view>

#include "core/hash128.h"

namespace amp {

/// The hash of a JSON value, whatever its white space and the order of its members. Numbers are
/// compared as doubles. Text that is no JSON is hashed as it is.
Hash128 HashJson(std::string_view text);

}  // namespace amp
