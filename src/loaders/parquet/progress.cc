#include "loaders/parquet/progress.h"

#include <utility>

namespace amp::parquet_files {

Status Progress::Reserve(int64_t bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !status_.ok() || bytes_ == 0 || bytes_ + bytes <= max_bytes_; });
  ARROW_RETURN_NOT_OK(status_);
  bytes_ += bytes;
  return Status::OK();
}

void Progress::Release(int64_t bytes) {
  const std::lock_guard lock(mutex_);
  bytes_ -= bytes;
  ++changes_;
  changed_.notify_all();
}

WorkerPool::Task Progress::Counted(std::function<Status()> work, bool always) {
  {
    const std::lock_guard lock(mutex_);
    ++tasks_;
  }
  return [this, always, work = std::move(work)]() mutable {
    Status status = always ? Status::OK() : this->status();
    if (status.ok()) status = work();
    // What the work holds goes before the task counts as done.
    work = nullptr;
    EndTask(status);
  };
}

void Progress::Encode(std::function<Status()> work) { pool_->Encode(Counted(std::move(work))); }

void Progress::Store(std::function<Status()> work) { pool_->Store(Counted(std::move(work))); }

void Progress::StoreAlways(std::function<Status()> work) {
  pool_->Store(Counted(std::move(work), /*always=*/true));
}

// `ready` is asked without the lock: it takes locks that others hold while they call this.
Status Progress::WaitUntil(const std::function<bool()>& ready) {
  while (true) {
    std::unique_lock lock(mutex_);
    const int64_t seen = changes_;
    lock.unlock();
    if (ready()) return status();
    lock.lock();
    changed_.wait(lock, [&] { return !status_.ok() || changes_ != seen; });
    ARROW_RETURN_NOT_OK(status_);
  }
}

Status Progress::WaitForTasks() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return tasks_ == 0; });
  return status_;
}

void Progress::Fail(const Status& status) {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = status;
  changed_.notify_all();
}

Status Progress::status() const {
  const std::lock_guard lock(mutex_);
  return status_;
}

void Progress::EndTask(const Status& status) {
  const std::lock_guard lock(mutex_);
  if (status_.ok()) status_ = status;
  --tasks_;
  // Under the lock: who waits for the last task may be about to destroy this.
  changed_.notify_all();
}

}  // namespace amp::parquet_files
