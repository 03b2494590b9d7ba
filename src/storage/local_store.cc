#include "storage/local_store.h"

#include <arrow/buffer.h>
#include <arrow/io/file.h>
#include <dirent.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>
#include <optional>
#include <random>

#include "storage/paths.h"
#include "storage/posix_error.h"
#include "storage/posix_file.h"

namespace amp::storage {
namespace {

constexpr std::string_view kTemporaryEnd = ".amp-tmp";

// More in one call makes Linux look for memory in large pieces, and get such as nobody has used
// before, which may be several times slower than writing itself.
constexpr size_t kMostAtOnce = size_t{256} << 10;

bool IsTemporary(std::string_view name) {
  return name.starts_with('.') && name.ends_with(kTemporaryEnd);
}

// Hidden, in the same folder, and nobody else's: also another machine may write here.
std::string TemporaryName(const std::string& path) {
  static const uint64_t process = [] {
    std::random_device random;
    return (uint64_t{random()} << 32) | random();
  }();
  static std::atomic<uint64_t> count{0};
  return fmt::format("{}/.{:016x}-{}{}", ParentOf(path), process, ++count, kTemporaryEnd);
}

// Opens a new file; its folder is made only where it turns out to be missing.
Result<PosixFile> CreateFile(const std::string& path, FolderMaker* folders) {
  constexpr int kFlags = O_WRONLY | O_CREAT | O_EXCL;
  auto file = PosixFile::Open(path, kFlags);
  if (file.ok() || KindOf(file.status()) != ErrorKind::kNotFound) return file;
  ARROW_RETURN_NOT_OK(folders->Make(ParentOf(path)));
  return PosixFile::Open(path, kFlags);
}

/// A hidden file beside the place that it is for; removed when it goes out of scope without having
/// got its name.
class TemporaryFile {
 public:
  static Result<TemporaryFile> Create(const std::string& beside, FolderMaker* folders) {
    std::string name = TemporaryName(beside);
    ARROW_ASSIGN_OR_RAISE(PosixFile file, CreateFile(name, folders));
    return TemporaryFile(std::move(file), std::move(name));
  }
  /// With content that is durable.
  static Result<TemporaryFile> Write(const std::string& beside, std::string_view bytes,
                                     FolderMaker* folders) {
    ARROW_ASSIGN_OR_RAISE(TemporaryFile temporary, Create(beside, folders));
    ARROW_RETURN_NOT_OK(temporary.file_.Write(bytes));
    ARROW_RETURN_NOT_OK(temporary.file_.Sync());
    return temporary;
  }
  TemporaryFile(TemporaryFile&& other) noexcept
      : file_(std::move(other.file_)), name_(std::exchange(other.name_, {})) {}
  TemporaryFile& operator=(TemporaryFile&&) = delete;
  ~TemporaryFile() { Remove(); }

  const PosixFile& file() const { return file_; }
  void Remove() {
    if (!name_.empty()) ::unlink(name_.c_str());
    name_.clear();
  }
  /// False where the name is taken.
  Result<bool> LinkTo(const std::string& path) const {
    if (::link(name_.c_str(), path.c_str()) == 0) return true;
    const int code = errno;
    // A file server may have lost its answer to a link that it made, and been asked again.
    if (file_.Links() == 2) return true;
    if (code == EEXIST) return false;
    return PosixError(code, "giving it its name (link)", path);
  }
  Status RenameTo(const std::string& path) { return Rename(path, 0); }
  /// AlreadyExists where there is something of that name.
  Status RenameToNew(const std::string& path) {
    const Status renamed = Rename(path, RENAME_NOREPLACE);
    // Some file systems of networks do not know the flag.
    return ErrorInfoOf(renamed).native_code == std::to_string(EINVAL) ? RenameTo(path) : renamed;
  }

