#pragma once

#include <arrow/io/interfaces.h>

#include <memory>
#include <string>

#include "storage/object_store.h"

namespace amp::parquet_files {

/// A stored object as Arrow's writers see one. Large buffers are handed on as they are, small
/// pieces are gathered. After a failure, or `Drop`, what is written goes nowhere.
class ObjectSink final : public arrow::io::OutputStream {
 public:
  explicit ObjectSink(std::unique_ptr<storage::OutputObject> object);
  ~ObjectSink() override;

  Status Write(const void* data, int64_t size) override;
  Status Write(const std::shared_ptr<arrow::Buffer>& data) override;
  Result<int64_t> Tell() const override { return position_; }
  Status Flush() override { return Status::OK(); }
  /// The object is there, whole and durable, when this returns.
  Status Close() override;
  bool closed() const override { return object_ == nullptr; }
  Status Abort() override;

  /// Takes no more: a writer that goes away writes its end.
  void Drop() { dropped_ = true; }

 private:
  Status WriteGathered();

  std::unique_ptr<storage::OutputObject> object_;
  std::string gathered_;
  int64_t position_ = 0;
  bool dropped_ = false;
};

}  // namespace amp::parquet_files
