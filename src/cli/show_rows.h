#pragma once

#include <arrow/type_fwd.h>

#include "amp/error.h"

namespace amp::cli {

/// Prints all rows of a reader: one JSON object a line, or a table with aligned columns.
Status ShowRows(arrow::RecordBatchReader* reader, bool json);

}  // namespace amp::cli
