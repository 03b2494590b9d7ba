#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include "amp/error.h"

namespace amp {

/// Things on their way from a reading to a writing thread, bounded by bytes.
template <class T>
class BoundedQueue {
 public:
  using Clock = std::chrono::steady_clock;
  enum class Outcome { kItem, kTimeout, kEnd };

  explicit BoundedQueue(int64_t max_bytes) : max_bytes_(max_bytes) {}

  /// Waits while the queue is full; one item is always let in. False once the writer has gone.
  bool Push(T item, int64_t bytes) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock,
                  [&] { return abandoned_ || entries_.empty() || bytes_ + bytes <= max_bytes_; });
    if (abandoned_) return false;
    entries_.push_back({std::move(item), bytes});
    bytes_ += bytes;
    changed_.notify_all();
    return true;
  }
  /// The reader's last word: end of data, or why there is none.
  void Finish(Status status) {
    const std::lock_guard lock(mutex_);
    finished_ = true;
    status_ = std::move(status);
    changed_.notify_all();
  }

  /// Waits for the next item, at most until `deadline`. The reader's error comes after its items.
  Result<Outcome> PopUntil(Clock::time_point deadline, T* out) {
    std::unique_lock lock(mutex_);
    const auto ready = [&] { return finished_ || !entries_.empty(); };
    if (!changed_.wait_until(lock, deadline, ready)) return Outcome::kTimeout;
    return Take(out);
  }
  /// Waits for the next item; false at the end.
  Result<bool> Pop(T* out) {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return finished_ || !entries_.empty(); });
    ARROW_ASSIGN_OR_RAISE(const Outcome outcome, Take(out));
    return outcome == Outcome::kItem;
  }
  /// The writer's last word: nothing more is wanted.
  void Abandon() {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    entries_.clear();
    changed_.notify_all();
  }
  int64_t bytes() const {
    const std::lock_guard lock(mutex_);
    return bytes_;
  }

 private:
  struct Entry {
    T item;
    int64_t bytes;
  };

  Result<Outcome> Take(T* out) {
    if (entries_.empty()) {
      ARROW_RETURN_NOT_OK(status_);
      return Outcome::kEnd;
    }
    *out = std::move(entries_.front().item);
    bytes_ -= entries_.front().bytes;
    entries_.pop_front();
    changed_.notify_all();
    return Outcome::kItem;
  }

  const int64_t max_bytes_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> entries_;
  int64_t bytes_ = 0;
  bool finished_ = false;
  bool abandoned_ = false;
  Status status_;
};

}  // namespace amp
