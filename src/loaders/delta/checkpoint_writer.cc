#include "loaders/delta/checkpoint_writer.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <parquet/arrow/writer.h>
#include <parquet/exception.h>
#include <parquet/properties.h>

#include "core/failpoint.h"
#include "loaders/delta/protocol/action_json.h"
#include "loaders/delta/protocol/checkpoint_rows.h"

namespace amp::delta {
namespace {

constexpr int64_t kRowGroupRows = 8'192;

// What is smaller is put at its place at once, so that it may also replace a broken one.
constexpr size_t kGathered = size_t{32} << 20;

// The checkpoint's file; nobody sees it before `Publish`.
class CheckpointFile final : public arrow::io::OutputStream {
 public:
  CheckpointFile(storage::ObjectStore* store, std::string path)
      : store_(store), path_(std::move(path)) {}

  Status Write(const void* data, int64_t size) override {
    position_ += size;
    gathered_.append(static_cast<const char*>(data), static_cast<size_t>(size));
    return gathered_.size() < kGathered ? Status::OK() : Pass();
  }
  Result<int64_t> Tell() const override { return position_; }
  // Arrow may close what it has written to; only `Publish` may show it to others.
  Status Close() override { return Status::OK(); }
  bool closed() const override { return published_; }

  Status Publish() {
    published_ = true;
    if (object_ == nullptr) return store_->Put(path_, gathered_);
    ARROW_RETURN_NOT_OK(Pass());
    return object_->Close();
  }

 private:
  Status Pass() {
    if (object_ == nullptr) {
      ARROW_ASSIGN_OR_RAISE(object_, store_->Create(path_));
    }
    return object_->Write(arrow::Buffer::FromString(std::exchange(gathered_, {})));
  }

  storage::ObjectStore* store_;
  std::string path_;
  std::string gathered_;
  std::unique_ptr<storage::OutputObject> object_;
  int64_t position_ = 0;
  bool published_ = false;
};

// The rows of the checkpoint on their way into its file.
class Output {
 public:
  static Result<Output> Open(const LogStore& log, int64_t version, bool with_stats) {
    ARROW_ASSIGN_OR_RAISE(CheckpointRows rows, CheckpointRows::Make(with_stats));
    auto file =
        std::make_shared<CheckpointFile>(&log.store(), log.LogPath(CheckpointName(version)));
    const auto properties =
        parquet::WriterProperties::Builder().compression(arrow::Compression::SNAPPY)->build();
    ARROW_ASSIGN_OR_RAISE(auto writer,
                          parquet::arrow::FileWriter::Open(
                              *CheckpointSchema(), arrow::default_memory_pool(), file, properties));
    return Output(std::move(rows), std::move(file), std::move(writer));
  }

  Status Append(const Action& action) {
    ARROW_RETURN_NOT_OK(rows_.Append(action));
    ++info_.size;
    if (std::holds_alternative<Add>(action)) ++adds_;
    return rows_.rows() < kRowGroupRows ? Status::OK() : Flush();
  }
  Result<LastCheckpoint> Close(int64_t version) {
    if (rows_.rows() > 0) ARROW_RETURN_NOT_OK(Flush());
    ARROW_RETURN_NOT_OK(writer_->Close());
    ARROW_ASSIGN_OR_RAISE(info_.size_in_bytes, file_->Tell());
    ARROW_RETURN_NOT_OK(Failpoint("delta.before_checkpoint_file"));
    ARROW_RETURN_NOT_OK(file_->Publish());
    ARROW_RETURN_NOT_OK(Failpoint("delta.after_checkpoint_file"));
    info_.version = version;
    info_.num_of_add_files = adds_;
    return info_;
  }

 private:
  Output(CheckpointRows rows, std::shared_ptr<CheckpointFile> file,
         std::unique_ptr<parquet::arrow::FileWriter> writer)
      : rows_(std::move(rows)), file_(std::move(file)), writer_(std::move(writer)) {}

  Status Flush() {
    ARROW_ASSIGN_OR_RAISE(const auto batch, rows_.Finish());
    ARROW_RETURN_NOT_OK(writer_->NewBufferedRowGroup());
    return writer_->WriteRecordBatch(*batch);
  }

