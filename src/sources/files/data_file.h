#pragma once

#include <arrow/compute/expression.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/source.h"
#include "sources/files/input_files.h"

namespace amp {

/// What to read of a file.
struct FileScan {
  std::vector<std::string> columns;  ///< top-level columns that the file has
  /// Rows for which this is not true may be left out (whole row groups are); all of it is applied
  /// afterwards.
  std::optional<arrow::compute::Expression> filter = {};
  int64_t batch_rows = 0;
  std::optional<int> part = {};  ///< this one only
};

/// One opened file of some format.
class DataFile {
 public:
  virtual ~DataFile() = default;
  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  virtual std::optional<int64_t> num_rows() const { return std::nullopt; }
  /// Parts that can be read one by one: row groups.
  virtual int parts() const { return 1; }
  virtual std::optional<int64_t> rows_of_part(int /*part*/) const { return num_rows(); }
  /// Memory is bounded by the scan's batches, not by the file. May be called once for each part;
  /// what an earlier call gave is of no more use then.
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const FileScan& scan) = 0;
};

/// The format that a name's ending says (".csv.gz" too); none where it says nothing.
std::optional<FileFormat> FormatOfName(std::string_view path);

/// Opens a file or standard input; tells the format from the content where it is not given.
Result<std::unique_ptr<DataFile>> OpenDataFile(InputFiles* files, const std::string& path,
                                               const FileSourceOptions& options);

using RandomAccessFilePtr = std::shared_ptr<arrow::io::RandomAccessFile>;

// One function a format.
Result<std::unique_ptr<DataFile>> OpenParquetFile(RandomAccessFilePtr input);
/// `mappable` is its path where it is one of this machine; else empty.
Result<std::unique_ptr<DataFile>> OpenArrowFile(RandomAccessFilePtr input, std::string mappable);
Result<std::unique_ptr<DataFile>> OpenArrowStream(
    const std::shared_ptr<arrow::io::InputStream>& input);
Result<std::unique_ptr<DataFile>> OpenCsv(std::shared_ptr<arrow::io::InputStream> input);
Result<std::unique_ptr<DataFile>> OpenJsonLines(std::shared_ptr<arrow::io::InputStream> input);

}  // namespace amp
