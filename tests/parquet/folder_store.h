#pragma once

#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "storage/object_store.h"

/// A folder as a store of objects, as simple as it can be.
namespace amp::parquet_tests {

namespace fs = std::filesystem;

class FolderStore : public storage::ObjectStore {
 public:
  explicit FolderStore(std::string root) : root_(std::move(root)) {}

  /// The n-th write of an object from now on, and all after it, fail as on a full disk.
  void FailFromWrite(int64_t n) { writes_left_ = n; }

  Result<std::shared_ptr<arrow::Buffer>> Read(const std::string& path) override {
    ARROW_ASSIGN_OR_RAISE(const auto file, Open(path));
    ARROW_ASSIGN_OR_RAISE(const int64_t size, file->GetSize());
    return file->ReadAt(0, size);
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::string& path) override {
    return arrow::io::ReadableFile::Open(root_ + "/" + path);
  }
  Result<std::vector<storage::ObjectInfo>> List(const std::string& folder,
                                                const ListOptions&) override {
    std::vector<storage::ObjectInfo> objects;
    for (const auto& entry : fs::recursive_directory_iterator(root_ + "/" + folder)) {
      if (!entry.is_regular_file()) continue;
      objects.push_back({.path = fs::relative(entry.path(), root_).string(),
                         .size = static_cast<int64_t>(entry.file_size())});
    }
    std::sort(objects.begin(), objects.end(),
              [](const auto& a, const auto& b) { return a.path < b.path; });
    return objects;
  }
  Result<storage::PutOutcome> PutIfAbsent(const std::string& path,
                                          std::string_view bytes) override {
    if (fs::exists(root_ + "/" + path)) return storage::PutOutcome::kExists;
    ARROW_RETURN_NOT_OK(Put(path, bytes));
    return storage::PutOutcome::kWritten;
  }
  Status Put(const std::string& path, std::string_view bytes) override {
    std::ofstream(root_ + "/" + path, std::ios::binary) << bytes;
    return Status::OK();
  }
  Result<std::unique_ptr<storage::OutputObject>> Create(const std::string& path) override {
    const std::string whole = root_ + "/" + path;
    fs::create_directories(fs::path(whole).parent_path());
    const int file = ::open(whole.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (file < 0) return Status::IOError("cannot make ", whole);
    return std::make_unique<Output>(this, whole, file);
  }
  Status SyncFolders(const std::vector<std::string>&) override { return Status::OK(); }
  Status Delete(const std::vector<std::string>& paths) override {
    for (const std::string& path : paths) fs::remove(root_ + "/" + path);
    return Status::OK();
  }
  std::string Describe(std::string_view path) const override {
    return root_ + "/" + std::string(path);
  }

 private:
  class Output final : public storage::OutputObject {
   public:
    Output(FolderStore* store, std::string path, int file)
        : store_(store), path_(std::move(path)), file_(file) {}
    ~Output() override { static_cast<void>(Abort()); }

    Status Write(std::shared_ptr<arrow::Buffer> bytes) override {
      if (--store_->writes_left_ < 0) {
        return MakeError({.kind = ErrorKind::kUnavailable, .side = ErrorSide::kTarget},
                         path_ + ": no space left on the device");
      }
      for (int64_t done = 0; done < bytes->size();) {
        const auto left = static_cast<size_t>(bytes->size() - done);
        const ssize_t written = ::write(file_, bytes->data() + done, left);
        if (written < 0) return Status::IOError("cannot write ", path_);
        done += written;
      }
      return Status::OK();
    }
    Status Close() override {
      const bool synced = ::fsync(file_) == 0;
      ::close(std::exchange(file_, -1));
      return synced ? Status::OK() : Status::IOError("cannot sync ", path_);
    }
    Status Abort() override {
      if (file_ < 0) return Status::OK();
      ::close(std::exchange(file_, -1));
      fs::remove(path_);
      return Status::OK();
    }

   private:
    FolderStore* const store_;
    const std::string path_;
    int file_;
  };

  const std::string root_;
  std::atomic<int64_t> writes_left_ = int64_t{1} << 60;
};

}  // namespace amp::parquet_tests
