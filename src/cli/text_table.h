#pragma once

#include <string>
#include <vector>

namespace amp::cli {

/// Lines of a table with aligned columns; cells longer than `widest` characters end in "…".
std::vector<std::string> FormatTable(const std::vector<std::vector<std::string>>& rows,
                                     size_t widest = 48);

}  // namespace amp::cli
