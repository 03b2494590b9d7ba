#pragma once

#include <arrow/array.h>
#include <parquet/arrow/writer.h>
#include <parquet/file_writer.h>

#include <memory>
#include <vector>

#include "loaders/parquet/file_plan.h"

namespace amp::parquet_files {

/// The arrays as the plan's column has them: dictionaries are decoded, many small ones joined.
Result<arrow::ArrayVector> PrepareArrays(const PlannedColumn& column, arrow::ArrayVector arrays);

/// Writes one top-level column of a buffered row group, beside other threads that write others.
///
/// Arrow writes the columns of a batch together, and has no public way from one nested array to the
/// leaves of a row group. So each lane has a writer of a schema of its column alone, whose row
/// group is a view of the file's.
class ColumnLane {
 public:
  static Result<std::unique_ptr<ColumnLane>> Make(const FilePlan& plan, int column);
  ~ColumnLane();

  /// What follows goes to this row group.
  void Attach(parquet::RowGroupWriter* row_group);
  Status Write(arrow::ArrayVector arrays);

  /// Bytes that what was written to the row group will take in the file, as far as can be said.
  int64_t EstimatedBytes() const;
  const std::vector<int64_t>& nan_counts() const { return nan_counts_; }

 private:
  class RowGroupView;
  class FileView;

  explicit ColumnLane(const PlannedColumn& column) : column_(column) {}

  const PlannedColumn& column_;
  RowGroupView* view_ = nullptr;  // of writer_
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  std::vector<int64_t> nan_counts_;
};

}  // namespace amp::parquet_files
