#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/checkpoint_stream.h"
#include "loaders/delta/log_store.h"
#include "loaders/delta/protocol/log_replay.h"
#include "loaders/delta/protocol/snapshot.h"

namespace amp::delta {

struct Commit {
  int64_t version = 0;
  std::vector<Action> actions;
};

/// The files of a table at one version, one after the other, in no order; holds in memory only
/// those that were added since the checkpoint.
class AMP_EXPORT FileStream {
 public:
  /// None at the end. NotFound where the log was cleaned up meanwhile: begin again.
  Result<std::optional<Add>> Next();

 private:
  friend class LogReader;
  FileStream(LogStore log, LogReplay replay, std::vector<Add> ready, LogSegment segment);

  LogReplay replay_;
  std::vector<Add> ready_;
  CheckpointStream checkpoint_;
};

/// Reads a table's log. Not thread-safe. Errors are Protocol where the log is broken, naming the
/// file, and those of the store.
class AMP_EXPORT LogReader {
 public:
  explicit LogReader(LogStore log) : log_(std::move(log)) {}

  const LogStore& log() const { return log_; }

  /// The newest version; none where there is no table.
  Result<std::optional<Snapshot>> Load(const Snapshot::Keep& keep = {});
  /// NotFound for a version that is not there (any more).
  Result<Snapshot> LoadAt(int64_t version, const Snapshot::Keep& keep = {});
  /// Brings the snapshot to the newest version, and gives the commits that it lacked. Asks for the
  /// next versions one by one; lists the log where it was not read for long, and might have been
  /// cleaned up to beyond the snapshot. Then, NotFound: `Load` again.
  Result<std::vector<Commit>> Refresh(Snapshot* snapshot);

  /// The newest version that was there at a moment in Unix milliseconds. NotFound before the first.
  Result<int64_t> VersionAt(int64_t timestamp_ms);
  /// All files of a version; of the newest where none is given.
  Result<FileStream> Files(std::optional<int64_t> version = {});

  /// Every action that makes up the newest version, also tombstones, in no order.
  Status ForEachKept(const std::function<Status(const Action&)>& each);
  /// The oldest version that can be read; none where there is no table.
  Result<std::optional<int64_t>> OldestVersion();

  /// The files that make up a version; none where there is no table.
  Result<std::optional<LogSegment>> FindLog(std::optional<int64_t> version = {});

 private:
  Result<std::optional<LogSegment>> TryFindLog(std::optional<int64_t> version);
  Result<Snapshot> ReadSegment(const LogSegment& segment, const Snapshot::Keep& keep);
  Result<std::optional<Snapshot>> TryLoad(std::optional<int64_t> version,
                                          const Snapshot::Keep& keep, bool* again);
  Status CheckStillThere(const Snapshot& snapshot);
  Result<std::optional<int64_t>> InCommitTimestamp(int64_t version);
  Status NotThere(int64_t version);

  LogStore log_;
  int64_t read_at_ms_ = 0;
};

}  // namespace amp::delta
