#include "storage/posix_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "storage/posix_error.h"

namespace amp::storage {
namespace {

// A call that a signal may break off.
template <class Call>
auto Uninterrupted(Call call) {
  auto result = call();
  while (result < 0 && errno == EINTR) result = call();
  return result;
}

}  // namespace

Result<PosixFile> PosixFile::Open(const std::string& path, int flags) {
  const int fd = Uninterrupted([&] { return ::open(path.c_str(), flags | O_CLOEXEC, 0666); });
  if (fd < 0) return PosixError(errno, "opening", path);
  return PosixFile(fd, path);
}

PosixFile::PosixFile(PosixFile&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)), path_(std::move(other.path_)) {}

PosixFile& PosixFile::operator=(PosixFile&& other) noexcept {
  if (this != &other) {
    Close();
    fd_ = std::exchange(other.fd_, -1);
    path_ = std::move(other.path_);
  }
  return *this;
}

PosixFile::~PosixFile() { Close(); }

void PosixFile::Close() {
  if (fd_ >= 0) ::close(fd_);
  fd_ = -1;
}

int PosixFile::Release() { return std::exchange(fd_, -1); }

Status PosixFile::Write(std::string_view bytes) const {
  while (!bytes.empty()) {
    const ssize_t written = Uninterrupted([&] { return ::write(fd_, bytes.data(), bytes.size()); });
    if (written < 0) return PosixError(errno, "writing", path_);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return Status::OK();
}

Status PosixFile::Sync() const {
  if (Uninterrupted([&] { return ::fsync(fd_); }) == 0) return Status::OK();
  return PosixError(errno, "making durable (fsync)", path_);
}

int64_t PosixFile::Links() const {
  struct stat info {};
  return ::fstat(fd_, &info) == 0 ? static_cast<int64_t>(info.st_nlink) : 0;
}

int64_t PosixFile::Size() const {
  struct stat info {};
  return ::fstat(fd_, &info) == 0 ? static_cast<int64_t>(info.st_size) : 0;
}

bool PosixFile::is_folder() const {
  struct stat info {};
  return ::fstat(fd_, &info) == 0 && S_ISDIR(info.st_mode);
}

Status SyncFolder(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const PosixFile folder, PosixFile::Open(path, O_RDONLY | O_DIRECTORY));
  return folder.Sync();
}

std::string ParentOf(const std::string& path) {
  const size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace amp::storage
