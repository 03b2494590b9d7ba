#pragma once

#include <arrow/io/interfaces.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "storage/object_store.h"

namespace amp::parquet_files {

/// A stored object as Arrow's writers see one. Large buffers are handed on as they are, small
/// pieces are gathered. Another thread brings them to the store, so that encoding goes on; a writer
/// that is far ahead of it waits. After a failure, which the next call tells, or `Drop`, what is
/// written goes nowhere. One thread at a time writes.
class ObjectSink final : public arrow::io::OutputStream {
 public:
  /// Runs a task on a thread that may wait, whatever else has failed.
  using RunElsewhere = std::function<void(std::function<Status()> task)>;

  ObjectSink(std::unique_ptr<storage::OutputObject> object, RunElsewhere run_elsewhere);
  ~ObjectSink() override;

  Status Write(const void* data, int64_t size) override;
  Status Write(const std::shared_ptr<arrow::Buffer>& data) override;
  Result<int64_t> Tell() const override { return position_; }
  Status Flush() override { return Status::OK(); }
  /// The object is there, whole and durable, when this returns.
  Status Close() override;
  bool closed() const override { return object_ == nullptr; }
  /// When no task of it runs any more.
  Status Abort() override;

  /// Takes no more: a writer that goes away writes its end.
  void Drop();

 private:
  Status Push(std::shared_ptr<arrow::Buffer> buffer);
  Status PushGathered();
  Status StoreQueued();
  bool IsStored();

  std::unique_ptr<storage::OutputObject> object_;
  const RunElsewhere run_elsewhere_;
  std::string gathered_;
  int64_t position_ = 0;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::shared_ptr<arrow::Buffer>> queue_;
  int64_t queued_bytes_ = 0;
  bool scheduled_ = false;
  bool storing_ = false;
  bool dropped_ = false;
  Status status_;
};

}  // namespace amp::parquet_files
