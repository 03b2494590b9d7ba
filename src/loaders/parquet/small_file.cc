#include "loaders/parquet/small_file.h"

#include <arrow/chunked_array.h>
#include <arrow/io/memory.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/file_writer.h>

#include <utility>

#include "loaders/parquet/column_lane.h"
#include "loaders/parquet/nan_count.h"
#include "loaders/parquet/recycling_pool.h"
#include "loaders/parquet/statistics.h"

namespace amp::parquet_files {
namespace {

// Grows by itself where the rows compress less.
constexpr int64_t kFirstBytes = 64 << 10;

Status WriteColumn(const FilePlan& plan, const arrow::RecordBatchVector& batches, int index,
                   parquet::arrow::FileWriter* writer, int64_t* nan_counts) {
  const PlannedColumn& column = plan.columns[static_cast<size_t>(index)];
  arrow::ArrayVector arrays;
  for (const auto& batch : batches) arrays.push_back(batch->column(index));
  ARROW_ASSIGN_OR_RAISE(arrays, PrepareArrays(column, std::move(arrays)));
  if (column.has_floats) {
    for (const auto& array : arrays) {
      ARROW_RETURN_NOT_OK(CountNans(*array, nan_counts + column.first_leaf));
    }
  }
  return writer->WriteColumnChunk(
      std::make_shared<arrow::ChunkedArray>(std::move(arrays), column.schema->field(0)->type()));
}

Status WriteColumns(const FilePlan& plan, const arrow::RecordBatchVector& batches,
                    parquet::arrow::FileWriter* writer, int64_t* nan_counts) {
  ARROW_RETURN_NOT_OK(writer->NewRowGroup());
  for (int i = 0; i < plan.schema->num_fields(); ++i) {
    ARROW_RETURN_NOT_OK(WriteColumn(plan, batches, i, writer, nan_counts));
  }
  return writer->Close();
}

// With the writer gone, so that all of it is in the buffer.
Result<DataFile> Encode(const FilePlan& plan, const arrow::RecordBatchVector& batches,
                        const std::shared_ptr<arrow::io::OutputStream>& sink) {
  std::unique_ptr<parquet::arrow::FileWriter> writer;
  ARROW_RETURN_NOT_OK(parquet::arrow::FileWriter::Make(
      RecyclingPool::Instance(),
      parquet::ParquetFileWriter::Open(sink, plan.parquet_schema, plan.properties, plan.metadata),
      plan.schema, plan.arrow_properties, &writer));
  std::vector<int64_t> nan_counts(plan.leaves.size());
  ARROW_RETURN_NOT_OK(WriteColumns(plan, batches, writer.get(), nan_counts.data()));
  return Describe(plan, *writer->metadata(), nan_counts);
}

}  // namespace

Result<SmallFile> EncodeSmallFile(const FilePlan& plan, const arrow::RecordBatchVector& batches) {
  ARROW_ASSIGN_OR_RAISE(const auto sink, arrow::io::BufferOutputStream::Create(kFirstBytes));
  SmallFile small;
  Result<DataFile> file = DataFile{};
  PARQUET_CATCH_NOT_OK(file = Encode(plan, batches, sink));
  ARROW_ASSIGN_OR_RAISE(small.file, std::move(file));
  ARROW_ASSIGN_OR_RAISE(small.bytes, sink->Finish());
  small.file.bytes = small.bytes->size();
  return small;
}

}  // namespace amp::parquet_files
