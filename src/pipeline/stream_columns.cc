#include "pipeline/stream_columns.h"

#include <arrow/array.h>
#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/stream_state.h"

namespace amp {
namespace {

Result<std::shared_ptr<arrow::Array>> BatchIds(int64_t id, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> buffer,
                        arrow::AllocateBuffer(rows * static_cast<int64_t>(sizeof(int64_t))));
  std::fill_n(reinterpret_cast<int64_t*>(buffer->mutable_data()), rows, id);
  return std::make_shared<arrow::Int64Array>(rows, std::move(buffer));
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> WithStreamColumns(const arrow::Schema& schema,
                                                         bool block_ranges) {
  for (const auto& field : schema.fields()) {
    if (!field->name().starts_with("_amp_")) continue;
    return MakeError({.kind = ErrorKind::kSchemaMismatch, .side = ErrorSide::kSource},
                     fmt::format("column '{}' of the source has a name that is Ampload's own; give "
                                 "it another in the query",
                                 field->name()));
  }
  arrow::FieldVector fields = schema.fields();
  fields.push_back(arrow::field(std::string(kBatchIdColumn), arrow::int64()));
  if (block_ranges) fields.push_back(arrow::field(std::string(kBlockRangesColumn), arrow::utf8()));
  return arrow::schema(std::move(fields));
}

Result<std::shared_ptr<arrow::RecordBatch>> AddStreamColumns(
    const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& schema,
    const BatchRecord& record) {
  std::vector<std::shared_ptr<arrow::Array>> columns = batch.columns();
  ARROW_ASSIGN_OR_RAISE(auto ids, BatchIds(*record.id, batch.num_rows()));
  columns.push_back(std::move(ids));
  if (schema->num_fields() > static_cast<int>(columns.size())) {
    ARROW_ASSIGN_OR_RAISE(
        auto ranges, arrow::MakeArrayFromScalar(
                         arrow::StringScalar(BlockRangesToText(record.ranges)), batch.num_rows()));
    columns.push_back(std::move(ranges));
  }
  return arrow::RecordBatch::Make(schema, batch.num_rows(), std::move(columns));
}

}  // namespace amp
