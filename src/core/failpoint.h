#pragma once

#include <string_view>

#include "amp/error.h"
#include "amp/export.h"

/// Named steps at which tests make a process die or a step fail.
///
/// AMPLOAD_FAILPOINTS holds `name=action[@count]`, joined by commas: `kill` ends the process as
/// SIGKILL does, `error` makes the step fail with Unavailable, `lost` lets a commit happen and
/// loses its answer. `@3` means the third time. Without the variable a step costs one look at a
/// flag.
namespace amp {

enum class FailpointAction { kNone, kError, kLost };

/// What is to happen at this step now; does not return where the process is to die.
AMP_EXPORT FailpointAction FailpointAt(std::string_view name);

/// The error of a step that is to fail; OK where it is not.
AMP_EXPORT Status Failpoint(std::string_view name);

}  // namespace amp
