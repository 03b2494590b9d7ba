#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>

#include "amp/error.h"
#include "loaders/delta/log_store.h"
#include "loaders/delta/protocol/actions.h"

namespace amp::delta {

/// How the rows of data files become rows of the table.
struct ReadPlan {
  std::shared_ptr<arrow::Schema> columns;   ///< of the table, as users see it
  std::shared_ptr<arrow::Schema> physical;  ///< the same columns by their names in data files
  Strings partition_columns;
};

Result<ReadPlan> PlanRead(const Metadata& metadata);

/// The rows of one data file, in batches of the table's columns, without those that its deletion
/// vector takes out. Columns that the file lacks are null; partition columns have its values.
/// DataInvalid where the file is missing or broken.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadDataFile(const LogStore& log, const Add& add,
                                                               const ReadPlan& plan);

/// The same rows, counted: from the file's footer.
Result<int64_t> CountRows(const LogStore& log, const Add& add);

}  // namespace amp::delta
