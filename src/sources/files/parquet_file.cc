#include <arrow/dataset/file_parquet.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/reader.h>
#include <parquet/arrow/schema.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>

#include <numeric>

#include "sources/files/data_file.h"

namespace amp {
namespace {

void AddLeaves(const parquet::arrow::SchemaField& field, std::vector<int>* leaves) {
  if (field.is_leaf()) leaves->push_back(field.column_index);
  for (const auto& child : field.children) AddLeaves(child, leaves);
}

/// Read column by column in batches: Arrow's dataset scanner would decode whole row groups, which
/// other writers make as large as the memory of their machine.
class ParquetFile final : public DataFile {
 public:
  static Result<std::unique_ptr<DataFile>> Open(RandomAccessFilePtr input) {
    auto file = std::make_unique<ParquetFile>();
    file->input_ = std::move(input);
    ARROW_ASSIGN_OR_RAISE(file->reader_, file->OpenReader(0));
    file->metadata_ = file->reader_->parquet_reader()->metadata();
    ARROW_RETURN_NOT_OK(file->reader_->GetSchema(&file->schema_));
    return file;
  }

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  std::optional<int64_t> num_rows() const override { return metadata_->num_rows(); }
  int parts() const override { return metadata_->num_row_groups(); }
  std::optional<int64_t> rows_of_part(int part) const override {
    return metadata_->RowGroup(part)->num_rows();
  }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Read(const FileScan& scan) override {
    ARROW_ASSIGN_OR_RAISE(const std::vector<int> row_groups, ChooseRowGroups(scan));
    const std::vector<int> leaves = ChooseLeaves(scan.columns);
    ARROW_ASSIGN_OR_RAISE(reader_, OpenReader(scan.batch_rows));
    ARROW_ASSIGN_OR_RAISE(auto batches, reader_->GetRecordBatchReader(row_groups, leaves));
    return std::shared_ptr<arrow::RecordBatchReader>(std::move(batches));
  }

 private:
  Result<std::unique_ptr<parquet::arrow::FileReader>> OpenReader(int64_t batch_rows) {
    parquet::ReaderProperties properties;
    properties.enable_buffered_stream();  // column chunks are not read whole
    properties.set_buffer_size(256 << 10);
    properties.set_page_checksum_verification(true);  // where the file has checksums
    parquet::ArrowReaderProperties arrow_properties;
    arrow_properties.set_pre_buffer(false);
    if (batch_rows > 0) arrow_properties.set_batch_size(batch_rows);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(input_, properties, metadata_));
    builder.properties(arrow_properties);
    std::unique_ptr<parquet::arrow::FileReader> reader;
    ARROW_RETURN_NOT_OK(builder.Build(&reader));
    return reader;
  }

  // Row groups whose statistics rule the filter out are left out.
  Result<std::vector<int>> ChooseRowGroups(const FileScan& scan) {
    std::vector<int> all(static_cast<size_t>(reader_->num_row_groups()));
    std::iota(all.begin(), all.end(), 0);
    if (scan.part) all = {*scan.part};
    if (!scan.filter) return all;
    auto format = std::make_shared<arrow::dataset::ParquetFileFormat>();
    ARROW_ASSIGN_OR_RAISE(auto fragment,
                          format->MakeFragment(arrow::dataset::FileSource(input_),
                                               arrow::compute::literal(true), schema_, all));
    ARROW_RETURN_NOT_OK(fragment->EnsureCompleteMetadata());
    ARROW_ASSIGN_OR_RAISE(const auto filter, scan.filter->Bind(*schema_));
    ARROW_ASSIGN_OR_RAISE(auto subset, fragment->Subset(filter));
    return static_cast<const arrow::dataset::ParquetFileFragment&>(*subset).row_groups();
  }

  std::vector<int> ChooseLeaves(const std::vector<std::string>& columns) const {
    std::vector<int> leaves;
    for (const std::string& name : columns) {
      const int place = schema_->GetFieldIndex(name);
      AddLeaves(reader_->manifest().schema_fields[static_cast<size_t>(place)], &leaves);
    }
    return leaves;
  }

  RandomAccessFilePtr input_;
  std::shared_ptr<parquet::FileMetaData> metadata_;  ///< read once, for all readers
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::Schema> schema_;
};

}  // namespace

Result<std::unique_ptr<DataFile>> OpenParquetFile(RandomAccessFilePtr input) {
  try {
    return ParquetFile::Open(std::move(input));
  } catch (const parquet::ParquetStatusException& error) {
    return error.status();  // of reading, with its kind
  } catch (const parquet::ParquetException& error) {
    return MakeError(ErrorKind::kDataInvalid, error.what());
  }
}

}  // namespace amp
