#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "amp/error.h"

namespace amp::cli {

/// The value of a flag such as `--idle 10s`; ConfigInvalid, naming the flag, for other text.
Result<std::chrono::milliseconds> ReadDuration(std::string_view name, const std::string& text);

}  // namespace amp::cli
