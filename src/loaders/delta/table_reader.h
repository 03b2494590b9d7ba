#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <optional>

#include "amp/error.h"
#include "loaders/delta/log_reader.h"

namespace amp::delta {

/// The rows of a version, file after file; of the newest where none is given. NotFound where there
/// is no table. A negative limit is none.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadRows(LogReader reader,
                                                           std::optional<int64_t> version,
                                                           int64_t limit);

}  // namespace amp::delta
