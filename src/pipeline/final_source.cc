#include "pipeline/final_source.h"

#include <arrow/io/file.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <filesystem>
#include <mutex>

#include "ledger/ledger.h"
#include "pipeline/read_ahead.h"

namespace amp {
namespace {

/// A batch that waits in a file, as an Arrow stream; the file goes with it.
class SpilledBatch {
 public:
  static Result<std::unique_ptr<SpilledBatch>> Write(const RecordBatch& batch) {
    std::string path = (std::filesystem::temp_directory_path() / "ampload-held-XXXXXX").string();
    const int fd = mkstemp(path.data());
    if (fd < 0) return Status::IOError("cannot make a file in the temporary folder");
    close(fd);
    std::unique_ptr<SpilledBatch> spilled(new SpilledBatch(std::move(path)));
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::FileOutputStream::Open(spilled->path_));
    ARROW_ASSIGN_OR_RAISE(auto writer, arrow::ipc::MakeStreamWriter(file, batch.schema()));
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(batch));
    ARROW_RETURN_NOT_OK(writer->Close());
    ARROW_RETURN_NOT_OK(file->Close());
    return spilled;
  }
  ~SpilledBatch() {
    std::error_code error;
    std::filesystem::remove(path_, error);
  }
  SpilledBatch(const SpilledBatch&) = delete;
  SpilledBatch& operator=(const SpilledBatch&) = delete;

  Result<std::shared_ptr<RecordBatch>> Read() const {
    ARROW_ASSIGN_OR_RAISE(auto file, arrow::io::ReadableFile::Open(path_));
    ARROW_ASSIGN_OR_RAISE(auto reader, arrow::ipc::RecordBatchStreamReader::Open(file));
    return reader->Next();
  }

