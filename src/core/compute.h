#pragma once

#include "amp/error.h"

namespace amp {

/// Makes all of Arrow's compute functions known; what follows the first call costs nothing.
Status InitializeCompute();

}  // namespace amp
