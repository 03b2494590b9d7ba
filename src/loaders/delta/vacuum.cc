#include "loaders/delta/vacuum.h"

#include <algorithm>
#include <string_view>
#include <unordered_set>

#include "loaders/delta/protocol/deletion_vector.h"
#include "loaders/delta/protocol/log_files.h"
#include "loaders/delta/protocol/paths.h"

namespace amp::delta {
namespace {

using storage::ObjectInfo;

constexpr std::string_view kChangeData = "_change_data";

std::string_view NameOf(std::string_view path) { return path.substr(path.rfind('/') + 1); }

bool StartsHidden(std::string_view part) { return part.starts_with('_') || part.starts_with('.'); }

bool IsPartition(std::string_view folder, const Strings& columns) {
  return std::any_of(columns.begin(), columns.end(), [&](const std::string& column) {
    return folder.starts_with(HiveEscape(column) + "=");
  });
}

bool IsHidden(std::string_view path, const Strings& partition_columns) {
  for (size_t begin = 0; true;) {
    const size_t end = path.find('/', begin);
    const std::string_view part = path.substr(begin, end - begin);
    if (end == std::string_view::npos) return StartsHidden(part);
    const bool is_own = (begin == 0 && part == kChangeData) || IsPartition(part, partition_columns);
    if (StartsHidden(part) && !is_own) return true;
    begin = end + 1;
  }
}

/// Folders below this table's that are tables themselves, each with '/' at its end.
Strings OtherTables(const std::vector<ObjectInfo>& objects) {
  Strings folders;
  const std::string log = std::string("/") + std::string(kLogFolder) + "/";
  for (const ObjectInfo& object : objects) {
    const size_t at = object.path.find(log);
    if (at == std::string::npos) continue;
    std::string folder = object.path.substr(0, at + 1);
    if (folders.empty() || folders.back() != folder) folders.push_back(std::move(folder));
  }
  return folders;
}

/// What may go, until the log says that it is needed.
class Candidates {
 public:
  Candidates(std::vector<ObjectInfo> objects, const VacuumScope& scope) {
    const Strings others = OtherTables(objects);
    const int64_t newest = scope.now_ms - scope.retention_ms;
    for (ObjectInfo& object : objects) {
      const bool is_others =
          std::any_of(others.begin(), others.end(),
                      [&](const std::string& folder) { return object.path.starts_with(folder); });
      if (is_others || object.modified_at > newest) continue;
      if (object.unfinished || !IsHidden(object.path, scope.partition_columns))
        objects_.push_back(std::move(object));
    }
    needed_.resize(objects_.size(), false);
  }

  Status Need(const FileName& file) {
    NeedPath(file.path);
    // A writer may have forgotten to encode the path.
    if (!file.text.empty()) NeedPath(file.text);
    if (!file.deletion_vector) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(const std::string path, DeletionVectorPath(*file.deletion_vector));
    NeedPath(path);
    return Status::OK();
  }

  std::vector<ObjectInfo> Unneeded() && {
    std::vector<ObjectInfo> unneeded;
    for (size_t i = 0; i < objects_.size(); ++i) {
      if (needed_[i] || elsewhere_.contains(std::string(NameOf(objects_[i].path)))) continue;
      unneeded.push_back(std::move(objects_[i]));
    }
    return unneeded;
  }

 private:
  void NeedPath(const std::string& path) {
    // One that is absolute, or roundabout, may mean a file of this folder all the same.
    const bool plain = !IsAbsolutePath(path) && path.find("./") == std::string::npos &&
                       path.find("//") == std::string::npos;
    if (!plain) elsewhere_.emplace(NameOf(path));
    const auto found =
        std::lower_bound(objects_.begin(), objects_.end(), path,
                         [](const ObjectInfo& a, const std::string& b) { return a.path < b; });
    if (found == objects_.end() || found->path != path) return;
    needed_[static_cast<size_t>(found - objects_.begin())] = true;
  }

  std::vector<ObjectInfo> objects_;  ///< in the order of paths
  std::vector<bool> needed_;
  std::unordered_set<std::string> elsewhere_;  ///< names
};

Status NeedIfRecent(const Remove& remove, int64_t since, Candidates* candidates) {
  if (remove.deletion_timestamp.value_or(0) < since) return Status::OK();
  return candidates->Need(remove.file);
}

Status NeedState(LogReader* reader, int64_t since, Candidates* candidates) {
  return reader->ForEachKept([&](const Action& action) {
    if (const auto* add = std::get_if<Add>(&action)) return candidates->Need(add->file);
    const auto* remove = std::get_if<Remove>(&action);
    return remove == nullptr ? Status::OK() : NeedIfRecent(*remove, since, candidates);
  });
}

// Checkpoints have forgotten which files left the table so long ago; commits may still know.
Status NeedRemovedSince(const LogStore& log, int64_t since, Candidates* candidates) {
  ARROW_ASSIGN_OR_RAISE(const auto files, log.List());
  for (const LogFile& file : files) {
    if (file.kind != LogFileKind::kCommit || file.modified_at < since) continue;
    ARROW_ASSIGN_OR_RAISE(const auto commit, log.ReadCommit(file.version));
    if (!commit) continue;
    for (const Action& action : *commit) {
      const auto* remove = std::get_if<Remove>(&action);
      if (remove != nullptr) ARROW_RETURN_NOT_OK(NeedIfRecent(*remove, since, candidates));
    }
  }
  return Status::OK();
}

}  // namespace

// The folder is listed before the log is read: what is committed in between is found to be needed.
Result<std::vector<ObjectInfo>> FindUnneeded(LogReader* reader, const VacuumScope& scope) {
  const LogStore& log = reader->log();
  ARROW_ASSIGN_OR_RAISE(
      auto objects, log.store().List(log.TablePath(""), {.recursive = true, .unfinished = true}));
  Candidates candidates(std::move(objects), scope);
  const int64_t since = scope.now_ms - scope.retention_ms;
  ARROW_RETURN_NOT_OK(NeedState(reader, since, &candidates));
  if (scope.retention_ms > scope.log_retention_ms) {
    ARROW_RETURN_NOT_OK(NeedRemovedSince(log, since, &candidates));
  }
  return std::move(candidates).Unneeded();
}

}  // namespace amp::delta