 private:
  TemporaryFile(PosixFile file, std::string name)
      : file_(std::move(file)), name_(std::move(name)) {}
  Status Rename(const std::string& path, unsigned flags) {
    if (renameat2(AT_FDCWD, name_.c_str(), AT_FDCWD, path.c_str(), flags) != 0) {
      return PosixError(errno, "giving it its name (rename)", path);
    }
    name_.clear();
    return Status::OK();
  }
  PosixFile file_;
  std::string name_;
};

/// Has its name only once it is whole.
class LocalOutput final : public OutputObject {
 public:
  LocalOutput(TemporaryFile file, std::string path)
      : file_(std::move(file)), path_(std::move(path)) {}
  Status Write(std::shared_ptr<arrow::Buffer> bytes) override {
    if (!file_) return Status::Invalid("the object is closed");
    for (std::string_view rest(*bytes); !rest.empty();) {
      ARROW_RETURN_NOT_OK(file_->file().Write(rest.substr(0, kMostAtOnce)));
      rest.remove_prefix(std::min(rest.size(), kMostAtOnce));
    }
    return Status::OK();
  }
  Status Close() override {
    if (!file_) return Status::OK();
    ARROW_RETURN_NOT_OK(file_->file().Sync());
    ARROW_RETURN_NOT_OK(file_->RenameToNew(path_));
    file_.reset();
    return Status::OK();
  }
  Status Abort() override {
    file_.reset();
    return Status::OK();
  }

 private:
  std::optional<TemporaryFile> file_;  ///< none once it is closed or gone
  const std::string path_;
};

/// Walks through folders for List.
class Walk {
 public:
  Walk(const std::string& root, const ObjectStore::ListOptions& options)
      : root_(root), options_(options) {}

  // `folder` ends with '/', or is the root's.
  Status Visit(const std::string& folder) {
    const std::string full = root_ + "/" + folder;
    DIR* opened = ::opendir(full.c_str());
    if (opened == nullptr && errno == ENOENT) return Status::OK();
    if (opened == nullptr) return PosixError(errno, "listing", full);
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(opened, ::closedir);
    for (errno = 0; const dirent* entry = ::readdir(opened); errno = 0) {
      ARROW_RETURN_NOT_OK(VisitEntry(::dirfd(opened), folder, entry->d_name, entry->d_type));
    }
    return errno == 0 ? Status::OK() : PosixError(errno, "listing", full);
  }
  std::vector<ObjectInfo> Finish() {
    std::sort(found_.begin(), found_.end(),
              [](const ObjectInfo& a, const ObjectInfo& b) { return a.path < b.path; });
    return std::move(found_);
  }

 private:
  Status VisitEntry(int directory, const std::string& folder, const std::string& name, int type) {
    if (name == "." || name == "..") return Status::OK();
    if (!options_.unfinished && IsTemporary(name)) return Status::OK();
    const std::string path = folder + name;
    // What need not be looked at is not: a log has many files below the one asked for.
    if (type == DT_REG && path <= options_.after) return Status::OK();
    if (type == DT_DIR && !options_.recursive) return Status::OK();
    struct stat info {};
    if (::fstatat(directory, name.c_str(), &info, 0) != 0) {
      // Gone in between, or a link to nowhere.
      return errno == ENOENT ? Status::OK() : PosixError(errno, "looking at", root_ + "/" + path);
    }
    // Links to folders are not followed: they may lead out, or round.
    if (S_ISDIR(info.st_mode)) {
      return options_.recursive && type != DT_LNK ? Visit(path + "/") : Status::OK();
    }
    if (S_ISREG(info.st_mode) && path > options_.after) {
      found_.push_back({.path = path,
                        .size = static_cast<int64_t>(info.st_size),
                        .modified_at = static_cast<int64_t>(info.st_mtim.tv_sec) * 1000 +
                                       info.st_mtim.tv_nsec / 1'000'000,
                        .unfinished = IsTemporary(name)});
    }
    return Status::OK();
  }

