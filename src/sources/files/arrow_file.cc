#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>

#include "sources/files/data_file.h"

namespace amp {
namespace {

/// The batches of an Arrow file, in order.
class FileBatches final : public arrow::RecordBatchReader {
 public:
  explicit FileBatches(std::shared_ptr<arrow::ipc::RecordBatchFileReader> file)
      : file_(std::move(file)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return file_->schema(); }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    if (next_ == file_->num_record_batches()) {
      batch->reset();
      return Status::OK();
    }
    return file_->ReadRecordBatch(next_++).Value(batch);
  }

 private:
  std::shared_ptr<arrow::ipc::RecordBatchFileReader> file_;
  int next_ = 0;
};

using FileReaderPtr = std::shared_ptr<arrow::ipc::RecordBatchFileReader>;

class ArrowFile final : public DataFile {
 public:
  ArrowFile(std::string mappable, RandomAccessFilePtr input, FileReaderPtr whole)
      : mappable_(std::move(mappable)), input_(std::move(input)), whole_(std::move(whole)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return whole_->schema(); }
  std::optional<int64_t> num_rows() const override {
    // Counting looks at every batch's header: mapped, that does not read what lies between. From a
    // bucket it would be a request for each.
    if (mappable_.empty()) return std::nullopt;
    const auto rows = CountMapped();
    return rows.ok() ? std::optional(*rows) : std::nullopt;
  }
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const FileScan& scan) override {
    auto options = arrow::ipc::IpcReadOptions::Defaults();
    options.use_threads = false;  // the reader has a thread of its own already
    const bool all = static_cast<int>(scan.columns.size()) == schema()->num_fields();
    for (const std::string& name : all ? std::vector<std::string>() : scan.columns) {
      options.included_fields.push_back(schema()->GetFieldIndex(name));
    }
    ARROW_ASSIGN_OR_RAISE(FileReaderPtr reader,
                          arrow::ipc::RecordBatchFileReader::Open(input_, options));
    return std::make_shared<FileBatches>(std::move(reader));
  }

 private:
  Result<int64_t> CountMapped() const {
    ARROW_ASSIGN_OR_RAISE(auto mapped,
                          arrow::io::MemoryMappedFile::Open(mappable_, arrow::io::FileMode::READ));
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchFileReader::Open(mapped));
    return reader->CountRows();
  }

  std::string mappable_;
  RandomAccessFilePtr input_;
  FileReaderPtr whole_;
};

class ArrowStream final : public DataFile {
 public:
  explicit ArrowStream(std::shared_ptr<arrow::RecordBatchReader> reader)
      : reader_(std::move(reader)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return reader_->schema(); }
  // All columns come; those not asked for are left out afterwards.
  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const FileScan&) override {
    return reader_;
  }

 private:
  std::shared_ptr<arrow::RecordBatchReader> reader_;
};

}  // namespace

Result<std::unique_ptr<DataFile>> OpenArrowFile(RandomAccessFilePtr input, std::string mappable) {
  // Not memory-mapped: what has been read would stay in this process's memory.
  ARROW_ASSIGN_OR_RAISE(FileReaderPtr whole, arrow::ipc::RecordBatchFileReader::Open(input));
  return std::make_unique<ArrowFile>(std::move(mappable), std::move(input), std::move(whole));
}

Result<std::unique_ptr<DataFile>> OpenArrowStream(
    const std::shared_ptr<arrow::io::InputStream>& input) {
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(input));
  return std::make_unique<ArrowStream>(std::move(reader));
}

}  // namespace amp
