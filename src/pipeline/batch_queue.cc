#include "pipeline/batch_queue.h"

#include <arrow/record_batch.h>

namespace amp {

bool BatchQueue::Push(std::shared_ptr<arrow::RecordBatch> batch, int64_t bytes) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock,
                [&] { return abandoned_ || entries_.empty() || bytes_ + bytes <= max_bytes_; });
  if (abandoned_) return false;
  entries_.push_back({std::move(batch), bytes});
  bytes_ += bytes;
  changed_.notify_all();
  return true;
}

void BatchQueue::Finish(Status status) {
  std::lock_guard lock(mutex_);
  finished_ = true;
  status_ = std::move(status);
  changed_.notify_all();
}

Result<std::shared_ptr<arrow::RecordBatch>> BatchQueue::Pop() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return finished_ || !entries_.empty(); });
  if (entries_.empty()) {
    ARROW_RETURN_NOT_OK(status_);
    return nullptr;
  }
  Entry entry = std::move(entries_.front());
  entries_.pop_front();
  bytes_ -= entry.bytes;
  changed_.notify_all();
  return std::move(entry.batch);
}

void BatchQueue::Abandon() {
  std::lock_guard lock(mutex_);
  abandoned_ = true;
  entries_.clear();
  changed_.notify_all();
}

}  // namespace amp
