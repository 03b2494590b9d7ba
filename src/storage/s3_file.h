#pragma once

#include <arrow/io/interfaces.h>

#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "storage/s3_client.h"

namespace amp::storage {

/// An object that is read in parts. Opening it gets its last 64 KiB, which is what a Parquet reader
/// looks at first. Small reads get a MiB at once, and the rest of it is kept for the reads that
/// follow: up to 32 such windows, so that the columns of a row group are read side by side. An
/// object that is replaced meanwhile is an error, not a mixture.
class S3File final : public arrow::io::RandomAccessFile {
 public:
  static Result<std::shared_ptr<S3File>> Open(std::shared_ptr<S3Client> client, std::string key);

  arrow::Status Close() override;
  bool closed() const override { return closed_; }
  arrow::Result<int64_t> Tell() const override { return position_; }
  arrow::Status Seek(int64_t position) override;
  arrow::Result<int64_t> GetSize() override { return size_; }
  arrow::Result<int64_t> Read(int64_t bytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> Read(int64_t bytes) override;
  arrow::Result<int64_t> ReadAt(int64_t position, int64_t bytes, void* out) override;
  arrow::Result<std::shared_ptr<arrow::Buffer>> ReadAt(int64_t position, int64_t bytes) override;

 private:
  struct Window {
    int64_t start = 0;
    std::shared_ptr<arrow::Buffer> bytes;
    bool Has(int64_t position, int64_t count) const;
  };

  S3File(std::shared_ptr<S3Client> client, std::string key);
  Status ReadTail();
  Result<std::shared_ptr<arrow::Buffer>> Fetch(int64_t position, int64_t bytes);
  std::shared_ptr<arrow::Buffer> Known(int64_t position, int64_t bytes);
  void Keep(Window window);

  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  int64_t size_ = 0;
  std::string etag_;
  int64_t position_ = 0;
  bool closed_ = false;
  Window tail_;
  std::mutex mutex_;
  std::list<Window> windows_;  ///< last used first
};

}  // namespace amp::storage
