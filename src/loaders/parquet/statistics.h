#pragma once

#include <parquet/metadata.h>

#include <vector>

#include "loaders/parquet/data_file.h"
#include "loaders/parquet/file_plan.h"

namespace amp::parquet_files {

/// Number, bytes and bounds of what a file holds, by its footer. `nan_counts` has one entry a leaf.
Result<DataFile> Describe(const FilePlan& plan, const parquet::FileMetaData& footer,
                          const std::vector<int64_t>& nan_counts);

}  // namespace amp::parquet_files
