#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

/// The names of what lies in `_delta_log`, and which of it makes up a table's state.
namespace amp::delta {

inline constexpr std::string_view kLogFolder = "_delta_log";
inline constexpr std::string_view kLastCheckpoint = "_last_checkpoint";

enum class LogFileKind {
  kCommit,               ///< <20 digits>.json
  kClassicCheckpoint,    ///< <20 digits>.checkpoint.parquet
  kCheckpointPart,       ///< <20 digits>.checkpoint.<part>.<parts>.parquet
  kV2CheckpointJson,     ///< <20 digits>.checkpoint.<uuid>.json
  kV2CheckpointParquet,  ///< <20 digits>.checkpoint.<uuid>.parquet
  kCompacted,            ///< <20 digits>.<20 digits>.compacted.json
  kChecksum,             ///< <20 digits>.crc
};

struct LogFile {
  LogFileKind kind;
  std::string name;  ///< within `_delta_log`
  int64_t version = 0;
  int64_t last_version = 0;  ///< of compacted commits
  int32_t part = 0;          ///< from 1
  int32_t parts = 0;
  int64_t size = 0;
  int64_t modified_at = 0;  ///< in Unix milliseconds
};

/// None for what is no log file, such as `_last_checkpoint` and temporary files.
AMP_EXPORT std::optional<LogFile> ParseLogFileName(std::string_view name);

/// "00000000000000000007.json"
AMP_EXPORT std::string CommitName(int64_t version);
/// "00000000000000000010.checkpoint.parquet"
AMP_EXPORT std::string CheckpointName(int64_t version);
/// "00000000000000000007": sorts before every file of this version and above.
AMP_EXPORT std::string VersionPrefix(int64_t version);

/// The files that hold the table at `version`.
struct LogSegment {
  int64_t version = -1;
  int64_t checkpoint_version = -1;  ///< -1: none
  std::vector<LogFile> checkpoint;  ///< one file, or all its parts in order
  /// Commits after the checkpoint, the newest first; compacted ones stand for those they hold.
  std::vector<LogFile> commits;
};

/// The newest version up to `at_most` that the files make up, from the newest whole checkpoint.
/// None where they hold no table. Protocol error for a version that is missing in the middle;
/// NotFound where `at_most` is given and is not there (any more).
AMP_EXPORT Result<std::optional<LogSegment>> FindSegment(std::span<const LogFile> files,
                                                         std::optional<int64_t> at_most = {});

/// `_last_checkpoint`; none where it is not usable, which is ordinary.
struct LastCheckpoint {
  int64_t version = 0;
  int64_t size = 0;  ///< actions
  std::optional<int64_t> parts = {};
  std::optional<int64_t> size_in_bytes = {};
  std::optional<int64_t> num_of_add_files = {};
};
AMP_EXPORT std::optional<LastCheckpoint> ParseLastCheckpoint(std::string_view json);
AMP_EXPORT std::string ToJson(const LastCheckpoint& checkpoint);

}  // namespace amp::delta
