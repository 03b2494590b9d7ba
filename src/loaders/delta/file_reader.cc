#include "loaders/delta/file_reader.h"

#include <arrow/array/concatenate.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/util/key_value_metadata.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include <algorithm>
#include <numeric>

#include "core/schema.h"
#include "loaders/delta/protocol/deletion_vector.h"
#include "loaders/delta/protocol/partition_values.h"
#include "loaders/delta/protocol/paths.h"
#include "loaders/delta/protocol/schema_json.h"

namespace amp::delta {
namespace {

namespace compute = arrow::compute;

constexpr int64_t kBatchRows = 32'768;

Status Broken(const std::string& file, const Status& why) {
  return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget, .target = file},
                   fmt::format("the data file {} cannot be read: {}", file, why.message()));
}

Result<std::unique_ptr<parquet::arrow::FileReader>> OpenParquet(
    std::shared_ptr<arrow::io::RandomAccessFile> file) {
  parquet::ReaderProperties properties;
  properties.enable_buffered_stream();  // column chunks are not read whole
  parquet::ArrowReaderProperties arrow_properties;
  arrow_properties.set_pre_buffer(false);
  arrow_properties.set_batch_size(kBatchRows);
  arrow_properties.set_coerce_int96_timestamp_unit(arrow::TimeUnit::MICRO);
  parquet::arrow::FileReaderBuilder builder;
  ARROW_RETURN_NOT_OK(builder.Open(std::move(file), properties));
  builder.properties(arrow_properties);
  return builder.Build();
}

/// One file's batches, brought to the table's columns.
class FileRows final : public arrow::RecordBatchReader {
 public:
  FileRows(std::string name, ReadPlan plan, DeletedRows deleted)
      : name_(std::move(name)), plan_(std::move(plan)), deleted_(std::move(deleted)) {}

  Status Open(std::shared_ptr<arrow::io::RandomAccessFile> file) {
    try {
      ARROW_ASSIGN_OR_RAISE(reader_, OpenParquet(std::move(file)));
      ARROW_RETURN_NOT_OK(reader_->GetSchema(&file_schema_));
      std::vector<int> row_groups(static_cast<size_t>(reader_->num_row_groups()));
      std::iota(row_groups.begin(), row_groups.end(), 0);
      ARROW_ASSIGN_OR_RAISE(batches_, reader_->GetRecordBatchReader(row_groups));
      return Status::OK();
    } catch (const parquet::ParquetException& error) {
      return Status::IOError(error.what());
    }
  }
  Status SetPartition(const NullableMap& values) {
    for (const std::string& column : plan_.partition_columns) {
      const auto field = plan_.physical->GetFieldByName(column);
      const auto value = values.find(column);
      const auto text = value == values.end() ? std::nullopt : value->second;
      ARROW_ASSIGN_OR_RAISE(const auto array, ParsePartitionValue(text, field->type()));
      ARROW_ASSIGN_OR_RAISE(partition_[column], array->GetScalar(0));
    }
    return Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return plan_.columns; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    const Status status = Next(out);
    return status.ok() ? status : Broken(name_, status);
  }

 private:
  Status Next(std::shared_ptr<arrow::RecordBatch>* out) {
    try {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
      out->reset();
      if (batch == nullptr) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(*out, ToTable(*batch));
      if (!deleted_.empty()) {
        ARROW_ASSIGN_OR_RAISE(*out, WithoutDeleted(*out));
      }
      first_row_ += batch->num_rows();
      return Status::OK();
    } catch (const parquet::ParquetException& error) {
      return Status::IOError(error.what());
    }
  }

  Result<std::shared_ptr<arrow::RecordBatch>> ToTable(const arrow::RecordBatch& batch) const {
    arrow::ArrayVector columns;
    for (int i = 0; i < plan_.columns->num_fields(); ++i) {
      ARROW_ASSIGN_OR_RAISE(columns.emplace_back(), Column(batch, i));
    }
    return arrow::RecordBatch::Make(plan_.columns, batch.num_rows(), std::move(columns));
  }

  Result<std::shared_ptr<arrow::Array>> Column(const arrow::RecordBatch& batch, int i) const {
    const std::string& name = plan_.physical->field(i)->name();
    const auto& type = plan_.columns->field(i)->type();
    if (const auto value = partition_.find(name); value != partition_.end()) {
      return arrow::MakeArrayFromScalar(*value->second, batch.num_rows());
    }
    const auto column = batch.GetColumnByName(name);
    if (column == nullptr) return arrow::MakeArrayOfNull(type, batch.num_rows());
    if (column->type()->Equals(*type)) return column;
    return compute::Cast(*column, type);
  }

