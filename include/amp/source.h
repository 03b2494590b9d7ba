#pragma once

#include <arrow/type_fwd.h>

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

/// Where rows come from.
namespace amp {

enum class FileFormat { kParquet, kArrow, kCsv, kJsonLines };
/// "parquet", "arrow", "csv", "jsonl".
AMP_EXPORT std::string_view ToString(FileFormat format);
AMP_EXPORT Result<FileFormat> ParseFileFormat(std::string_view text);

struct FileSourceOptions {
  /// Files, globs and directories (searched), also s3://BUCKET/…; "-" is standard input.
  std::vector<std::string> paths;
  /// Told from name and content where left out; standard input is an Arrow stream then.
  std::optional<FileFormat> format = {};
  /// Columns to read, in this order; empty: all.
  std::vector<std::string> columns = {};
  /// Rows to read: `column op literal` joined by AND; ops = != < <= > >= IN, IS [NOT] NULL.
  std::string where = {};
  /// Most rows in a batch.
  int64_t batch_rows = 32'768;
  /// Once true, waiting for standard input ends with Cancelled.
  const std::atomic<bool>* stop = nullptr;
};

/// An opened source: its schema is known, nothing much is read yet.
struct FileSource {
  std::shared_ptr<arrow::RecordBatchReader> reader;
  size_t files = 0;
  int64_t bytes = 0;  ///< size of the files; 0 for standard input
  std::optional<int64_t> rows =
      {};  ///< where the files' own metadata says it (and no filter is set)
};

/// Opens files as one stream of record batches. A column that a file lacks is null there.
/// Errors: NotFound, DataInvalid (broken file), SchemaMismatch (types differ between files),
/// ConfigInvalid (unknown column, broken expression).
AMP_EXPORT Result<FileSource> OpenFiles(const FileSourceOptions& options);

}  // namespace amp
