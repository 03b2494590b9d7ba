#pragma once

#include <arrow/type.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <memory>
#include <string>
#include <vector>

#include "amp/error.h"
#include "loaders/parquet/write_options.h"

namespace amp::parquet_files {

using ParquetSchema = std::shared_ptr<parquet::schema::GroupNode>;

/// A top-level column, and where its leaves lie among those of the file.
struct PlannedColumn {
  std::shared_ptr<arrow::Schema> schema;  ///< this column alone
  ParquetSchema parquet_schema;
  int first_leaf = 0;
  int leaves = 0;
  bool has_floats = false;
};

struct PlannedLeaf {
  std::vector<std::string> path;          ///< names from the column down, as in the file
  std::shared_ptr<arrow::DataType> type;  ///< as it was given
  bool repeated = false;                  ///< inside a list or map
  int field_id = -1;
};

/// All that files of one schema and one set of options share. Immutable; made once for a table.
struct FilePlan {
  std::shared_ptr<arrow::Schema> schema;
  WriteOptions options;
  ParquetSchema parquet_schema;
  std::shared_ptr<parquet::WriterProperties> properties;
  std::shared_ptr<parquet::ArrowWriterProperties> arrow_properties;
  std::shared_ptr<const arrow::KeyValueMetadata> metadata;
  std::vector<PlannedColumn> columns;
  std::vector<PlannedLeaf> leaves;

  /// ConfigInvalid for options that are out of range or name no column, Unsupported for types that
  /// Parquet has none for.
  static AMP_EXPORT Result<std::shared_ptr<const FilePlan>> Make(
      std::shared_ptr<arrow::Schema> schema, const WriteOptions& options);
};

}  // namespace amp::parquet_files
