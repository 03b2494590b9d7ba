// Files as units that are read one by one.

#include <arrow/record_batch.h>
#include <arrow/util/utf8.h>
#include <fmt/format.h>

#include <filesystem>
#include <set>

#include "amp/job.h"
#include "core/compute.h"
#include "sources/files/data_file.h"
#include "sources/files/find_files.h"
#include "sources/files/fingerprint.h"
#include "sources/files/scan_plan.h"
#include "sources/files/schema_union.h"

namespace amp {
namespace {

/// The options as a user gives them.
std::string QueryOf(const FileSourceOptions& options) {
  std::string query = "load --job";
  if (!options.columns.empty())
    query += fmt::format(" --columns {}", fmt::join(options.columns, ","));
  if (options.format) query += fmt::format(" --format {}", ToString(*options.format));
  if (!options.where.empty()) query += fmt::format(" --where {}", options.where);
  return query;
}

Result<std::string> NameOf(const std::string& path) {
  std::error_code error;
  std::string name = path;
  if (!InputFiles::IsRemote(path)) {
    name = std::filesystem::absolute(path, error).lexically_normal().string();
    if (error) name = path;
  }
  arrow::util::InitializeUTF8();
  if (arrow::util::ValidateUTF8(name)) return name;
  return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kSource},
                   fmt::format("file '{}': its name is not UTF-8, so a job cannot remember it; "
                               "rename it, or load it without --job",
                               path));
}

class FileUnits final : public JobSource {
 public:
  explicit FileUnits(FileSourceOptions options) : options_(std::move(options)) {}

  Status Find() {
    ARROW_ASSIGN_OR_RAISE(const auto paths, FindFiles(&files_, options_.paths));
    SchemaUnion schemas;
    std::set<std::string> seen;
    for (const std::string& path : paths) {
      ARROW_ASSIGN_OR_RAISE(const std::string name, NameOf(path));
      if (seen.insert(name).second) ARROW_RETURN_NOT_OK(AddFile(path, name, &schemas));
    }
    ARROW_ASSIGN_OR_RAISE(ScanPlan plan, PlanScan(*schemas.Finish(), options_));
    plan_ = std::make_shared<ScanPlan>(std::move(plan));
    return Status::OK();
  }

  std::shared_ptr<arrow::Schema> schema() const override { return plan_->output_schema; }
  const std::vector<JobUnit>& units() const override { return units_; }
  std::string query() const override { return QueryOf(options_); }

  Result<std::shared_ptr<arrow::RecordBatchReader>> Open(size_t unit) override {
    const std::string& path = paths_[unit];
    const int part = static_cast<int>(units_[unit].part);
    // Row groups of one file share what is opened of it; another file begins anew for each part.
    if (file_ == nullptr || opened_ != path || file_->parts() <= 1) {
      ARROW_RETURN_NOT_OK(CheckUnchanged(unit));
      ARROW_ASSIGN_OR_RAISE(file_, OpenDataFile(&files_, path, options_));
      opened_ = path;
    }
    const bool whole = file_->parts() <= 1;
    return OpenPlanned(plan_, file_.get(), path, whole ? std::nullopt : std::optional(part));
  }

 private:
  // A file without any row group is a unit too: so it counts as loaded.
  Status AddFile(const std::string& path, const std::string& name, SchemaUnion* schemas) {
    ARROW_ASSIGN_OR_RAISE(const std::string fingerprint, Fingerprint(&files_, path));
    ARROW_ASSIGN_OR_RAISE(const auto file, OpenDataFile(&files_, path, options_));
    ARROW_RETURN_NOT_OK(schemas->Add(path, *file->schema()));
    const int parts = std::max(1, file->parts());
    for (int part = 0; part < parts; ++part) {
      const auto rows = file->parts() <= 1 ? file->num_rows() : file->rows_of_part(part);
      units_.push_back({.file = name,
                        .part = static_cast<uint64_t>(part),
                        .fingerprint = fingerprint,
                        .rows = rows});
      paths_.push_back(path);
    }
    return Status::OK();
  }

  Status CheckUnchanged(size_t unit) {
    ARROW_ASSIGN_OR_RAISE(const std::string now, Fingerprint(&files_, paths_[unit]));
    if (now == units_[unit].fingerprint) return Status::OK();
    return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kSource},
                     fmt::format("file '{}' has changed since this load began; load files only "
                                 "once they are written whole",
                                 paths_[unit]));
  }

  FileSourceOptions options_;
  InputFiles files_;
  std::shared_ptr<const ScanPlan> plan_;
  std::vector<JobUnit> units_;
  std::vector<std::string> paths_;  ///< of each unit, as it was found
  std::unique_ptr<DataFile> file_;
  std::string opened_;
};

}  // namespace

Result<std::unique_ptr<JobSource>> OpenFileUnits(const FileSourceOptions& options) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  for (const std::string& path : options.paths) {
    if (path != kStandardInput) continue;
    return MakeError(ErrorKind::kConfigInvalid,
                     "--job needs files that can be read again, so it cannot read standard input "
                     "('-'); save it to a file first, or load without --job");
  }
  auto units = std::make_unique<FileUnits>(options);
  ARROW_RETURN_NOT_OK(units->Find());
  return units;
}

}  // namespace amp
