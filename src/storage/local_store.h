#pragma once

#include <string>

#include "storage/folder_maker.h"
#include "storage/object_store.h"

namespace amp::storage {

/// A folder of the local file system.
///
/// `PutIfAbsent` writes a hidden file beside the object's place, makes it durable, and gives it its
/// name with link(2), which fails where the name is taken. `Put` and `Create` do the same with
/// rename(2). A crash may leave the hidden file, which only a listing of what is unfinished shows.
class LocalStore final : public ObjectStore {
 public:
  explicit LocalStore(std::string root) : root_(std::move(root)) {}

  Result<std::shared_ptr<arrow::Buffer>> Read(const std::string& path) override;
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::string& path) override;
  Result<std::vector<ObjectInfo>> List(const std::string& folder,
                                       const ListOptions& options) override;
  Result<PutOutcome> PutIfAbsent(const std::string& path, std::string_view bytes) override;
  Status Put(const std::string& path, std::string_view bytes) override;
  Result<std::unique_ptr<OutputObject>> Create(const std::string& path) override;
  Status SyncFolders(const std::vector<std::string>& folders) override;
  Status Delete(const std::vector<std::string>& paths) override;
  Status RemoveEmptyFolders() override;
  std::string Describe(std::string_view path) const override;

 private:
  Result<std::string> FullPath(const std::string& path) const;

  const std::string root_;
  FolderMaker folders_;
};

}  // namespace amp::storage
