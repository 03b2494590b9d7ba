#include "storage/folder_maker.h"

#include <sys/stat.h>

#include <cerrno>
#include <set>

#include "storage/posix_error.h"
#include "storage/posix_file.h"

namespace amp::storage {

Status FolderMaker::Make(const std::string& folder) {
  if (::mkdir(folder.c_str(), 0777) == 0) {
    const std::lock_guard lock(mutex_);
    pending_[ParentOf(folder)] = ++changes_;
    return Status::OK();
  }
  const int code = errno;
  if (code == EEXIST) {
    struct stat info {};
    const bool is_folder = ::stat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode);
    return is_folder ? Status::OK() : PosixError(ENOTDIR, "making the folder", folder);
  }
  const std::string parent = ParentOf(folder);
  if (code != ENOENT || parent == folder) return PosixError(code, "making the folder", folder);
  ARROW_RETURN_NOT_OK(Make(parent));
  return Make(folder);
}

Status FolderMaker::Sync(const std::vector<std::string>& folders) {
  const std::map<std::string, uint64_t> pending = Pending();
  std::set<std::string> all(folders.begin(), folders.end());
  for (const std::string& folder : all) ARROW_RETURN_NOT_OK(SyncFolder(folder));
  for (const auto& [folder, change] : pending) {
    if (all.contains(folder)) continue;
    const Status synced = SyncFolder(folder);
    // Someone may have removed it since; what was made in it went with it.
    if (!synced.ok() && KindOf(synced) != ErrorKind::kNotFound) return synced;
  }
  if (!pending.empty()) Forget(pending);
  return Status::OK();
}

std::map<std::string, uint64_t> FolderMaker::Pending() {
  const std::lock_guard lock(mutex_);
  return pending_;
}

// Not those in which another thread has made a folder since.
void FolderMaker::Forget(const std::map<std::string, uint64_t>& synced) {
  const std::lock_guard lock(mutex_);
  for (const auto& [folder, change] : synced) {
    const auto found = pending_.find(folder);
    if (found != pending_.end() && found->second == change) pending_.erase(found);
  }
}

}  // namespace amp::storage
