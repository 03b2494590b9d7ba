// Several files as one stream of batches: one schema over all, columns chosen, rows filtered.

#include <arrow/array/util.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <mutex>

#include "amp/config.h"
#include "core/compute.h"
#include "sources/files/data_file.h"
#include "sources/files/find_files.h"
#include "sources/files/where.h"

namespace amp {
namespace {

using SchemaPtr = std::shared_ptr<arrow::Schema>;

/// The union of the files' columns, in the order in which they are first seen.
class SchemaUnion {
 public:
  Status Add(const std::string& path, const arrow::Schema& schema) {
    for (const auto& field : schema.fields()) {
      if (schema.GetAllFieldIndices(field->name()).size() > 1) {
        return Refuse(fmt::format("file '{}' has two columns '{}'", path, field->name()));
      }
      ARROW_RETURN_NOT_OK(AddField(path, field->RemoveMetadata()));
    }
    for (auto& [known, from] : fields_) {
      if (schema.GetFieldIndex(known->name()) < 0) known = known->WithNullable(true);
    }
    ++files_;
    return Status::OK();
  }

  SchemaPtr Finish() const {
    std::vector<std::shared_ptr<arrow::Field>> fields;
    for (const auto& [field, from] : fields_) fields.push_back(field);
    return arrow::schema(std::move(fields));
  }

 private:
  static Status Refuse(std::string why) {
    return MakeError({.kind = ErrorKind::kSchemaMismatch, .side = ErrorSide::kSource},
                     std::move(why));
  }

  Status AddField(const std::string& path, const std::shared_ptr<arrow::Field>& field) {
    const auto known = std::find_if(fields_.begin(), fields_.end(), [&](const auto& entry) {
      return entry.first->name() == field->name();
    });
    if (known == fields_.end()) {
      fields_.emplace_back(files_ > 0 ? field->WithNullable(true) : field, path);
      return Status::OK();
    }
    auto& [have, from] = *known;
    // A column in which a text file had nothing to tell a type from takes any type.
    if (have->type()->id() == arrow::Type::NA) {
      have = field->WithNullable(true);
      from = path;
      return Status::OK();
    }
    if (field->type()->id() != arrow::Type::NA && !field->type()->Equals(*have->type())) {
      return Refuse(fmt::format(
          "column '{}' is {} in file '{}' and {} in file '{}'; load them "
          "apart, or leave the column out with --columns",
          field->name(), have->type()->ToString(), from, field->type()->ToString(), path));
    }
    if (field->nullable()) have = have->WithNullable(true);
    return Status::OK();
  }

  std::vector<std::pair<std::shared_ptr<arrow::Field>, std::string>> fields_;
  size_t files_ = 0;
};

/// What is read of every file and what of it comes out.
struct ScanPlan {
  SchemaPtr read_schema;  ///< output columns, then those that only the filter needs
  SchemaPtr output_schema;
  std::optional<arrow::compute::Expression> filter;        ///< as written
  std::optional<arrow::compute::Expression> bound_filter;  ///< over read_schema
  int64_t batch_rows = 0;
};

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

/// Reads file after file; each is opened when its turn comes.
class FilesReader final : public arrow::RecordBatchReader {
 public:
  FilesReader(ScanPlan plan, std::vector<std::string> paths, FileSourceOptions options,
              std::unique_ptr<DataFile> first)
      : plan_(std::move(plan)),
        paths_(std::move(paths)),
        options_(std::move(options)),
        opened_(std::move(first)) {}

  SchemaPtr schema() const override { return plan_.output_schema; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    const Status status = ReadNextOfFile(out);
    if (status.ok()) return status;
    const Status named = next_ == 0 || status.message().starts_with("file '")
                             ? status
                             : WithContext(status, fmt::format("file '{}'", paths_[next_ - 1]));
    return WithSide(named, ErrorSide::kSource);
  }

