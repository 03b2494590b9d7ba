#include "loaders/delta/protocol/log_cleanup.h"

#include <algorithm>

namespace amp::delta {
namespace {

// Files' times need not grow with their versions (copies, clocks): a commit counts as no older than
// the one before it.
int64_t NewestCommitBefore(std::span<const LogFile> files, int64_t cutoff_ms) {
  std::vector<const LogFile*> commits;
  for (const LogFile& file : files) {
    if (file.kind == LogFileKind::kCommit) commits.push_back(&file);
  }
  std::sort(commits.begin(), commits.end(),
            [](const LogFile* a, const LogFile* b) { return a->version < b->version; });
  int64_t newest = -1;
  int64_t time = INT64_MIN;
  for (const LogFile* commit : commits) {
    time = std::max(time, commit->modified_at);
    if (time > cutoff_ms) break;
    newest = commit->version;
  }
  return newest;
}

bool MayGo(const LogFile& file, int64_t checkpoint) {
  if (file.kind == LogFileKind::kCompacted) return file.version <= checkpoint;
  return file.version < checkpoint;
}

}  // namespace

CleanupPlan PlanLogCleanup(std::span<const LogFile> files, int64_t retention_ms, int64_t now_ms) {
  constexpr int64_t kDay = 86'400'000;
  const int64_t moment = now_ms - retention_ms;
  if (moment < 0) return {};
  CleanupPlan plan;
  const int64_t newest = NewestCommitBefore(files, moment - moment % kDay);
  if (newest < 0) return plan;
  // What is there at the checkpoint that the cut-off commit is read from.
  std::vector<LogFile> until;
  for (const LogFile& file : files) {
    if (file.last_version <= newest) until.push_back(file);
  }
  const auto segment = FindSegment(until, newest);
  if (!segment.ok() || !*segment) return plan;
  plan.checkpoint_version = (*segment)->checkpoint_version;
  if (plan.checkpoint_version < 0) return plan;
  for (const LogFile& file : files) {
    if (MayGo(file, plan.checkpoint_version)) plan.files.push_back(file.name);
  }
  std::sort(plan.files.begin(), plan.files.end());
  return plan;
}

}  // namespace amp::delta
