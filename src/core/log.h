#pragma once

#include <spdlog/logger.h>

#include "amp/export.h"

namespace amp {

/// Where the library logs: spdlog's logger "ampload", if the program has made one; else one of its
/// own, which writes warnings and errors to stderr.
AMP_EXPORT spdlog::logger& Log();

}  // namespace amp
