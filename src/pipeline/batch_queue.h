#pragma once

#include <arrow/type_fwd.h>

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>

#include "amp/error.h"

namespace amp {

/// Batches on their way from the reading to the writing thread, bounded by bytes.
class BatchQueue {
 public:
  explicit BatchQueue(int64_t max_bytes) : max_bytes_(max_bytes) {}

  /// Waits while the queue is full; one batch is always let in. False once the writer has gone.
  bool Push(std::shared_ptr<arrow::RecordBatch> batch, int64_t bytes);
  /// The reader's last word: end of data, or why there is none.
  void Finish(Status status);

  /// The next batch; null at the end.
  Result<std::shared_ptr<arrow::RecordBatch>> Pop();
  /// The writer's last word: nothing more is wanted.
  void Abandon();

 private:
  struct Entry {
    std::shared_ptr<arrow::RecordBatch> batch;
    int64_t bytes;
  };

  const int64_t max_bytes_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Entry> entries_;
  int64_t bytes_ = 0;
  bool finished_ = false;
  bool abandoned_ = false;
  Status status_;
};

}  // namespace amp
