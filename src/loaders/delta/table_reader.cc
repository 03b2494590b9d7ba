#include "loaders/delta/table_reader.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>

#include "loaders/delta/file_reader.h"
#include "loaders/delta/protocol/table_features.h"

namespace amp::delta {
namespace {

class TableRows final : public arrow::RecordBatchReader {
 public:
  TableRows(LogStore log, FileStream files, ReadPlan plan, int64_t limit)
      : log_(std::move(log)), files_(std::move(files)), plan_(std::move(plan)), limit_(limit) {}

  std::shared_ptr<arrow::Schema> schema() const override { return plan_.columns; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    while (limit_ != 0) {
      if (rows_ == nullptr) {
        ARROW_ASSIGN_OR_RAISE(const auto file, files_.Next());
        if (!file) return Status::OK();
        ARROW_ASSIGN_OR_RAISE(rows_, ReadDataFile(log_, *file, plan_));
      }
      ARROW_RETURN_NOT_OK(rows_->ReadNext(out));
      if (*out == nullptr) {
        rows_.reset();
      } else if ((*out)->num_rows() > 0) {
        Limit(out);
        return Status::OK();
      }
    }
    return Status::OK();
  }

 private:
  void Limit(std::shared_ptr<arrow::RecordBatch>* batch) {
    if (limit_ < 0) return;
    *batch = (*batch)->Slice(0, std::min(limit_, (*batch)->num_rows()));
    limit_ -= (*batch)->num_rows();
  }

  const LogStore log_;
  FileStream files_;
  const ReadPlan plan_;
  int64_t limit_;
  std::shared_ptr<arrow::RecordBatchReader> rows_;
};

Status NoTable(const LogReader& reader) {
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                   fmt::format("there is no Delta table in {}", reader.log().Describe()));
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadRows(LogReader reader,
                                                           const ReadOptions& options) {
  const auto none = [](const Add&) { return false; };
  std::optional<int64_t> version = options.version;
  if (options.timestamp_ms) {
    ARROW_ASSIGN_OR_RAISE(version, reader.VersionAt(*options.timestamp_ms));
  }
  std::optional<Snapshot> snapshot;
  if (version) {
    ARROW_ASSIGN_OR_RAISE(snapshot, reader.LoadAt(*version, none));
  } else {
    ARROW_ASSIGN_OR_RAISE(snapshot, reader.Load(none));
  }
  if (!snapshot) return NoTable(reader);
  ARROW_RETURN_NOT_OK(CheckReadable(snapshot->protocol(), snapshot->metadata()));
  ARROW_ASSIGN_OR_RAISE(ReadPlan plan, PlanRead(snapshot->metadata()));
  ARROW_ASSIGN_OR_RAISE(FileStream files, reader.Files(snapshot->version()));
  return std::make_shared<TableRows>(reader.log(), std::move(files), std::move(plan),
                                     options.limit);
}

}  // namespace amp::delta
