#pragma once

#include <string>
#include <string_view>

#include "storage/object_store.h"

namespace amp::storage {

/// DataInvalid for a path that has a part `.` or `..`: it could lead out of the store.
Status CheckPath(std::string_view path, const ObjectStore& store);

/// "a/b" → "a/b/"; the root's empty path stays as it is.
std::string AsFolder(std::string_view path);

}  // namespace amp::storage
