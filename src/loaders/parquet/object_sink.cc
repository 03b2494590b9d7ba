#include "loaders/parquet/object_sink.h"

#include <arrow/buffer.h>

#include <utility>

namespace amp::parquet_files {
namespace {

// From here on a copy costs more than a call.
constexpr int64_t kLargeBytes = 64 << 10;
// So much may wait for the store.
constexpr int64_t kMostQueued = int64_t{32} << 20;

}  // namespace

ObjectSink::ObjectSink(std::unique_ptr<storage::OutputObject> object, RunElsewhere run_elsewhere)
    : object_(std::move(object)), run_elsewhere_(std::move(run_elsewhere)) {}

ObjectSink::~ObjectSink() = default;

Status ObjectSink::Write(const void* data, int64_t size) {
  position_ += size;
  gathered_.append(static_cast<const char*>(data), static_cast<size_t>(size));
  return static_cast<int64_t>(gathered_.size()) < kLargeBytes ? Status::OK() : PushGathered();
}

Status ObjectSink::Write(const std::shared_ptr<arrow::Buffer>& data) {
  if (data->size() < kLargeBytes) return Write(data->data(), data->size());
  position_ += data->size();
  ARROW_RETURN_NOT_OK(PushGathered());
  return Push(data);
}

Status ObjectSink::PushGathered() {
  if (gathered_.empty()) return Status::OK();
  return Push(arrow::Buffer::FromString(std::exchange(gathered_, {})));
}

Status ObjectSink::Push(std::shared_ptr<arrow::Buffer> buffer) {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] {
    return dropped_ || !status_.ok() || queue_.empty() ||
           queued_bytes_ + buffer->size() <= kMostQueued;
  });
  if (dropped_) return Status::OK();
  ARROW_RETURN_NOT_OK(status_);
  queued_bytes_ += buffer->size();
  queue_.push_back(std::move(buffer));
  if (std::exchange(scheduled_, true)) return Status::OK();
  lock.unlock();
  run_elsewhere_([this] { return StoreQueued(); });
  return Status::OK();
}

// Until nothing is queued; another thread that is at it does this one's work, too.
Status ObjectSink::StoreQueued() {
  std::unique_lock lock(mutex_);
  scheduled_ = false;
  if (std::exchange(storing_, true)) return Status::OK();
  while (!queue_.empty() && status_.ok()) {
    auto buffer = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    const int64_t size = buffer->size();
    const Status status = object_->Write(std::move(buffer));
    lock.lock();
    queued_bytes_ -= size;
    if (status_.ok()) status_ = status;
    changed_.notify_all();
  }
  storing_ = false;
  changed_.notify_all();
  return status_;
}

// Nobody is at it, and nothing is left that could be stored.
bool ObjectSink::IsStored() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [&] { return !storing_; });
  return queue_.empty() || !status_.ok();
}

Status ObjectSink::Close() {
  if (object_ == nullptr) return Status::OK();
  ARROW_RETURN_NOT_OK(PushGathered());
  while (!IsStored()) {
    // Here, not by the task that is scheduled: this may be what it waits for.
    ARROW_RETURN_NOT_OK(StoreQueued());
  }
  ARROW_RETURN_NOT_OK(status_);
  ARROW_RETURN_NOT_OK(object_->Close());
  object_ = nullptr;
  return Status::OK();
}

Status ObjectSink::Abort() {
  Drop();
  if (object_ == nullptr) return Status::OK();
  return std::exchange(object_, nullptr)->Abort();
}

void ObjectSink::Drop() {
  const std::lock_guard lock(mutex_);
  dropped_ = true;
  queue_.clear();
  changed_.notify_all();
}

}  // namespace amp::parquet_files
