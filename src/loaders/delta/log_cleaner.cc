#include "loaders/delta/log_cleaner.h"

#include <set>

#include "loaders/delta/checkpoint_stream.h"
#include "loaders/delta/protocol/log_cleanup.h"

namespace amp::delta {
namespace {

// A checkpoint that is being written now may name them. PROTOCOL.md, "Metadata Cleanup".
constexpr int64_t kSidecarsKeptMs = int64_t{24} * 3600 * 1000;
constexpr std::string_view kSidecars = "_sidecars";

bool IsCheckpoint(const LogFile& file) {
  return file.kind != LogFileKind::kCommit && file.kind != LogFileKind::kCompacted &&
         file.kind != LogFileKind::kChecksum;
}

// A checkpoint with sidecars may have a classic one's name, too.
Result<std::set<std::string>> NamedSidecars(const LogStore& log) {
  std::set<std::string> named;
  ARROW_ASSIGN_OR_RAISE(const auto files, log.List());
  for (const LogFile& file : files) {
    if (!IsCheckpoint(file)) continue;
    ARROW_ASSIGN_OR_RAISE(const auto names, CheckpointStream::SidecarNames(log, file));
    named.insert(names.begin(), names.end());
  }
  return named;
}

std::string NameOf(const std::string& path) { return path.substr(path.rfind('/') + 1); }

Result<int64_t> CleanSidecars(const LogStore& log, int64_t now_ms) {
  ARROW_ASSIGN_OR_RAISE(auto sidecars, log.store().List(log.LogPath(std::string(kSidecars)), {}));
  std::erase_if(sidecars, [&](const storage::ObjectInfo& sidecar) {
    return sidecar.modified_at > now_ms - kSidecarsKeptMs;
  });
  if (sidecars.empty()) return 0;
  ARROW_ASSIGN_OR_RAISE(const auto named, NamedSidecars(log));
  std::vector<std::string> paths;
  for (const storage::ObjectInfo& sidecar : sidecars) {
    if (!named.contains(NameOf(sidecar.path))) paths.push_back(sidecar.path);
  }
  ARROW_RETURN_NOT_OK(log.store().Delete(paths));
  return static_cast<int64_t>(paths.size());
}

}  // namespace

Result<int64_t> CleanLog(const LogStore& log, int64_t retention_ms, int64_t now_ms) {
  ARROW_ASSIGN_OR_RAISE(const auto files, log.List());
  const CleanupPlan plan = PlanLogCleanup(files, retention_ms, now_ms);
  std::vector<std::string> paths;
  paths.reserve(plan.files.size());
  for (const std::string& name : plan.files) paths.push_back(log.LogPath(name));
  ARROW_RETURN_NOT_OK(log.store().Delete(paths));
  ARROW_ASSIGN_OR_RAISE(const int64_t sidecars, CleanSidecars(log, now_ms));
  return static_cast<int64_t>(paths.size()) + sidecars;
}

}  // namespace amp::delta
