// Several files as one stream of batches: one schema over all, columns chosen, rows filtered.

#include <arrow/record_batch.h>
#include <arrow/type.h>

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
  FilesReader(std::shared_ptr<InputFiles> files, std::shared_ptr<const ScanPlan> plan,
              std::vector<std::string> paths, FileSourceOptions options,
              std::unique_ptr<DataFile> first)
      : files_(std::move(files)),
        plan_(std::move(plan)),
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
      ARROW_ASSIGN_OR_RAISE(file_, OpenDataFile(files_.get(), path, options_));
    }
    return OpenPlanned(plan_, file_.get(), path).Value(&batches_);
  }

  std::shared_ptr<InputFiles> files_;
  std::shared_ptr<const ScanPlan> plan_;
  std::vector<std::string> paths_;
  FileSourceOptions options_;
  std::unique_ptr<DataFile> opened_;  // the first one, from looking at schemas
  std::unique_ptr<DataFile> file_;
  std::shared_ptr<arrow::RecordBatchReader> batches_;
  size_t next_ = 0;
};

}  // namespace

Result<FileSource> OpenFiles(const FileSourceOptions& options) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  const auto files = std::make_shared<InputFiles>();
  ARROW_ASSIGN_OR_RAISE(std::vector<std::string> paths, FindFiles(files.get(), options.paths));
  FileSource source{.reader = nullptr, .files = paths.size(), .bytes = 0, .rows = 0};
  SchemaUnion schemas;
  std::unique_ptr<DataFile> first;
  for (const std::string& path : paths) {
    ARROW_ASSIGN_OR_RAISE(auto file, OpenDataFile(files.get(), path, options));
    ARROW_RETURN_NOT_OK(schemas.Add(path, *file->schema()));
    source.bytes += files->SizeOf(path);
    const auto rows = file->num_rows();
    source.rows = rows && source.rows ? std::optional(*rows + *source.rows) : std::nullopt;
    if (first == nullptr) first = std::move(file);
  }
  ARROW_ASSIGN_OR_RAISE(ScanPlan plan, PlanScan(*schemas.Finish(), options));
  if (plan.filter) source.rows = std::nullopt;
  source.reader = std::make_shared<FilesReader>(files, std::make_shared<ScanPlan>(std::move(plan)),
                                                std::move(paths), options, std::move(first));
  return source;
}

}  // namespace amp
