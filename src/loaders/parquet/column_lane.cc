#include "loaders/parquet/column_lane.h"

#include <arrow/array/concatenate.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <parquet/column_writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>

#include <utility>

#include "core/compute.h"
#include "loaders/parquet/nan_count.h"
#include "loaders/parquet/recycling_pool.h"

namespace amp::parquet_files {
namespace {

// Below so many rows an array costs more to write than to copy.
constexpr int64_t kSmallRows = 1024;

// Without the dictionary, if it has one.
Result<std::shared_ptr<arrow::Array>> Plain(std::shared_ptr<arrow::Array> array,
                                            const std::shared_ptr<arrow::DataType>& type) {
  if (array->type_id() != arrow::Type::DICTIONARY || type->id() == arrow::Type::DICTIONARY) {
    return array;
  }
  ARROW_RETURN_NOT_OK(InitializeCompute());
  return arrow::compute::Cast(*array, type);
}

}  // namespace

Result<arrow::ArrayVector> PrepareArrays(const PlannedColumn& column, arrow::ArrayVector arrays) {
  int64_t rows = 0;
  for (auto& array : arrays) {
    ARROW_ASSIGN_OR_RAISE(array, Plain(std::move(array), column.schema->field(0)->type()));
    rows += array->length();
  }
  if (arrays.size() > 1 && rows < kSmallRows * static_cast<int64_t>(arrays.size())) {
    ARROW_ASSIGN_OR_RAISE(auto joined, arrow::Concatenate(arrays));
    arrays = {std::move(joined)};
  }
  return arrays;
}

class ColumnLane::RowGroupView final : public parquet::RowGroupWriter::Contents {
 public:
  explicit RowGroupView(const PlannedColumn& column) : column_(column) {}

  void Attach(parquet::RowGroupWriter* row_group) { row_group_ = row_group; }
  int num_columns() const override { return column_.leaves; }
  // The lane's writer is never to begin another row group.
  int64_t num_rows() const override { return 0; }
  parquet::ColumnWriter* NextColumn() override {
    throw parquet::ParquetException("the row group is buffered");
  }
  parquet::ColumnWriter* column(int i) override {
    return row_group_->column(column_.first_leaf + i);
  }
  int current_column() const override { return 0; }
  void Close() override {}
  int64_t total_bytes_written() const override { return 0; }
  int64_t total_compressed_bytes() const override { return 0; }
  int64_t total_compressed_bytes_written() const override { return 0; }
  parquet::RowGroupWriter::BufferedStats EstimatedBufferedStats() const override { return {}; }
  bool buffered() const override { return true; }

 private:
  const PlannedColumn& column_;
  parquet::RowGroupWriter* row_group_ = nullptr;
};

class ColumnLane::FileView final : public parquet::ParquetFileWriter::Contents {
 public:
  FileView(const PlannedColumn& column, std::shared_ptr<parquet::WriterProperties> properties,
           std::unique_ptr<RowGroupView> view)
      : Contents(column.parquet_schema, nullptr),
        properties_(std::move(properties)),
        row_group_(std::move(view)) {}

  void Close() override {}
  parquet::RowGroupWriter* AppendRowGroup() override { return &row_group_; }
  parquet::RowGroupWriter* AppendBufferedRowGroup() override { return &row_group_; }
  int64_t num_rows() const override { return 0; }
  int num_columns() const override { return schema()->num_columns(); }
  int num_row_groups() const override { return 1; }
  const std::shared_ptr<parquet::WriterProperties>& properties() const override {
    return properties_;
  }
  void AddKeyValueMetadata(const std::shared_ptr<const arrow::KeyValueMetadata>&) override {}

 private:
  const std::shared_ptr<parquet::WriterProperties> properties_;
  parquet::RowGroupWriter row_group_;
};

ColumnLane::~ColumnLane() = default;

Result<std::unique_ptr<ColumnLane>> ColumnLane::Make(const FilePlan& plan, int column) {
  const PlannedColumn& planned = plan.columns[static_cast<size_t>(column)];
  std::unique_ptr<ColumnLane> lane(new ColumnLane(planned));
  lane->nan_counts_.resize(static_cast<size_t>(planned.leaves));
  auto view = std::make_unique<RowGroupView>(planned);
  lane->view_ = view.get();
  auto file = std::make_unique<parquet::ParquetFileWriter>();
  file->Open(std::make_unique<FileView>(planned, plan.properties, std::move(view)));
  ARROW_RETURN_NOT_OK(parquet::arrow::FileWriter::Make(RecyclingPool::Instance(), std::move(file),
                                                       planned.schema, plan.arrow_properties,
                                                       &lane->writer_));
  return lane;
}

void ColumnLane::Attach(parquet::RowGroupWriter* row_group) { view_->Attach(row_group); }

Status ColumnLane::Write(arrow::ArrayVector arrays) {
  ARROW_ASSIGN_OR_RAISE(arrays, PrepareArrays(column_, std::move(arrays)));
  for (const auto& array : arrays) {
    if (column_.has_floats) ARROW_RETURN_NOT_OK(CountNans(*array, nan_counts_.data()));
    const auto batch = arrow::RecordBatch::Make(column_.schema, array->length(), {array});
    Status written;
    PARQUET_CATCH_NOT_OK(written = writer_->WriteRecordBatch(*batch));
    ARROW_RETURN_NOT_OK(written);
  }
  return Status::OK();
}

int64_t ColumnLane::EstimatedBytes() const {
  int64_t bytes = 0;
  for (int i = 0; i < column_.leaves; ++i) {
    const parquet::ColumnWriter& leaf = *view_->column(i);
    const int64_t compressed =
        leaf.total_compressed_bytes() + leaf.total_compressed_bytes_written();
    const int64_t plain = leaf.total_bytes_written();
    const int64_t waiting =
        leaf.estimated_buffered_value_bytes() + leaf.estimated_buffered_dict_bytes() +
        leaf.estimated_buffered_def_level_bytes() + leaf.estimated_buffered_rep_level_bytes();
    // What waits will shrink as the rest of its column has.
    const double ratio = plain > 0 && compressed > 0
                             ? static_cast<double>(compressed) / static_cast<double>(plain)
                             : 1;
    bytes += compressed + static_cast<int64_t>(static_cast<double>(waiting) * std::min(ratio, 1.0));
  }
  return bytes;
}

}  // namespace amp::parquet_files
