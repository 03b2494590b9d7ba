#pragma once

#include "loaders/postgresql/state_tables.h"

namespace amp::postgresql {

/// Why a stream's writer may not go on, from what the target has now: taken over, reset, its table
/// gone or another one, or a commit that is there already. Internal where nothing is in the way.
Status WhyRefused(Connection& connection, const TablePlace& place, const StreamRef& stream);

}  // namespace amp::postgresql
