#include "loaders/delta/log_cleaner.h"

#include "loaders/delta/protocol/log_cleanup.h"

namespace amp::delta {

Result<int64_t> CleanLog(const LogStore& log, int64_t retention_ms, int64_t now_ms) {
  ARROW_ASSIGN_OR_RAISE(const auto files, log.List());
  const CleanupPlan plan = PlanLogCleanup(files, retention_ms, now_ms);
  std::vector<std::string> paths;
  paths.reserve(plan.files.size());
  for (const std::string& name : plan.files) paths.push_back(log.LogPath(name));
  ARROW_RETURN_NOT_OK(log.store().Delete(paths));
  return static_cast<int64_t>(paths.size());
}

}  // namespace amp::delta