  // The rows that are left, as one filter.
  Result<std::shared_ptr<arrow::RecordBatch>> WithoutDeleted(
      const std::shared_ptr<arrow::RecordBatch>& batch) const {
    const auto first = static_cast<uint64_t>(first_row_);
    const auto begin = std::lower_bound(deleted_.begin(), deleted_.end(), first);
    const auto end =
        std::lower_bound(begin, deleted_.end(), first + static_cast<uint64_t>(batch->num_rows()));
    if (begin == end) return batch;
    std::vector<bool> stays(static_cast<size_t>(batch->num_rows()), true);
    for (auto row = begin; row != end; ++row) stays[*row - first] = false;
    arrow::BooleanBuilder builder;
    ARROW_RETURN_NOT_OK(builder.AppendValues(stays));
    ARROW_ASSIGN_OR_RAISE(const auto filter, builder.Finish());
    ARROW_ASSIGN_OR_RAISE(const auto left, compute::Filter(batch, filter));
    return left.record_batch();
  }

  const std::string name_;
  const ReadPlan plan_;
  const DeletedRows deleted_;
  std::map<std::string, std::shared_ptr<arrow::Scalar>> partition_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::shared_ptr<arrow::Schema> file_schema_;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
  int64_t first_row_ = 0;
};

Result<DeletedRows> ReadDeleted(const LogStore& log, const Add& add) {
  if (!add.file.deletion_vector) return DeletedRows();
  const DeletionVectorDescriptor& descriptor = *add.file.deletion_vector;
  ARROW_ASSIGN_OR_RAISE(const std::string path, DeletionVectorPath(descriptor));
  if (path.empty()) return ReadInlineDeletionVector(descriptor);
  ARROW_ASSIGN_OR_RAISE(const auto bytes, log.store().Read(log.TablePath(path)));
  return ReadDeletionVector(descriptor, bytes->ToString());
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> OpenFile(const LogStore& log, const Add& add,
                                                              const std::string& name) {
  if (IsAbsolutePath(add.file.path)) {
    return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget, .target = name},
                     fmt::format("the data file {} lies outside of the table's folder (a shallow "
                                 "clone?), which this version does not read",
                                 add.file.path));
  }
  auto file = log.store().Open(log.TablePath(add.file.path));
  if (!file.ok() && KindOf(file.status()) == ErrorKind::kNotFound) {
    return Broken(name, Status::IOError("it is missing; was it taken away by a vacuum?"));
  }
  return file;
}

std::string NameOf(const LogStore& log, const Add& add) {
  return log.store().Describe(log.TablePath(add.file.path));
}

Result<int64_t> RowsInFooter(const std::shared_ptr<arrow::io::RandomAccessFile>& file) {
  try {
    return parquet::ReadMetaData(file)->num_rows();
  } catch (const parquet::ParquetException& error) {
    return Status::IOError(error.what());
  }
}

}  // namespace

Result<ReadPlan> PlanRead(const Metadata& metadata) {
  ReadPlan plan;
  ARROW_ASSIGN_OR_RAISE(plan.columns, SchemaFromJson(metadata.schema_string));
  ARROW_ASSIGN_OR_RAISE(plan.physical, PhysicalSchema(*plan.columns, metadata));
  ARROW_ASSIGN_OR_RAISE(plan.columns, PlainSchema(*plan.columns));
  for (const std::string& name : metadata.partition_columns) {
    const int i = plan.columns->GetFieldIndex(name);
    if (i >= 0) plan.partition_columns.push_back(plan.physical->field(i)->name());
  }
  return plan;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadDataFile(const LogStore& log, const Add& add,
                                                               const ReadPlan& plan) {
  const std::string name = NameOf(log, add);
  ARROW_ASSIGN_OR_RAISE(auto file, OpenFile(log, add, name));
  auto deleted = ReadDeleted(log, add);
  if (!deleted.ok()) return Broken(name, deleted.status());
  auto rows = std::make_shared<FileRows>(name, plan, *std::move(deleted));
  const Status opened = rows->Open(std::move(file));
  if (!opened.ok()) return Broken(name, opened);
  ARROW_RETURN_NOT_OK(rows->SetPartition(add.partition_values));
  return rows;
}

Result<int64_t> CountRows(const LogStore& log, const Add& add) {
  const std::string name = NameOf(log, add);
  ARROW_ASSIGN_OR_RAISE(const auto file, OpenFile(log, add, name));
  const auto rows = RowsInFooter(file);
  if (!rows.ok()) return Broken(name, rows.status());
  return *rows - (add.file.deletion_vector ? add.file.deletion_vector->cardinality : 0);
}

}  // namespace amp::delta
