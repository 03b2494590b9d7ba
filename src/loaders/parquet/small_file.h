#pragma once

#include <arrow/record_batch.h>

#include <memory>

#include "loaders/parquet/data_file.h"
#include "loaders/parquet/file_plan.h"

namespace amp::parquet_files {

struct SmallFile {
  DataFile file;
  std::shared_ptr<arrow::Buffer> bytes;
};

/// Encodes rows that are all there already as one row group: for files so small that handing their
/// columns to other threads would cost more than it saves.
Result<SmallFile> EncodeSmallFile(const FilePlan& plan, const arrow::RecordBatchVector& batches);

}  // namespace amp::parquet_files