 private:
  Status ReadNextOfFile(std::shared_ptr<arrow::RecordBatch>* out) {
    while (true) {
      if (batches_ == nullptr) {
        if (next_ == paths_.size()) {
          out->reset();
          return Status::OK();
        }
        ARROW_RETURN_NOT_OK(OpenNext());
      }
      std::shared_ptr<arrow::RecordBatch> batch;
      ARROW_RETURN_NOT_OK(batches_->ReadNext(&batch));
      if (batch == nullptr) {
        batches_.reset();
        file_.reset();
        continue;
      }
      ARROW_ASSIGN_OR_RAISE(*out, Shape(*batch));
      if ((*out)->num_rows() > 0) return Status::OK();
    }
  }

  Status OpenNext() {
    const std::string& path = paths_[next_++];
    file_ = std::move(opened_);
    if (file_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(file_, OpenDataFile(path, options_));
    }
    FileScan scan{.columns = {}, .filter = {}, .batch_rows = plan_.batch_rows};
    for (const std::string& name : plan_.read_schema->field_names()) {
      if (file_->schema()->GetFieldIndex(name) >= 0) scan.columns.push_back(name);
    }
    const bool has_all = static_cast<int>(scan.columns.size()) == plan_.read_schema->num_fields();
    if (has_all) scan.filter = plan_.filter;
    return file_->Read(scan).Value(&batches_);
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Shape(const arrow::RecordBatch& batch) const {
    ARROW_ASSIGN_OR_RAISE(auto shaped, FillColumns(batch));
    if (plan_.bound_filter) {
      ARROW_ASSIGN_OR_RAISE(arrow::Datum mask,
                            arrow::compute::ExecuteScalarExpression(
                                *plan_.bound_filter, arrow::compute::ExecBatch(*shaped)));
      ARROW_ASSIGN_OR_RAISE(arrow::Datum kept, arrow::compute::Filter(shaped, mask));
      shaped = kept.record_batch();
    }
    std::vector<std::shared_ptr<arrow::Array>> columns(
        shaped->columns().begin(), shaped->columns().begin() + plan_.output_schema->num_fields());
    return arrow::RecordBatch::Make(plan_.output_schema, shaped->num_rows(), std::move(columns));
  }

  // A column that the file lacks is null.
  Result<std::shared_ptr<arrow::RecordBatch>> FillColumns(const arrow::RecordBatch& batch) const {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (const auto& field : plan_.read_schema->fields()) {
      auto column = batch.GetColumnByName(field->name());
      const bool none = column == nullptr || (column->type_id() == arrow::Type::NA &&
                                              field->type()->id() != arrow::Type::NA);
      if (none) {
        ARROW_ASSIGN_OR_RAISE(column, arrow::MakeArrayOfNull(field->type(), batch.num_rows()));
      }
      columns.push_back(std::move(column));
    }
    return arrow::RecordBatch::Make(plan_.read_schema, batch.num_rows(), std::move(columns));
  }

  ScanPlan plan_;
  std::vector<std::string> paths_;
  FileSourceOptions options_;
  std::unique_ptr<DataFile> opened_;  // the first one, from looking at schemas
  std::unique_ptr<DataFile> file_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  size_t next_ = 0;
};

int64_t SizeOf(const std::string& path) {
  std::error_code error;
  const auto size = std::filesystem::file_size(path, error);
  return error ? 0 : static_cast<int64_t>(size);
}

}  // namespace

Result<FileSource> OpenFiles(const FileSourceOptions& options) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> paths, FindFiles(options.paths));
  FileSource source{.reader = nullptr, .files = paths.size(), .bytes = 0, .rows = 0};
  SchemaUnion schemas;
  std::unique_ptr<DataFile> first;
  for (const std::string& path : paths) {
    ARROW_ASSIGN_OR_RAISE(auto file, OpenDataFile(path, options));
    ARROW_RETURN_NOT_OK(schemas.Add(path, *file->schema()));
    source.bytes += SizeOf(path);
    const auto rows = file->num_rows();
    source.rows = rows && source.rows ? std::optional(*rows + *source.rows) : std::nullopt;
    if (first == nullptr) first = std::move(file);
  }
  ARROW_ASSIGN_OR_RAISE(ScanPlan plan, PlanScan(*schemas.Finish(), options));
  if (plan.filter) source.rows = std::nullopt;
  source.reader =
      std::make_shared<FilesReader>(std::move(plan), std::move(paths), options, std::move(first));
  return source;
}

}  // namespace amp
