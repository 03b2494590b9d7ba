#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "amp/loader.h"
#include "loaders/delta/log_reader.h"

namespace amp::delta {

/// The rows of a version, file after file. NotFound where there is no table, or not that version.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadRows(LogReader reader,
                                                           const ReadOptions& options);

}  // namespace amp::delta
