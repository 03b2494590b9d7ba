#pragma once

#include <memory>
#include <string>

#include "storage/object_store.h"
#include "storage/s3_client.h"

namespace amp::storage {

/// A bucket of an S3 server, or what lies under a prefix in it. `PutIfAbsent` is a PUT with
/// `If-None-Match: *`.
class S3Store final : public ObjectStore {
 public:
  S3Store(std::shared_ptr<S3Client> client, const std::string& prefix);

  Result<std::shared_ptr<arrow::Buffer>> Read(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::string& path) override;
  Result<std::vector<ObjectInfo>> List(const std::string& folder,
                                       const ListOptions& options) override;
  Result<PutOutcome> PutIfAbsent(const std::string& path, std::string_view bytes) override;
  Status Put(const std::string& path, std::string_view bytes) override;
  Result<std::unique_ptr<OutputObject>> Create(const std::string& path) override;
  Status SyncFolders(const std::vector<std::string>& /*folders*/) override { return Status::OK(); }
  Status Delete(const std::vector<std::string>& paths) override;
  std::string Describe(std::string_view path) const override;

 private:
  Result<std::string> KeyOf(const std::string& path) const;
  Status DeleteOne(const std::string& key);
  Status DeleteSome(const std::vector<std::string>& keys);

  const std::shared_ptr<S3Client> client_;
  const std::string prefix_;  ///< ends with '/', or is empty
};

}  // namespace amp::storage
