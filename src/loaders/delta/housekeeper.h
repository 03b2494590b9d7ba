#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <thread>

#include "loaders/delta/protocol/table_properties.h"
#include "loaders/delta/table.h"

namespace amp::delta {

struct LogUpkeep {
  bool checkpoint_written = false;  ///< false: the version had one
  int64_t files_deleted = 0;
};

/// Writes a version's checkpoint, and deletes log files that the table no longer wants.
Result<LogUpkeep> KeepUpLog(LogReader reader, int64_t version, const TableProperties& properties);

/// What commits leave to be done, off their way, on a thread of its own: checkpoints, as often as
/// the table wants them; log files that a checkpoint has made superfluous; states of streams that
/// were left behind. Nothing of it is needed for a commit to count, so failures are logged only.
/// Thread-safe.
class Housekeeper {
 public:
  Housekeeper() = default;
  /// Does what is still to be done.
  ~Housekeeper();
  Housekeeper(const Housekeeper&) = delete;
  Housekeeper& operator=(const Housekeeper&) = delete;

  /// After a commit of this table, whose mutex the caller holds; `stream` wrote it, if any.
  void AfterCommit(DeltaTable* table, const StoredStream* stream = nullptr);

 private:
  struct Task {
    std::shared_ptr<storage::ObjectStore> store;
    int64_t version = 0;
    TableProperties properties;
    std::optional<StoredStream> stream;  ///< whose states are to be cleaned up
    bool checkpoint = false;
  };

  void Add(Task task);
  void Run();
  static Status Do(const Task& task);

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Task> tasks_;
  bool ends_ = false;
  std::thread thread_;
};

}  // namespace amp::delta
