#include "loaders/parquet/worker_pool.h"

#include <algorithm>
#include <utility>

namespace amp::parquet_files {

namespace {

// Files that are brought to the store at a time.
constexpr int kStorers = 4;

}  // namespace

WorkerPool::WorkerPool(int threads)
    : storers_(kStorers),
      encoders_(threads > 0 ? threads : std::max(1U, std::thread::hardware_concurrency())) {}

WorkerPool::~WorkerPool() = default;

WorkerPool::Crew::~Crew() {
  {
    const std::lock_guard lock(mutex_);
    ends_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) thread.join();
}

void WorkerPool::Crew::Submit(Task task) {
  const std::lock_guard lock(mutex_);
  tasks_.push_back(std::move(task));
  if (idle_ < static_cast<int>(tasks_.size()) && static_cast<int>(threads_.size()) < size_) {
    threads_.emplace_back([this] { Run(); });
  }
  changed_.notify_one();
}

void WorkerPool::Crew::Run() {
  std::unique_lock lock(mutex_);
  while (true) {
    ++idle_;
    changed_.wait(lock, [this] { return ends_ || !tasks_.empty(); });
    --idle_;
    if (tasks_.empty()) return;
    Task task = std::move(tasks_.front());
    tasks_.pop_front();
    lock.unlock();
    task();
    task = nullptr;
    lock.lock();
  }
}

}  // namespace amp::parquet_files
