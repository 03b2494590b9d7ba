#include "loaders/parquet/object_sink.h"

#include <arrow/buffer.h>

#include <utility>

namespace amp::parquet_files {
namespace {

// From here on a copy costs more than a call.
constexpr int64_t kLargeBytes = 64 << 10;

}  // namespace

ObjectSink::ObjectSink(std::unique_ptr<storage::OutputObject> object)
    : object_(std::move(object)) {}

ObjectSink::~ObjectSink() = default;

Status ObjectSink::Write(const void* data, int64_t size) {
  position_ += size;
  if (dropped_) return Status::OK();
  gathered_.append(static_cast<const char*>(data), static_cast<size_t>(size));
  return static_cast<int64_t>(gathered_.size()) < kLargeBytes ? Status::OK() : WriteGathered();
}

Status ObjectSink::Write(const std::shared_ptr<arrow::Buffer>& data) {
  if (data->size() < kLargeBytes) return Write(data->data(), data->size());
  position_ += data->size();
  if (dropped_) return Status::OK();
  ARROW_RETURN_NOT_OK(WriteGathered());
  Status status = object_->Write(data);
  dropped_ = !status.ok();
  return status;
}

Status ObjectSink::WriteGathered() {
  if (gathered_.empty()) return Status::OK();
  Status status = object_->Write(arrow::Buffer::FromString(std::exchange(gathered_, {})));
  dropped_ = !status.ok();
  return status;
}

Status ObjectSink::Close() {
  if (object_ == nullptr) return Status::OK();
  ARROW_RETURN_NOT_OK(WriteGathered());
  ARROW_RETURN_NOT_OK(object_->Close());
  object_ = nullptr;
  return Status::OK();
}

Status ObjectSink::Abort() {
  dropped_ = true;
  if (object_ == nullptr) return Status::OK();
  return std::exchange(object_, nullptr)->Abort();
}

}  // namespace amp::parquet_files
