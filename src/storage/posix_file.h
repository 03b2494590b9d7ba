#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "amp/error.h"

/// Files by their descriptors: what durability needs and `<fstream>` cannot do.
namespace amp::storage {

/// An open file; closed when it goes out of scope.
class PosixFile {
 public:
  PosixFile() = default;
  /// `flags` as open(2) takes them; a new file gets the mode 0666 less umask.
  static Result<PosixFile> Open(const std::string& path, int flags);
  PosixFile(PosixFile&& other) noexcept;
  PosixFile& operator=(PosixFile&& other) noexcept;
  ~PosixFile();

  Status Write(std::string_view bytes) const;
  /// What was written stays, whatever happens to the machine.
  Status Sync() const;
  /// Names that the file has; 0 where that cannot be told.
  int64_t Links() const;
  int64_t Size() const;
  bool is_folder() const;
  int fd() const { return fd_; }
  /// The caller closes the descriptor.
  int Release();

 private:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  void Close();

  int fd_ = -1;
  std::string path_;
};

/// Makes durable which names a folder has.
Status SyncFolder(const std::string& path);

/// "a/b" of "a/b/c"; "." or "/" where nothing is left.
std::string ParentOf(const std::string& path);

}  // namespace amp::storage
