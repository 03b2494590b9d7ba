// Several files as one stream of batches: one schema over all, columns chosen, rows filtered.

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <filesystem>

#include "core/compute.h"
#include "sources/files/data_file.h"
#include "sources/files/find_files.h"
#include "sources/files/scan_plan.h"
#include "sources/files/schema_union.h"

namespace amp {
namespace {

/// Reads file after file; each is opened when its turn comes.
class FilesReader final : public arrow::RecordBatchReader {
 public:
  FilesReader(std::shared_ptr<const ScanPlan> plan, std::vector<std::string> paths,
              FileSourceOptions options, std::unique_ptr<DataFile> first)
      : plan_(std::move(plan)),
        paths_(std::move(paths)),
        options_(std::move(options)),
        opened_(std::move(first)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return plan_->output_schema; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    while (batches_ != nullptr || next_ < paths_.size()) {
      if (batches_ == nullptr) ARROW_RETURN_NOT_OK(OpenNext());
      ARROW_RETURN_NOT_OK(batches_->ReadNext(out));
      if (*out != nullptr) return Status::OK();
      batches_.reset();
      file_.reset();
    }
    return Status::OK();
  }

 private:
  Status OpenNext() {
    const std::string& path = paths_[next_++];
    file_ = std::move(opened_);
    if (file_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(file_, OpenDataFile(path, options_));
    }
    return OpenPlanned(plan_, file_.get(), path).Value(&batches_);
  }

  std::shared_ptr<const ScanPlan> plan_;
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
  source.reader = std::make_shared<FilesReader>(std::make_shared<ScanPlan>(std::move(plan)),
                                                std::move(paths), options, std::move(first));
  return source;
}

}  // namespace amp
