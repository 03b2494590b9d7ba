#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "amp/export.h"

namespace amp::parquet_files {

/// Threads that encode, and others that wait for disks and networks. They start when there is work
/// for them and outlive commits: a loader has one pool. Thread-safe; tasks neither throw nor wait
/// for one another.
class AMP_EXPORT WorkerPool {
 public:
  using Task = std::function<void()>;

  /// As many encoding threads as there are cores, or `threads`.
  explicit WorkerPool(int threads = 0);
  /// Nobody submits any more.
  ~WorkerPool();
  WorkerPool(const WorkerPool&) = delete;
  WorkerPool& operator=(const WorkerPool&) = delete;

  void Encode(Task task) { encoders_.Submit(std::move(task)); }
  /// For what takes time but no processor.
  void Store(Task task) { storers_.Submit(std::move(task)); }

 private:
  class Crew {
   public:
    explicit Crew(int size) : size_(size) {}
    ~Crew();
    void Submit(Task task);

   private:
    void Run();

    const int size_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::deque<Task> tasks_;
    int idle_ = 0;
    bool ends_ = false;
    std::vector<std::thread> threads_;
  };

  // Encoders hand files on to storers: these go last.
  Crew storers_;
  Crew encoders_;
};

}  // namespace amp::parquet_files
