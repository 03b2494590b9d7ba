#include "loaders/delta/log_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <functional>
#include <set>

#include "core/time_text.h"
#include "loaders/delta/protocol/action_json.h"
#include "loaders/delta/protocol/table_properties.h"

namespace amp::delta {
namespace {

// How often a log is read anew that others clean up, or write, while it is read.
constexpr int kTries = 5;
// Nobody cleans a log faster than in days.
constexpr int64_t kTrustMs = int64_t{10} * 60 * 1'000;

int64_t NowMs() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// The commits of a segment, the newest first; each file is read whole, and dropped.
Status ForEachCommitFile(const LogStore& log, const LogSegment& segment,
                         const std::function<Status(const LogFile&, Action)>& each) {
  for (const LogFile& file : segment.commits) {
    const std::string path = log.LogPath(file.name);
    ARROW_ASSIGN_OR_RAISE(const auto buffer, log.store().Read(path));
    ARROW_RETURN_NOT_OK(
        ForEachAction(std::string_view(*buffer), log.store().Describe(path),
                      [&](Action action) { return each(file, std::move(action)); }));
  }
  return Status::OK();
}

std::optional<int64_t> TimestampOf(const std::vector<Action>& commit) {
  for (const Action& action : commit) {
    if (const auto* info = std::get_if<CommitInfo>(&action)) return info->in_commit_timestamp;
  }
  return std::nullopt;
}

std::string TimeText(int64_t unix_ms) {
  std::string text;
  AppendTimestamp(unix_ms, arrow::TimeUnit::MILLI, /*utc=*/true, &text);
  return text;
}

Status NoTable(const LogStore& log) {
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                   fmt::format("there is no Delta table in {}", log.Describe()));
}

Status NoVersionAt(const LogStore& log, int64_t timestamp_ms, std::optional<int64_t> oldest_ms) {
  const std::string since =
      oldest_ms ? fmt::format("; the oldest that is there is of {}", TimeText(*oldest_ms)) : "";
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                   fmt::format("the table in {} has no version as old as {}, or it was cleaned "
                               "up{}",
                               log.Describe(), TimeText(timestamp_ms), since));
}

// Versions and the times of their files, made to grow with the version as Delta does it.
std::vector<std::pair<int64_t, int64_t>> CommitTimes(const std::vector<LogFile>& files) {
  std::vector<std::pair<int64_t, int64_t>> times;
  for (const LogFile& file : files) {
    if (file.kind != LogFileKind::kCommit) continue;
    int64_t time = file.modified_at;
    if (!times.empty()) time = std::max(time, times.back().second + 1);
    times.emplace_back(file.version, time);
  }
  return times;
}

}  // namespace

FileStream::FileStream(LogStore log, LogReplay replay, std::vector<Add> ready, LogSegment segment)
    : replay_(std::move(replay)),
      ready_(std::move(ready)),
      checkpoint_(std::move(log), std::move(segment.checkpoint)) {}

Result<std::optional<Add>> FileStream::Next() {
  while (ready_.empty()) {
    ARROW_ASSIGN_OR_RAISE(auto actions, checkpoint_.Next());
    if (actions.empty()) return std::nullopt;
    for (Action& action : actions) {
      if (!replay_.KeepsFromCheckpoint(action)) continue;
      if (auto* add = std::get_if<Add>(&action)) ready_.push_back(std::move(*add));
    }
  }
  Add add = std::move(ready_.back());
  ready_.pop_back();
  return add;
}

Result<std::optional<LogSegment>> LogReader::TryFindLog(std::optional<int64_t> version) {
  ARROW_ASSIGN_OR_RAISE(const auto hint, log_.ReadLastCheckpoint());
  if (hint && (!version || hint->version <= *version)) {
    ARROW_ASSIGN_OR_RAISE(const auto files, log_.List(hint->version));
    auto segment = FindSegment(files, version);
    // The hint may name a checkpoint that is not there: then all is listed.
    if (segment.ok() && *segment && (*segment)->checkpoint_version >= 0) return segment;
  }
  ARROW_ASSIGN_OR_RAISE(const auto files, log_.List());
  return FindSegment(files, version);
}