  const std::string& root_;
  const ObjectStore::ListOptions& options_;
  std::vector<ObjectInfo> found_;
};

// Whether there is nothing left of the folder. Links to folders are files here.
bool RemoveEmpty(const std::string& folder) {
  std::vector<std::string> inside;
  {
    const std::unique_ptr<DIR, int (*)(DIR*)> directory(::opendir(folder.c_str()), ::closedir);
    if (directory == nullptr) return errno == ENOENT;
    while (const dirent* entry = ::readdir(directory.get())) {
      const std::string name = entry->d_name;
      if (entry->d_type == DT_DIR && name != "." && name != "..") inside.push_back(name);
    }
  }
  for (const std::string& name : inside) RemoveEmpty(folder + "/" + name);
  return ::rmdir(folder.c_str()) == 0;
}

Result<PosixFile> OpenForReading(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(PosixFile file, PosixFile::Open(path, O_RDONLY));
  if (file.is_folder()) return PosixError(EISDIR, "opening", path);
  return file;
}

}  // namespace

Result<std::string> LocalStore::FullPath(const std::string& path) const {
  ARROW_RETURN_NOT_OK(CheckPath(path, *this));
  return root_ + "/" + path;
}

Result<std::shared_ptr<arrow::Buffer>> LocalStore::Read(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const std::string full, FullPath(path));
  ARROW_ASSIGN_OR_RAISE(const PosixFile file, OpenForReading(full));
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(file.Size()));
  int64_t filled = 0;
  while (filled < buffer->size()) {
    const ssize_t got = ::read(file.fd(), buffer->mutable_data() + filled,
                               static_cast<size_t>(buffer->size() - filled));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return PosixError(errno, "reading", full);
    if (got == 0) break;
    filled += got;
  }
  ARROW_RETURN_NOT_OK(buffer->Resize(filled));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> LocalStore::Open(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const std::string full, FullPath(path));
  ARROW_ASSIGN_OR_RAISE(PosixFile file, OpenForReading(full));
  return arrow::io::ReadableFile::Open(file.Release());
}

Result<std::vector<ObjectInfo>> LocalStore::List(const std::string& folder,
                                                 const ListOptions& options) {
  ARROW_RETURN_NOT_OK(CheckPath(folder, *this));
  Walk walk(root_, options);
  ARROW_RETURN_NOT_OK(walk.Visit(AsFolder(folder)));
  return walk.Finish();
}

Result<PutOutcome> LocalStore::PutIfAbsent(const std::string& path, std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(const std::string full, FullPath(path));
  ARROW_ASSIGN_OR_RAISE(auto temporary, TemporaryFile::Write(full, bytes, &folders_));
  ARROW_ASSIGN_OR_RAISE(const bool won, temporary.LinkTo(full));
  if (!won) return PutOutcome::kExists;
  temporary.Remove();
  const Status synced = folders_.Sync(ParentOf(full));
  if (synced.ok()) return PutOutcome::kWritten;
  ErrorInfo info = ErrorInfoOf(synced);
  info.kind = ErrorKind::kCommitUnknown;
  return MakeError(std::move(info), synced.message());
}

Status LocalStore::Put(const std::string& path, std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(const std::string full, FullPath(path));
  ARROW_ASSIGN_OR_RAISE(auto temporary, TemporaryFile::Write(full, bytes, &folders_));
  ARROW_RETURN_NOT_OK(temporary.RenameTo(full));
  return folders_.Sync(ParentOf(full));
}

Result<std::unique_ptr<OutputObject>> LocalStore::Create(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::string full, FullPath(path));
  ARROW_ASSIGN_OR_RAISE(TemporaryFile file, TemporaryFile::Create(full, &folders_));
  return std::make_unique<LocalOutput>(std::move(file), std::move(full));
}

Status LocalStore::SyncFolders(const std::vector<std::string>& folders) {
  std::vector<std::string> full;
  full.reserve(folders.size());
  for (const std::string& folder : folders) {
    ARROW_RETURN_NOT_OK(CheckPath(folder, *this));
    full.push_back(folder.empty() ? root_ : root_ + "/" + folder);
  }
  return folders_.Sync(full);
}

Status LocalStore::Delete(const std::vector<std::string>& paths) {
  for (const std::string& path : paths) {
    ARROW_ASSIGN_OR_RAISE(const std::string full, FullPath(path));
    if (::unlink(full.c_str()) == 0 || errno == ENOENT) continue;
    return PosixError(errno, "removing", full);
  }
  return Status::OK();
}

Status LocalStore::RemoveEmptyFolders() {
  // What cannot be removed is in nobody's way.
  RemoveEmpty(root_);
  return Status::OK();
}

std::string LocalStore::Describe(std::string_view path) const {
  return path.empty() ? root_ : fmt::format("{}/{}", root_, path);
}

}  // namespace amp::storage
