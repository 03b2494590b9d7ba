#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace amp::parquet_files {

/// What is known of a leaf column of a file, from the file's own statistics.
struct ColumnStatistics {
  std::vector<std::string> path;          ///< names from the column down, as in the file
  std::shared_ptr<arrow::DataType> type;  ///< as the column was given
  bool repeated = false;                  ///< inside a list or map: counts are of its elements
  int field_id = -1;
  int64_t value_count = 0;  ///< nulls included
  /// -1 where nobody has counted. In lists and maps, empty and null ones count as a null.
  int64_t null_count = -1;
  int64_t nan_count = 0;
  int64_t bytes = 0;  ///< in the file
  /// Exact and of `type`; NaN takes no part; zeros are -0.0 below and 0.0 above, as Parquet has
  /// them. None where all is null or NaN, no statistics were wanted, or a value is longer than 4
  /// KiB.
  std::shared_ptr<arrow::Scalar> min = {};
  std::shared_ptr<arrow::Scalar> max = {};
};

/// A file that has been written.
struct DataFile {
  std::string group;  ///< whose rows it holds
  std::string path;
  int64_t bytes = 0;
  int64_t rows = 0;
  std::vector<int64_t> row_group_offsets;  ///< where each begins
  std::vector<ColumnStatistics> columns;   ///< one a leaf, in the file's order
};

}  // namespace amp::parquet_files
