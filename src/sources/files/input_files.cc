#include "sources/files/input_files.h"

#include <arrow/io/file.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>

#include "storage/open_store.h"

namespace amp {
namespace {

Status FileError(const std::string& name, ErrorKind kind, std::string_view why) {
  return MakeError({.kind = kind, .side = ErrorSide::kSource, .target = name},
                   fmt::format("file '{}': {}", name, why));
}

Status CheckLocal(const std::string& path) {
  struct stat info {};
  if (stat(path.c_str(), &info) != 0) {
    return FileError(path, ErrorKind::kNotFound, std::strerror(errno));
  }
  if (S_ISDIR(info.st_mode)) return FileError(path, ErrorKind::kNotFound, "is a directory");
  if (access(path.c_str(), R_OK) == 0) return Status::OK();
  return FileError(path, ErrorKind::kUnauthenticated, std::strerror(errno));
}

}  // namespace

bool InputFiles::IsRemote(const std::string& name) { return storage::IsRemoteUri(name); }

Result<InputFiles::Place> InputFiles::Locate(const std::string& name) {
  const size_t bucket_at = name.find("://") + 3;
  const size_t slash = name.find('/', bucket_at);
  Place place{.store = nullptr,
              .bucket = name.substr(0, slash) + "/",
              .key = slash == std::string::npos ? "" : name.substr(slash + 1)};
  const std::lock_guard lock(mutex_);
  auto& known = stores_[place.bucket];
  if (known == nullptr) {
    ARROW_ASSIGN_OR_RAISE(known, storage::OpenStore(place.bucket, {}));
  }
  place.store = known;
  return place;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> InputFiles::OpenObject(
    const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const Place place, Locate(name));
  ARROW_ASSIGN_OR_RAISE(auto file, place.store->Open(place.key));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->GetSize());
  const std::lock_guard lock(mutex_);
  sizes_[name] = size;
  return file;
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> InputFiles::Open(const std::string& name) {
  std::shared_ptr<arrow::io::RandomAccessFile> file;
  if (IsRemote(name)) {
    auto opened = OpenObject(name);
    ARROW_RETURN_NOT_OK(WithSide(opened.status(), ErrorSide::kSource));
    file = *std::move(opened);
  } else {
    ARROW_RETURN_NOT_OK(CheckLocal(name));
    ARROW_ASSIGN_OR_RAISE(file, arrow::io::ReadableFile::Open(name));
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->GetSize());
  if (size > 0) return file;
  return FileError(name, ErrorKind::kDataInvalid, "is empty; a data file has a header at least");
}

int64_t InputFiles::SizeOf(const std::string& name) {
  if (IsRemote(name)) {
    const std::lock_guard lock(mutex_);
    const auto known = sizes_.find(name);
    return known == sizes_.end() ? 0 : known->second;
  }
  std::error_code error;
  const auto size = std::filesystem::file_size(name, error);
  return error ? 0 : static_cast<int64_t>(size);
}

Result<bool> InputFiles::ObjectExists(const std::string& name) {
  if (name.ends_with('/')) return false;
  ARROW_ASSIGN_OR_RAISE(const Place place, Locate(name));
  if (place.key.empty()) return false;
  const auto opened = place.store->Open(place.key);
  if (opened.ok()) return true;
  const ErrorInfo info = ErrorInfoOf(opened.status());
  if (info.kind == ErrorKind::kNotFound && info.native_code != "NoSuchBucket") return false;
  return opened.status();
}

Result<std::vector<std::string>> InputFiles::ListObjects(const std::string& folder) {
  ARROW_ASSIGN_OR_RAISE(const Place place, Locate(folder));
  ARROW_ASSIGN_OR_RAISE(const auto objects, place.store->List(place.key, {.recursive = true}));
  std::vector<std::string> names;
  names.reserve(objects.size());
  for (const storage::ObjectInfo& object : objects) names.push_back(place.bucket + object.path);
  return names;
}

}  // namespace amp
