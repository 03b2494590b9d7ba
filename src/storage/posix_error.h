#pragma once

#include <string_view>

#include "amp/error.h"

namespace amp::storage {

/// What an errno means. `operation` is a word for what was being done, such as "writing".
Status PosixError(int code, std::string_view operation, std::string_view path);

}  // namespace amp::storage
