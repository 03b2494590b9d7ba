#include "sources/files/scan_plan.h"

#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "amp/config.h"
#include "core/where.h"

namespace amp {
namespace {

using SchemaPtr = std::shared_ptr<arrow::Schema>;

SchemaPtr SelectFields(const arrow::Schema& schema, const std::vector<std::string>& names) {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  fields.reserve(names.size());
  for (const std::string& name : names) fields.push_back(schema.GetFieldByName(name));
  return arrow::schema(std::move(fields));
}

Status CheckColumns(const std::vector<std::string>& columns, const arrow::Schema& schema) {
  for (const std::string& name : columns) {
    if (schema.GetFieldIndex(name) >= 0) continue;
    const std::string nearest = NearestName(name, schema.field_names());
    return MakeError(
        ErrorKind::kConfigInvalid,
        fmt::format("--columns: there is no column '{}'; {}", name,
                    nearest.empty()
                        ? fmt::format("there are: {}", fmt::join(schema.field_names(), ", "))
                        : fmt::format("did you mean '{}'?", nearest)));
  }
  return Status::OK();
}

// A column that the file lacks is null.
Result<std::shared_ptr<arrow::RecordBatch>> FillColumns(const ScanPlan& plan,
                                                        const arrow::RecordBatch& batch) {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& field : plan.read_schema->fields()) {
    auto column = batch.GetColumnByName(field->name());
    const bool none = column == nullptr || (column->type_id() == arrow::Type::NA &&
                                            field->type()->id() != arrow::Type::NA);
    if (none) {
      ARROW_ASSIGN_OR_RAISE(column, arrow::MakeArrayOfNull(field->type(), batch.num_rows()));
    }
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(plan.read_schema, batch.num_rows(), std::move(columns));
}

Result<std::shared_ptr<arrow::RecordBatch>> Shape(const ScanPlan& plan,
                                                  const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(auto shaped, FillColumns(plan, batch));
  if (plan.bound_filter) {
    ARROW_ASSIGN_OR_RAISE(arrow::Datum mask,
                          arrow::compute::ExecuteScalarExpression(
                              *plan.bound_filter, arrow::compute::ExecBatch(*shaped)));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum kept, arrow::compute::Filter(shaped, mask));
    shaped = kept.record_batch();
  }
  std::vector<std::shared_ptr<arrow::Array>> columns(
      shaped->columns().begin(), shaped->columns().begin() + plan.output_schema->num_fields());
  return arrow::RecordBatch::Make(plan.output_schema, shaped->num_rows(), std::move(columns));
}

class PlannedReader final : public arrow::RecordBatchReader {
 public:
  PlannedReader(std::shared_ptr<const ScanPlan> plan, std::string path,
                std::shared_ptr<arrow::RecordBatchReader> batches)
      : plan_(std::move(plan)), path_(std::move(path)), batches_(std::move(batches)) {}

  SchemaPtr schema() const override { return plan_->output_schema; }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    return InFile(path_, ReadNextShaped(out));
  }

  static Status InFile(const std::string& path, const Status& status) {
    if (status.ok()) return status;
    const bool named = path == "-" || status.message().starts_with("file '");
    return WithSide(named ? status : WithContext(status, fmt::format("file '{}'", path)),
                    ErrorSide::kSource);
  }

 private:
  Status ReadNextShaped(std::shared_ptr<arrow::RecordBatch>* out) {
    do {
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
      out->reset();
      if (batch == nullptr) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(*out, Shape(*plan_, *batch));
    } while ((*out)->num_rows() == 0);
    return Status::OK();
  }

  std::shared_ptr<const ScanPlan> plan_;
  std::string path_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
};

}  // namespace

Result<ScanPlan> PlanScan(const arrow::Schema& all, const FileSourceOptions& options) {
  ScanPlan plan;
  plan.batch_rows = options.batch_rows;
  std::vector<std::string> names = options.columns.empty() ? all.field_names() : options.columns;
  ARROW_RETURN_NOT_OK(CheckColumns(names, all));
  plan.output_schema = SelectFields(all, names);
  if (options.where.empty()) {
    plan.read_schema = plan.output_schema;
    return plan;
  }
  ARROW_ASSIGN_OR_RAISE(Where where, ParseWhere(options.where, all));
  for (const std::string& name : where.columns) {
    if (std::find(names.begin(), names.end(), name) == names.end()) names.push_back(name);
  }
  plan.read_schema = SelectFields(all, names);
  ARROW_ASSIGN_OR_RAISE(plan.bound_filter, where.expression.Bind(*plan.read_schema));
  plan.filter = std::move(where.expression);
  return plan;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> OpenPlanned(std::shared_ptr<const ScanPlan> plan,
                                                              DataFile* file,
                                                              const std::string& path,
                                                              std::optional<int> part) {
  FileScan scan{.columns = {}, .filter = {}, .batch_rows = plan->batch_rows, .part = part};
  for (const std::string& name : plan->read_schema->field_names()) {
    if (file->schema()->GetFieldIndex(name) >= 0) scan.columns.push_back(name);
  }
  const bool has_all = static_cast<int>(scan.columns.size()) == plan->read_schema->num_fields();
  if (has_all) scan.filter = plan->filter;
  auto batches = file->Read(scan);
  ARROW_RETURN_NOT_OK(PlannedReader::InFile(path, batches.status()));
  return std::make_shared<PlannedReader>(std::move(plan), path, *std::move(batches));
}

}  // namespace amp
