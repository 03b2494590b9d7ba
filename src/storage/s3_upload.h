#pragma once

#include <memory>
#include <string>
#include <vector>

#include "storage/object_store.h"
#include "storage/s3_client.h"

namespace amp::storage {

/// A new object of a bucket: one PUT where it is small, else a multipart upload, whose parts grow
/// so that 10,000 of them (the most there may be) reach S3's largest object.
class S3Upload final : public OutputObject {
 public:
  S3Upload(std::shared_ptr<S3Client> client, std::string key);
  ~S3Upload() override;
  Status Write(std::shared_ptr<arrow::Buffer> bytes) override;
  Status Close() override;
  Status Abort() override;

 private:
  int64_t PartBytes() const;
  Status Begin();
  Status SendPart();
  Status PutWhole();
  Status Complete();
  Status CheckIsWhole(const S3Answer& answer);

  const std::shared_ptr<S3Client> client_;
  const std::string key_;
  std::string pending_;             ///< bytes that are not sent yet
  int64_t size_ = 0;                ///< of all
  std::string id_;                  ///< of the multipart upload; empty: there is none
  std::vector<std::string> etags_;  ///< of the parts that are sent
  bool closed_ = false;
};

}  // namespace amp::storage