Result<std::optional<LogSegment>> LogReader::FindLog(std::optional<int64_t> version) {
  read_at_ms_ = NowMs();
  for (int i = 1; i < kTries; ++i) {
    auto segment = TryFindLog(version);
    // A folder that is listed while others write to it may show a commit, and not the one before.
    if (segment.ok() || KindOf(segment.status()) != ErrorKind::kProtocol) return segment;
  }
  auto segment = TryFindLog(version);
  if (segment.ok()) return segment;
  return WithContext(segment.status(), log_.Describe());
}

Result<std::optional<int64_t>> LogReader::InCommitTimestamp(int64_t version) {
  ARROW_ASSIGN_OR_RAISE(const auto commit, log_.ReadCommit(version));
  return commit ? TimestampOf(*commit) : std::nullopt;
}

Result<Snapshot> LogReader::ReadSegment(const LogSegment& segment, const Snapshot::Keep& keep) {
  Snapshot snapshot(keep);
  LogReplay replay;
  std::optional<int64_t> timestamp;
  ARROW_RETURN_NOT_OK(
      ForEachCommitFile(log_, segment, [&](const LogFile& file, const Action& action) {
        const auto* info = std::get_if<CommitInfo>(&action);
        if (info != nullptr && file.last_version == segment.version) {
          timestamp = info->in_commit_timestamp;
        }
        if (replay.Keeps(action)) snapshot.Restore(action);
        return Status::OK();
      }));
  CheckpointStream checkpoint(log_, segment.checkpoint);
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto actions, checkpoint.Next());
    if (actions.empty()) break;
    for (const Action& action : actions) {
      if (replay.KeepsFromCheckpoint(action)) snapshot.Restore(action);
    }
  }
  ARROW_RETURN_NOT_OK(snapshot.Finish(segment.version, timestamp));
  const bool timed = PropertiesOf(snapshot.metadata()).enable_in_commit_timestamps;
  if (timed && !timestamp) {
    // No commits above the checkpoint, and a checkpoint has no commitInfo.
    ARROW_ASSIGN_OR_RAISE(timestamp, InCommitTimestamp(segment.version));
    ARROW_RETURN_NOT_OK(snapshot.Finish(segment.version, timestamp));
  }
  snapshot.set_checkpoint_version(segment.checkpoint_version);
  return snapshot;
}

Result<std::optional<Snapshot>> LogReader::TryLoad(std::optional<int64_t> version,
                                                   const Snapshot::Keep& keep, bool* again) {
  *again = false;
  ARROW_ASSIGN_OR_RAISE(const auto segment, FindLog(version));
  if (!segment) return std::nullopt;
  auto snapshot = ReadSegment(*segment, keep);
  if (snapshot.ok()) return std::optional(*std::move(snapshot));
  // What was listed is gone: cleaned up meanwhile.
  *again = KindOf(snapshot.status()) == ErrorKind::kNotFound;
  return WithContext(snapshot.status(), log_.Describe());
}

Result<std::optional<Snapshot>> LogReader::Load(const Snapshot::Keep& keep) {
  bool again = true;
  for (int i = 1; i < kTries; ++i) {
    auto snapshot = TryLoad(std::nullopt, keep, &again);
    if (!again) return snapshot;
  }
  return TryLoad(std::nullopt, keep, &again);
}

// Says which versions there are.
Status LogReader::NotThere(int64_t version) {
  ARROW_ASSIGN_OR_RAISE(const auto newest, Load([](const Add&) { return false; }));
  ARROW_ASSIGN_OR_RAISE(const auto oldest, OldestVersion());
  if (!newest || !oldest) return NoTable(log_);
  const char* why = version < *oldest ? "was cleaned up" : "has never been";
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                   fmt::format("version {} of the table in {} {}; there are versions {} to {}",
                               version, log_.Describe(), why, *oldest, newest->version()));
}

Result<Snapshot> LogReader::LoadAt(int64_t version, const Snapshot::Keep& keep) {
  bool again = false;
  auto loaded = TryLoad(version, keep, &again);
  if (again || KindOf(loaded.status()) == ErrorKind::kNotFound) return NotThere(version);
  ARROW_ASSIGN_OR_RAISE(auto snapshot, std::move(loaded));
  if (snapshot) return *std::move(snapshot);
  return NoTable(log_);
}