  CheckpointRows rows_;
  std::shared_ptr<CheckpointFile> file_;
  std::unique_ptr<parquet::arrow::FileWriter> writer_;
  LastCheckpoint info_;
  int64_t adds_ = 0;
};

// Does it stay in the log? Tombstones go when no reader can still want their file.
bool IsAlive(const Action& action, const CheckpointOptions& options) {
  if (const auto* remove = std::get_if<Remove>(&action)) {
    const int64_t expired_before = options.now_ms - options.deleted_file_retention_ms;
    return remove->deletion_timestamp.value_or(0) > expired_before;
  }
  const auto* domain = std::get_if<DomainMetadata>(&action);
  return domain == nullptr || !domain->removed;
}

Status CopyCommits(const LogStore& log, const LogSegment& segment, const CheckpointOptions& options,
                   LogReplay* replay, Output* out) {
  for (const LogFile& file : segment.commits) {
    const std::string path = log.LogPath(file.name);
    ARROW_ASSIGN_OR_RAISE(const auto buffer, log.store().Read(path));
    ARROW_RETURN_NOT_OK(ForEachAction(
        std::string_view(*buffer), log.store().Describe(path), [&](const Action& action) {
          const bool stays = replay->Keeps(action) && IsAlive(action, options);
          return stays ? out->Append(action) : Status::OK();
        }));
  }
  return Status::OK();
}

Status CopyCheckpoint(const LogStore& log, const LogSegment& segment,
                      const CheckpointOptions& options, LogReplay* replay, Output* out) {
  CheckpointStream stream(log, segment.checkpoint);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto actions, stream.Next());
    if (actions.empty()) return Status::OK();
    for (const Action& action : actions) {
      if (!replay->KeepsFromCheckpoint(action) || !IsAlive(action, options)) continue;
      ARROW_RETURN_NOT_OK(out->Append(action));
    }
  }
}

// Someone may have dropped the table meanwhile: its checkpoint alone would bring it back.
Status CheckStillThere(const LogStore& log, int64_t version) {
  ARROW_ASSIGN_OR_RAISE(const auto commit, log.ReadText(CommitName(version)));
  if (commit) return Status::OK();
  ARROW_RETURN_NOT_OK(log.store().Delete({log.LogPath(CheckpointName(version))}));
  ARROW_RETURN_NOT_OK(log.store().RemoveEmptyFolders());
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                   fmt::format("the table in {} was dropped while version {} got a checkpoint",
                               log.Describe(), version));
}

// A newer one may have been written meanwhile by somebody else.
Status PointTo(const LogStore& log, const LastCheckpoint& checkpoint) {
  ARROW_ASSIGN_OR_RAISE(const auto current, log.ReadLastCheckpoint());
  if (current && current->version > checkpoint.version) return Status::OK();
  return log.store().Put(log.LogPath(kLastCheckpoint), ToJson(checkpoint));
}

}  // namespace

Result<LastCheckpoint> WriteCheckpoint(LogReader* reader, int64_t version,
                                       const CheckpointOptions& options) {
  const LogStore& log = reader->log();
  ARROW_ASSIGN_OR_RAISE(const auto segment, reader->FindLog(version));
  if (!segment || segment->checkpoint_version == version) {
    return MakeError(
        {.kind = ErrorKind::kAlreadyExists, .side = ErrorSide::kTarget},
        fmt::format("version {} of the table in {} has a checkpoint", version, log.Describe()));
  }
  ARROW_ASSIGN_OR_RAISE(Output out, Output::Open(log, version, options.with_stats));
  LogReplay replay;
  ARROW_RETURN_NOT_OK(CopyCommits(log, *segment, options, &replay, &out));
  ARROW_RETURN_NOT_OK(CopyCheckpoint(log, *segment, options, &replay, &out));
  ARROW_ASSIGN_OR_RAISE(const LastCheckpoint written, out.Close(version));
  ARROW_RETURN_NOT_OK(log.store().SyncFolders({log.TablePath(kLogFolder)}));
  ARROW_RETURN_NOT_OK(CheckStillThere(log, version));
  ARROW_RETURN_NOT_OK(PointTo(log, written));
  return written;
}

}  // namespace amp::delta
