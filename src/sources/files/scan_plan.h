#pragma once

#include <arrow/compute/expression.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>

#include "amp/source.h"
#include "sources/files/data_file.h"

namespace amp {

/// What is read of every file and what of it comes out.
struct ScanPlan {
  std::shared_ptr<arrow::Schema> read_schema;  ///< output columns, then those of the filter only
  std::shared_ptr<arrow::Schema> output_schema;
  std::optional<arrow::compute::Expression> filter;        ///< as written
  std::optional<arrow::compute::Expression> bound_filter;  ///< over read_schema
  int64_t batch_rows = 0;
};

/// `all` is the union of the files' columns. ConfigInvalid for columns that it lacks.
Result<ScanPlan> PlanScan(const arrow::Schema& all, const FileSourceOptions& options);

/// Reads a file, or one part of it, as the plan says: a column that it lacks is null, rows are
/// filtered, and batches without rows are left out. Errors name `path`. The file must outlive it.
Result<std::shared_ptr<arrow::RecordBatchReader>> OpenPlanned(std::shared_ptr<const ScanPlan> plan,
                                                              DataFile* file,
                                                              const std::string& path,
                                                              std::optional<int> part = {});

}  // namespace amp
