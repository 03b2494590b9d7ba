#pragma once

#include <string>
#include <vector>

#include "sources/files/input_files.h"

namespace amp {

inline constexpr std::string_view kStandardInput = "-";

/// The files that paths, globs, directories and names in buckets stand for, each list in order of
/// names. Directories are searched through; names that start with '.' or '_' are left out there, as
/// other tools do. NotFound where one of them stands for no file.
Result<std::vector<std::string>> FindFiles(InputFiles* inputs,
                                           const std::vector<std::string>& paths);

}  // namespace amp
