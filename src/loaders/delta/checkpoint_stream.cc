#include "loaders/delta/checkpoint_stream.h"

#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <parquet/arrow/reader.h>
#include <parquet/exception.h>
#include <parquet/file_reader.h>
#include <parquet/properties.h>
#include <parquet/schema.h>

#include <algorithm>

#include "loaders/delta/protocol/action_json.h"
#include "loaders/delta/protocol/checkpoint_rows.h"

namespace amp::delta {
namespace {

constexpr int64_t kRowsAtOnce = 4'096;

// Leaf columns below the columns that are of use. "…_parsed" repeats what is there as text, but for
// the number of rows.
std::vector<int> UsefulLeaves(const parquet::FileMetaData& metadata) {
  std::vector<int> leaves;
  for (int i = 0; i < metadata.num_columns(); ++i) {
    const auto parts = metadata.schema()->Column(i)->path()->ToDotVector();
    const Strings& useful = CheckpointColumns();
    if (std::find(useful.begin(), useful.end(), parts[0]) == useful.end()) continue;
    const bool parsed = parts.size() > 1 && parts[1].ends_with("_parsed");
    const bool row_count =
        parts.size() == 3 && parts[1] == "stats_parsed" && parts[2] == "numRecords";
    if (!parsed || row_count) leaves.push_back(i);
  }
  return leaves;
}

Status Unreadable(const std::string& path, std::string_view why) {
  return MakeError({.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget},
                   fmt::format("checkpoint {} cannot be read: {}", path, why));
}

}  // namespace

class CheckpointStream::ParquetRows {
 public:
  static Result<std::unique_ptr<ParquetRows>> Open(const LogStore& log, const std::string& name) {
    const std::string path = log.LogPath(name);
    ARROW_ASSIGN_OR_RAISE(auto file, log.store().Open(path));
    auto rows = std::make_unique<ParquetRows>();
    rows->path_ = log.store().Describe(path);
    const Status opened = rows->OpenReader(std::move(file));
    if (opened.ok()) return rows;
    if (opened.IsIOError()) return opened;  // of the store, which says what it is
    return Unreadable(rows->path_, opened.message());
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Next() {
    std::shared_ptr<arrow::RecordBatch> batch;
    const Status read = ReadNext(&batch);
    if (!read.ok() && !read.IsIOError()) return Unreadable(path_, read.message());
    ARROW_RETURN_NOT_OK(read);
    return batch;
  }
  const std::string& path() const { return path_; }

 private:
  // Parquet throws; what it throws ends here.
  Status OpenReader(std::shared_ptr<arrow::io::RandomAccessFile> file) {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    parquet::ArrowReaderProperties properties;
    properties.set_batch_size(kRowsAtOnce);
    parquet::arrow::FileReaderBuilder builder;
    ARROW_RETURN_NOT_OK(builder.Open(std::move(file)));
    builder.properties(properties);
    ARROW_RETURN_NOT_OK(builder.Build(&reader_));
    leaves_ = UsefulLeaves(*reader_->parquet_reader()->metadata());
    END_PARQUET_CATCH_EXCEPTIONS
    return Status::OK();
  }
  // Row group by row group: asked for several at once, Arrow keeps all their bytes.
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) {
    BEGIN_PARQUET_CATCH_EXCEPTIONS
    while (batches_ != nullptr || row_group_ < reader_->num_row_groups()) {
      if (batches_ == nullptr) {
        ARROW_ASSIGN_OR_RAISE(batches_, reader_->GetRecordBatchReader({row_group_++}, leaves_));
      }
      ARROW_RETURN_NOT_OK(batches_->ReadNext(batch));
      if (*batch != nullptr) return Status::OK();
      batches_.reset();
    }
    END_PARQUET_CATCH_EXCEPTIONS
    return Status::OK();
  }

  std::string path_;
  std::unique_ptr<parquet::arrow::FileReader> reader_;
  std::vector<int> leaves_;
  int row_group_ = 0;
  std::unique_ptr<arrow::RecordBatchReader> batches_;
};

CheckpointStream::CheckpointStream(LogStore log, std::vector<LogFile> files)
    : log_(std::move(log)), files_(files.begin(), files.end()) {}

CheckpointStream::CheckpointStream(CheckpointStream&&) noexcept = default;
CheckpointStream& CheckpointStream::operator=(CheckpointStream&&) noexcept = default;
CheckpointStream::~CheckpointStream() = default;

Status CheckpointStream::Take(Action action) {
  if (const auto* sidecar = std::get_if<Sidecar>(&action)) {
    // Names of files beside each other; a table that is a copy may still have whole paths.
    sidecars_.push_back(sidecar->path.substr(sidecar->path.rfind('/') + 1));
  } else {
    ready_.push_back(std::move(action));
  }
  return Status::OK();
}

Status CheckpointStream::ReadJson(const std::string& name) {
  const std::string path = log_.LogPath(name);
  ARROW_ASSIGN_OR_RAISE(const auto buffer, log_.store().Read(path));
  return ForEachAction(std::string_view(*buffer), log_.store().Describe(path),
                       [&](Action action) { return Take(std::move(action)); });
}

Status CheckpointStream::OpenParquet(const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(rows_, ParquetRows::Open(log_, name));
  return Status::OK();
}

Status CheckpointStream::OpenNext() {
  if (!files_.empty()) {
    const LogFile file = std::move(files_.front());
    files_.pop_front();
    return file.kind == LogFileKind::kV2CheckpointJson ? ReadJson(file.name)
                                                       : OpenParquet(file.name);
  }
  const std::string sidecar = std::move(sidecars_.front());
  sidecars_.pop_front();
  return OpenParquet("_sidecars/" + sidecar);
}

// Sidecars come last, as the files say which there are.
Status CheckpointStream::Advance() {
  if (rows_ == nullptr) return OpenNext();
  ARROW_ASSIGN_OR_RAISE(const auto batch, rows_->Next());
  if (batch == nullptr) {
    rows_.reset();
    return Status::OK();
  }
  const Status status =
      ForEachCheckpointAction(*batch, [&](Action action) { return Take(std::move(action)); });
  return status.ok() ? status : Unreadable(rows_->path(), status.message());
}

Result<std::vector<Action>> CheckpointStream::Next() {
  while (ready_.empty() && (rows_ != nullptr || !files_.empty() || !sidecars_.empty())) {
    ARROW_RETURN_NOT_OK(Advance());
  }
  return std::exchange(ready_, {});
}

Result<std::vector<std::string>> CheckpointStream::SidecarNames(LogStore log, LogFile file) {
  CheckpointStream stream(std::move(log), {std::move(file)});
  while (stream.rows_ != nullptr || !stream.files_.empty()) {
    ARROW_RETURN_NOT_OK(stream.Advance());
    stream.ready_.clear();
  }
  return std::vector<std::string>(stream.sidecars_.begin(), stream.sidecars_.end());
}

}  // namespace amp::delta
