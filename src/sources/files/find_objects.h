#pragma once

#include <string>
#include <vector>

#include "sources/files/input_files.h"

namespace amp {

/// What a bucket's name stands for, as FindFiles tells it for paths: an object, a pattern of names
/// (* ? [a-z] {a,b}; none matches a '/'), or a folder, which is searched through.
Result<std::vector<std::string>> FindObjects(InputFiles* files, const std::string& name);

}  // namespace amp