 private:
  explicit SpilledBatch(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

struct HeldMessage {
  int64_t id = 0;
  StreamMessage message;
  int64_t bytes = 0;
  std::unique_ptr<SpilledBatch> spilled;
};

class FinalConnection final : public StreamConnection {
 public:
  FinalConnection(StreamSource* inner, int64_t depth, int64_t memory,
                  std::unique_ptr<StreamConnection> connection, const BlockRanges& resume)
      : inner_(inner),
        depth_(depth),
        memory_(memory),
        connection_(std::move(connection)),
        ledger_(OptionsFor(depth), StateAt(resume)),
        passed_on_(ledger_.last_complete_id()) {}

  std::shared_ptr<arrow::Schema> schema() const override { return connection_->schema(); }

  Result<std::optional<StreamMessage>> Next() override {
    while (!Ready()) {
      ARROW_ASSIGN_OR_RAISE(std::optional<StreamMessage> message, connection_->Next());
      if (!message) return std::nullopt;
      ARROW_RETURN_NOT_OK(Take(*std::move(message)));
    }
    return PassOn();
  }

  void Cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    connection_->Cancel();
  }

 private:
  // Only what was passed on counts as deep; the ledger here undoes whatever is still held.
  static LedgerOptions OptionsFor(int64_t depth) {
    return {.retention = depth, .max_undo = INT64_MAX, .strict = true};
  }
  static StreamState StateAt(const BlockRanges& resume) {
    StreamState state;
    if (resume.empty()) return state;
    state.checkpoint.entries = {{.first_id = 1, .last_id = 1, .ranges = resume}};
    state.checkpoint.last_batch_id = 1;
    state.checkpoint.watermark = resume;
    state.checkpoint.next_number = 2;
    return state;
  }

  Status Take(StreamMessage message) {
    const int64_t rows = message.batch == nullptr ? 0 : message.batch->num_rows();
    ARROW_ASSIGN_OR_RAISE(const LedgerStep step,
                          ledger_.Accept(message.ranges, message.ranges_complete, rows));
    if (step.undo_after) ARROW_RETURN_NOT_OK(DropAfter(*step.undo_after));
    if (step.reconnect) return Reconnect();
    if (!step.write) return Status::OK();
    return Hold(*step.write->id, std::move(message));
  }

  Status DropAfter(int64_t id) {
    while (!held_.empty() && held_.back().id > id) {
      if (held_.back().spilled == nullptr) held_bytes_ -= held_.back().bytes;
      held_.pop_back();
    }
    if (id >= passed_on_) return Status::OK();
    return MakeError({.kind = ErrorKind::kReorgTooDeep, .side = ErrorSide::kSource},
                     fmt::format("a reorganisation goes deeper than the {} blocks that --finality "
                                 "waits for; what was written cannot be undone by itself",
                                 depth_));
  }

  Status Reconnect() {
    ARROW_ASSIGN_OR_RAISE(auto connection, inner_->Connect(ledger_.resume_point()));
    const std::lock_guard lock(mutex_);
    connection_ = std::move(connection);
    if (cancelled_) connection_->Cancel();
    return Status::OK();
  }

  Status Hold(int64_t id, StreamMessage message) {
    HeldMessage held;
    held.id = id;
    held.message = std::move(message);
    held.bytes = held.message.batch == nullptr ? 0 : BytesOf(*held.message.batch);
    if (held_bytes_ + held.bytes > memory_ && held.bytes > 0) {
      ARROW_ASSIGN_OR_RAISE(held.spilled, SpilledBatch::Write(*held.message.batch));
      held.message.batch.reset();
    } else {
      held_bytes_ += held.bytes;
    }
    held_.push_back(std::move(held));
    return Status::OK();
  }

  // The oldest held batch is complete, and deep enough on every network.
  bool Ready() const {
    if (held_.empty() || ledger_.map().empty()) return false;
    if (held_.front().id > ledger_.last_complete_id()) return false;
    const BlockRanges& newest = ledger_.map().last().ranges;
    const BlockRanges& oldest = held_.front().message.ranges;
    return std::all_of(oldest.begin(), oldest.end(), [&](const BlockRange& range) {
      const BlockRange* head = FindRange(newest, range.network);
      return head != nullptr && head->end >= range.end &&
             head->end - range.end >= static_cast<uint64_t>(depth_);
    });
  }

  Result<std::optional<StreamMessage>> PassOn() {
    HeldMessage held = std::move(held_.front());
    held_.pop_front();
    if (held.spilled != nullptr) {
      ARROW_ASSIGN_OR_RAISE(held.message.batch, held.spilled->Read());
    } else {
      held_bytes_ -= held.bytes;
    }
    passed_on_ = std::max(passed_on_, held.id);
    return std::move(held.message);
  }

  StreamSource* inner_;
  int64_t depth_, memory_;
  std::mutex mutex_;
  std::unique_ptr<StreamConnection> connection_;
  bool cancelled_ = false;
  Ledger ledger_;
  int64_t passed_on_;  ///< the last id of which something was passed on
  std::deque<HeldMessage> held_;
  int64_t held_bytes_ = 0;
};

class FinalSource final : public StreamSource {
 public:
  FinalSource(StreamSource* inner, int64_t depth, int64_t memory)
      : inner_(inner), depth_(depth), memory_(memory) {}

  Result<std::unique_ptr<StreamConnection>> Connect(const BlockRanges& resume) override {
    ARROW_ASSIGN_OR_RAISE(auto connection, inner_->Connect(resume));
    return std::make_unique<FinalConnection>(inner_, depth_, memory_, std::move(connection),
                                             resume);
  }
  bool endless() const override { return inner_->endless(); }
  std::string Describe() const override { return inner_->Describe(); }
  std::string query() const override { return inner_->query(); }

 private:
  StreamSource* inner_;
  int64_t depth_, memory_;
};

}  // namespace

std::unique_ptr<StreamSource> MakeFinalSource(StreamSource* inner, int64_t depth, int64_t memory) {
  return std::make_unique<FinalSource>(inner, depth, memory);
}

}  // namespace amp
