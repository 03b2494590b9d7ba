#pragma once

#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>

#include "amp/error.h"
#include "loaders/parquet/worker_pool.h"

namespace amp::parquet_files {

/// What the tasks of one set of files have in common with its owner: how many bytes wait, how many
/// tasks there are, and the first error. Thread-safe.
class AMP_EXPORT Progress {
 public:
  Progress(WorkerPool* pool, int64_t max_bytes) : pool_(pool), max_bytes_(max_bytes) {}

  /// Waits until so many bytes more may wait; a part larger than the limit goes alone. The first
  /// error of any task.
  Status Reserve(int64_t bytes);
  /// Bytes that have been encoded, or thrown away.
  void Release(int64_t bytes);

  /// Runs `work` on an encoding thread, unless something has failed by then.
  void Encode(std::function<Status()> work);
  /// The same for work that waits for the store.
  void Store(std::function<Status()> work);

  /// And even where something has failed, because someone waits for it.
  void StoreAlways(std::function<Status()> work);

  /// Waits until `ready` holds, which is asked whenever bytes are released, or something fails.
  Status WaitUntil(const std::function<bool()>& ready);
  /// Waits for all tasks. The first error.
  Status WaitForTasks();

  /// Later tasks do nothing.
  void Fail(const Status& status);
  Status status() const;

 private:
  WorkerPool::Task Counted(std::function<Status()> work, bool always = false);
  void EndTask(const Status& status);

  WorkerPool* const pool_;
  const int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  int64_t bytes_ = 0;
  int64_t tasks_ = 0;
  int64_t changes_ = 0;
  Status status_;
};

}  // namespace amp::parquet_files
