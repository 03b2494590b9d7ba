#pragma once

#include "amp/load_result.h"

namespace amp::cli {

/// Each on a line of its own, "name  value"; those that say nothing are left out.
void PrintFacts(const Metadata& facts);

}  // namespace amp::cli
