#pragma once

#include <string>
#include <vector>

#include "loaders/delta/protocol/actions.h"

namespace amp::delta {

/// What would be committed to make a table, for people: the protocol, what it is partitioned by,
/// its properties, and the schema as JSON, a column a line.
std::vector<std::string> NewTableTexts(const Protocol& protocol, const Metadata& metadata);

}  // namespace amp::delta
