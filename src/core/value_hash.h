#pragma once

#include <arrow/type_fwd.h>

#include <vector>

#include "amp/error.h"
#include "core/hash128.h"
#include "core/value_form.h"

namespace amp {

/// The hash of each value of a plain array, in a form that CommonForm gave for its type: equal
/// values have equal hashes, whatever the type.
Result<std::vector<Hash128>> HashValues(const arrow::Array& array, const ValueForm& form);

}  // namespace amp
