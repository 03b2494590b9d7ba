#include "loaders/delta/housekeeper.h"

#include <algorithm>

#include "core/failpoint.h"
#include "core/log.h"
#include "core/stream_state.h"
#include "loaders/delta/checkpoint_writer.h"
#include "loaders/delta/log_cleaner.h"

namespace amp::delta {
namespace {

// States of streams are cleaned up once in so many commits.
constexpr int64_t kStates = 32;

// A checkpoint is written anew with all files of the table; reading a commit costs about as much as
// so many rows of it.
constexpr int64_t kRowsOfCommit = 32;
constexpr int64_t kMostCommits = 100;

// Where the table does not say, as many commits as cost about as much to read as the checkpoint: of
// a large table with small commits, more than ten. Each is twice the one before it, so that they
// fall on the same versions whoever counts.
int64_t CheckpointInterval(const Snapshot& snapshot, const TableProperties& properties) {
  int64_t interval = std::max<int64_t>(properties.checkpoint_interval, 1);
  if (snapshot.metadata().configuration.contains("delta.checkpointInterval")) return interval;
  const int64_t wanted = std::min(snapshot.totals().files / kRowsOfCommit, kMostCommits);
  while (interval * 2 <= wanted) interval *= 2;
  return interval;
}

}  // namespace

Result<LogUpkeep> KeepUpLog(LogReader reader, int64_t version, const TableProperties& properties) {
  const CheckpointOptions options{.now_ms = UnixMillisNow(),
                                  .deleted_file_retention_ms = properties.deleted_file_retention_ms,
                                  .with_stats = properties.checkpoint_stats_as_json};
  const Status status = WriteCheckpoint(&reader, version, options).status();
  if (!status.ok() && KindOf(status) != ErrorKind::kAlreadyExists) return status;
  LogUpkeep done{.checkpoint_written = status.ok()};
  if (!properties.enable_expired_log_cleanup) return done;
  ARROW_ASSIGN_OR_RAISE(done.files_deleted,
                        CleanLog(reader.log(), properties.log_retention_ms, UnixMillisNow()));
  return done;
}

Housekeeper::~Housekeeper() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  if (thread_.joinable()) thread_.join();
}

void Housekeeper::AfterCommit(DeltaTable* table, const StoredStream* stream) {
  if (!table->exists()) return;
  Task task{.store = table->shared_store(),
            .version = table->snapshot().version(),
            .properties = PropertiesOf(table->snapshot().metadata()),
            .stream = std::nullopt};
  const int64_t interval = CheckpointInterval(table->snapshot(), task.properties);
  task.checkpoint = task.version > 0 && task.version % interval == 0;
  if (stream != nullptr && stream->revision % kStates == 0) task.stream = *stream;
  if (task.checkpoint || task.stream) Add(std::move(task));
}

// A checkpoint that still waits is made of the newer version at once.
void Housekeeper::Add(Task task) {
  const std::lock_guard lock(mutex_);
  if (task.checkpoint) {
    std::erase_if(tasks_, [&](const Task& other) {
      return other.store == task.store && other.checkpoint && !other.stream;
    });
  }
  tasks_.push_back(std::move(task));
  if (!thread_.joinable()) thread_ = std::thread([this] { Run(); });
  changed_.notify_all();
}

void Housekeeper::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    changed_.wait(lock, [this] { return ends_ || !tasks_.empty(); });
    if (tasks_.empty()) return;
    const Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    const Status status = Do(task);
    if (!status.ok()) Log().info("{}: {}", task.store->Describe(), status.message());
    lock.lock();
  }
}

Status Housekeeper::Do(const Task& task) {
  const LogReader reader{LogStore(task.store, "")};
  ARROW_RETURN_NOT_OK(Failpoint("delta.before_housekeeping"));
  if (task.checkpoint) {
    ARROW_RETURN_NOT_OK(KeepUpLog(reader, task.version, task.properties).status());
  }
  ARROW_RETURN_NOT_OK(Failpoint("delta.after_housekeeping"));
  if (!task.stream) return Status::OK();
  return StreamFiles(task.store.get()).CleanUp(*task.stream);
}

}  // namespace amp::delta