Status LogReader::CheckStillThere(const Snapshot& snapshot) {
  const int64_t now = NowMs();
  const bool fresh = now - std::exchange(read_at_ms_, now) < kTrustMs;
  if (fresh) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto files, log_.List(snapshot.version()));
  const bool there = std::any_of(files.begin(), files.end(), [&](const LogFile& file) {
    return file.kind == LogFileKind::kCommit && file.version == snapshot.version();
  });
  if (there) return Status::OK();
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                   fmt::format("version {} of the table in {} was cleaned up, or the table is "
                               "another one",
                               snapshot.version(), log_.Describe()));
}

Result<std::vector<Commit>> LogReader::Refresh(Snapshot* snapshot) {
  ARROW_RETURN_NOT_OK(CheckStillThere(*snapshot));
  std::vector<Commit> commits;
  while (true) {
    const int64_t version = snapshot->version() + 1;
    ARROW_ASSIGN_OR_RAISE(auto actions, log_.ReadCommit(version));
    if (!actions) return commits;
    ARROW_RETURN_NOT_OK(snapshot->Advance(version, *actions));
    commits.push_back({version, *std::move(actions)});
  }
}

Result<int64_t> LogReader::VersionAt(int64_t timestamp_ms) {
  ARROW_ASSIGN_OR_RAISE(const auto snapshot, Load([](const Add&) { return false; }));
  if (!snapshot) return NoTable(log_);
  ARROW_ASSIGN_OR_RAISE(const auto files, log_.List());
  auto times = CommitTimes(files);
  const TableProperties properties = PropertiesOf(snapshot->metadata());
  const int64_t timed_from = properties.in_commit_timestamp_version.value_or(0);
  const bool timed = properties.enable_in_commit_timestamps &&
                     timestamp_ms >= properties.in_commit_timestamp_at.value_or(0);
  std::erase_if(times, [&](const auto& entry) {
    return properties.enable_in_commit_timestamps && (entry.first >= timed_from) != timed;
  });
  // The times grow: search by halves, since one that is in a commit must be read.
  int64_t found = -1;
  size_t low = 0;
  size_t high = times.size();
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    auto& [version, time] = times[middle];
    if (timed) {
      ARROW_ASSIGN_OR_RAISE(const auto read, InCommitTimestamp(version));
      time = read.value_or(time);
    }
    if (time <= timestamp_ms) {
      found = version;
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  if (found < 0) {
    return NoVersionAt(log_, timestamp_ms,
                       times.empty() ? std::nullopt : std::optional(times.front().second));
  }
  return found;
}

Result<FileStream> LogReader::Files(std::optional<int64_t> version) {
  ARROW_ASSIGN_OR_RAISE(auto segment, FindLog(version));
  if (!segment) {
    return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                     fmt::format("there is no Delta table in {}", log_.Describe()));
  }
  LogReplay replay;
  std::vector<Add> adds;
  ARROW_RETURN_NOT_OK(ForEachCommitFile(log_, *segment, [&](const LogFile&, Action action) {
    if (!replay.Keeps(action)) return Status::OK();
    if (auto* add = std::get_if<Add>(&action)) adds.push_back(std::move(*add));
    return Status::OK();
  }));
  return FileStream(log_, std::move(replay), std::move(adds), *std::move(segment));
}

Status LogReader::ForEachKept(const std::function<Status(const Action&)>& each) {
  ARROW_ASSIGN_OR_RAISE(auto segment, FindLog());
  if (!segment) return Status::OK();
  LogReplay replay;
  ARROW_RETURN_NOT_OK(ForEachCommitFile(log_, *segment, [&](const LogFile&, const Action& action) {
    return replay.Keeps(action) ? each(action) : Status::OK();
  }));
  CheckpointStream checkpoint(log_, std::move(segment->checkpoint));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto actions, checkpoint.Next());
    if (actions.empty()) return Status::OK();
    for (const Action& action : actions) {
      if (replay.KeepsFromCheckpoint(action)) ARROW_RETURN_NOT_OK(each(action));
    }
  }
}

// It is the table's first, or one that has a whole checkpoint.
Result<std::optional<int64_t>> LogReader::OldestVersion() {
  ARROW_ASSIGN_OR_RAISE(const auto files, log_.List());
  std::set<int64_t> versions;
  for (const LogFile& file : files) {
    if (file.kind != LogFileKind::kCommit || file.version == 0) versions.insert(file.version);
  }
  for (const int64_t version : versions) {
    const auto segment = FindSegment(files, version);
    if (segment.ok() && *segment) return version;
  }
  return std::nullopt;
}

}  // namespace amp::delta
