#include "loaders/postgresql/keyed_rows.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "loaders/postgresql/key_index.h"
#include "loaders/postgresql/type_map.h"

namespace amp::postgresql {
namespace {

// Bounds what one statement sorts and keeps on the server.
constexpr int64_t kMostStagedRows = 500'000;
// Emptying the table is dearer than passing over so many rows.
constexpr int64_t kMostStaleRows = 20'000;

Result<std::shared_ptr<arrow::Array>> CountFrom(int64_t first, int64_t count) {
  arrow::Int64Builder builder;
  ARROW_RETURN_NOT_OK(builder.Reserve(count));
  for (int64_t i = 0; i < count; ++i) builder.UnsafeAppend(first + i);
  return builder.Finish();
}

std::shared_ptr<arrow::Schema> StageSchema(const arrow::Schema& plain) {
  arrow::FieldVector fields = plain.fields();
  fields.insert(fields.begin(), arrow::field(std::string(kRowColumn), arrow::int64()));
  return arrow::schema(std::move(fields));
}

}  // namespace

Result<KeyedRows> KeyedRows::Make(Connection& connection, KeyedTarget target,
                                  const std::vector<uint32_t>& oids) {
  ARROW_RETURN_NOT_OK(connection.Execute(StageSql(target), "creating the staging table"));
  std::vector<uint32_t> stage_oids = oids;
  stage_oids.insert(stage_oids.begin(), oid::kInt8);
  ARROW_ASSIGN_OR_RAISE(RowCopier rows,
                        RowCopier::Make(target.stage(), StageSchema(*target.plain), stage_oids));
  return KeyedRows(std::move(target), std::move(rows));
}

Status KeyedRows::Write(Connection& connection, std::optional<int64_t> batch_id,
                        const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(CheckNoNullKeys(batch, target_.key, next_row_));
  if (batch_id != batch_id_ || next_row_ - first_row_ >= kMostStagedRows) {
    ARROW_RETURN_NOT_OK(Flush(connection));
  }
  batch_id_ = batch_id;
  ARROW_ASSIGN_OR_RAISE(const auto numbers, CountFrom(next_row_, batch.num_rows()));
  ARROW_ASSIGN_OR_RAISE(const auto numbered, batch.AddColumn(0, std::string(kRowColumn), numbers));
  ARROW_RETURN_NOT_OK(rows_.Write(connection, *numbered));
  next_row_ += batch.num_rows();
  return Status::OK();
}

Status KeyedRows::Flush(Connection& connection) {
  ARROW_RETURN_NOT_OK(rows_.End(connection));
  if (first_row_ == next_row_) return Status::OK();
  ARROW_RETURN_NOT_OK(BringOver(connection));
  stale_rows_ += next_row_ - first_row_;
  first_row_ = next_row_;
  return stale_rows_ > kMostStaleRows ? EmptyStage(connection) : Status::OK();
}

Status KeyedRows::EmptyStage(Connection& connection) {
  stale_rows_ = 0;
  return connection.Execute("TRUNCATE " + target_.stage(), "emptying the staging table").status();
}

Status KeyedRows::BringOver(Connection& connection) {
  if (!batch_id_) {
    return connection.Execute(UpsertSql(target_, first_row_), "storing rows by key").status();
  }
  ARROW_ASSIGN_OR_RAISE(const auto counts,
                        connection.Query(UpsertWithImagesSql(target_, first_row_, *batch_id_),
                                         "storing rows by key"));
  if (counts.integer(0, 0) == counts.integer(0, 1) + counts.integer(0, 2)) return Status::OK();
  return MakeError({.kind = ErrorKind::kConflict,
                    .side = ErrorSide::kTarget,
                    .operation = "storing rows by key",
                    .retryable = true},
                   fmt::format("table '{}': someone else has inserted the same keys at the same "
                               "moment; try again",
                               target_.place.table));
}

}  // namespace amp::postgresql
