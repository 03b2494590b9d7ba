#pragma once

#include <arrow/io/interfaces.h>

#include <atomic>

namespace amp {

/// Standard input as a stream. Waiting for data ends with Cancelled once `stop` is true.
class StandardInput final : public arrow::io::InputStream {
 public:
  explicit StandardInput(const std::atomic<bool>* stop) : stop_(stop) {}

  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override;

 private:
  const std::atomic<bool>* stop_;
  int64_t position_ = 0;
  bool closed_ = false;
};

}  // namespace amp
