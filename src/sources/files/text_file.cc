// CSV and JSON lines. Types are those of the first block; a later value that does not fit is an
// error that names its place.

#include <arrow/csv/api.h>
#include <arrow/io/interfaces.h>
#include <arrow/json/api.h>
#include <arrow/record_batch.h>

#include "sources/files/data_file.h"

namespace amp {
namespace {

constexpr int32_t kBlockBytes = 4 << 20;

class TextFile final : public DataFile {
 public:
  explicit TextFile(std::shared_ptr<arrow::RecordBatchReader> reader)
      : reader_(std::move(reader)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const FileScan&) override {
    return reader_;
  }

 private:
  std::shared_ptr<arrow::RecordBatchReader> reader_;
};

}  // namespace

Result<std::unique_ptr<DataFile>> OpenCsv(std::shared_ptr<arrow::io::InputStream> input) {
  auto read = arrow::csv::ReadOptions::Defaults();
  read.block_size = kBlockBytes;
  read.use_threads = false;
  auto parse = arrow::csv::ParseOptions::Defaults();
  parse.newlines_in_values = true;
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::csv::StreamingReader::Make(
                                         arrow::io::default_io_context(), std::move(input), read,
                                         parse, arrow::csv::ConvertOptions::Defaults()));
  return std::make_unique<TextFile>(std::move(reader));
}

Result<std::unique_ptr<DataFile>> OpenJsonLines(std::shared_ptr<arrow::io::InputStream> input) {
  auto read = arrow::json::ReadOptions::Defaults();
  read.block_size = kBlockBytes;
  read.use_threads = false;
  auto parse = arrow::json::ParseOptions::Defaults();
  parse.newlines_in_values = false;
  ARROW_ASSIGN_OR_RAISE(auto reader,
                        arrow::json::StreamingReader::Make(std::move(input), read, parse));
  return std::make_unique<TextFile>(std::move(reader));
}

}  // namespace amp
