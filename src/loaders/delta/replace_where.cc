#include "loaders/delta/replace_where.h"

#include <arrow/compute/exec.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <fmt/format.h>

#include "core/where.h"
#include "loaders/delta/protocol/partition_values.h"
#include "loaders/delta/protocol/schema_json.h"

namespace amp::delta {

Result<ReplaceWhere> ReplaceWhere::Parse(const std::string& text, const Metadata& metadata) {
  ReplaceWhere where;
  if (text.empty()) return where;
  ARROW_ASSIGN_OR_RAISE(const auto columns, SchemaFromJson(metadata.schema_string));
  arrow::FieldVector fields;
  for (const std::string& name : metadata.partition_columns) {
    fields.push_back(columns->GetFieldByName(name));
  }
  where.text_ = text;
  where.columns_ = arrow::schema(std::move(fields));
  auto parsed = ParseWhere(text, *where.columns_);
  if (!parsed.ok()) {
    return WithContext(parsed.status(),
                       fmt::format("option 'replace_where' (over the partition columns: {})",
                                   fmt::join(metadata.partition_columns, ", ")));
  }
  ARROW_ASSIGN_OR_RAISE(where.expression_, parsed->expression.Bind(*where.columns_));
  return where;
}

Result<bool> ReplaceWhere::Fits(const NullableMap& partition_values) const {
  if (!expression_) return true;
  arrow::ArrayVector values;
  for (const auto& field : columns_->fields()) {
    const auto found = partition_values.find(field->name());
    const auto text = found == partition_values.end() ? std::nullopt : found->second;
    ARROW_ASSIGN_OR_RAISE(values.emplace_back(), ParsePartitionValue(text, field->type()));
  }
  const auto row = arrow::RecordBatch::Make(columns_, 1, std::move(values));
  ARROW_ASSIGN_OR_RAISE(const auto fits, arrow::compute::ExecuteScalarExpression(
                                             *expression_, arrow::compute::ExecBatch(*row)));
  // What is neither true nor false, as with a null, does not fit.
  std::shared_ptr<arrow::Scalar> answer = fits.is_scalar() ? fits.scalar() : nullptr;
  if (answer == nullptr) {
    ARROW_ASSIGN_OR_RAISE(answer, fits.make_array()->GetScalar(0));
  }
  return answer->is_valid && static_cast<const arrow::BooleanScalar&>(*answer).value;
}

Status ReplaceWhere::CheckNew(const Add& add) const {
  ARROW_ASSIGN_OR_RAISE(const bool fits, Fits(add.partition_values));
  if (fits) return Status::OK();
  return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget},
                   fmt::format("there are rows of a partition that 'replace_where' ({}) does not "
                               "replace ({}); leave them out of the load, or widen the expression",
                               text_, add.file.path));
}

}  // namespace amp::delta
