#pragma once

#include <string>

#include "amp/export.h"

namespace amp {

/// A random UUID (version 4): "6f1c3a52-9b0d-4a8e-8f57-1e2d3c4b5a69".
AMP_EXPORT std::string NewUuid();

}  // namespace amp
