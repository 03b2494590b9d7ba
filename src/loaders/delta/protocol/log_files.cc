#include "loaders/delta/protocol/log_files.h"

#include <fmt/format.h>

#include <charconv>
#include <map>

#include "loaders/delta/protocol/json_members.h"

namespace amp::delta {
namespace {

constexpr size_t kVersionDigits = 20;
constexpr size_t kPartDigits = 10;

// A number of just so many digits at the beginning, which is taken away.
std::optional<int64_t> TakeNumber(std::string_view* text, size_t digits) {
  if (text->size() < digits) return std::nullopt;
  int64_t value = 0;
  const char* const last = text->data() + digits;
  const auto [end, error] = std::from_chars(text->data(), last, value);
  if (error != std::errc() || end != last || value < 0) return std::nullopt;
  text->remove_prefix(digits);
  return value;
}

bool Take(std::string_view* text, std::string_view prefix) {
  if (!text->starts_with(prefix)) return false;
  text->remove_prefix(prefix.size());
  return true;
}

bool IsUuid(std::string_view text) {
  return text.size() == 36 &&
         text.find_first_not_of("0123456789abcdefABCDEF-") == std::string_view::npos;
}

std::optional<LogFile> ParsePart(std::string_view rest, LogFile file) {
  const auto part = TakeNumber(&rest, kPartDigits);
  if (!part || !Take(&rest, ".")) return std::nullopt;
  const auto parts = TakeNumber(&rest, kPartDigits);
  if (!parts || rest != ".parquet" || *part < 1 || *part > *parts) return std::nullopt;
  if (!std::in_range<int32_t>(*parts)) return std::nullopt;
  file.kind = LogFileKind::kCheckpointPart;
  file.part = static_cast<int32_t>(*part);
  file.parts = static_cast<int32_t>(*parts);
  return file;
}

std::optional<LogFile> ParseCheckpoint(std::string_view rest, LogFile file) {
  if (rest == "parquet") {
    file.kind = LogFileKind::kClassicCheckpoint;
    return file;
  }
  if (const size_t dot = rest.find('.'); IsUuid(rest.substr(0, dot))) {
    const std::string_view ending = rest.substr(dot);
    if (ending == ".json") file.kind = LogFileKind::kV2CheckpointJson;
    if (ending == ".parquet") file.kind = LogFileKind::kV2CheckpointParquet;
    return file.kind == LogFileKind::kCommit ? std::nullopt : std::optional(file);
  }
  return ParsePart(rest, std::move(file));
}

bool IsCheckpoint(LogFileKind kind) {
  return kind == LogFileKind::kClassicCheckpoint || kind == LogFileKind::kCheckpointPart ||
         kind == LogFileKind::kV2CheckpointJson || kind == LogFileKind::kV2CheckpointParquet;
}

using ByVersion = std::map<int64_t, LogFile>;
using PartSets = std::map<std::pair<int64_t, int32_t>, std::map<int32_t, LogFile>>;

// Whole checkpoints by version; a single file is preferred to parts, which others may overwrite.
std::map<int64_t, std::vector<LogFile>> WholeCheckpoints(std::span<const LogFile> files) {
  std::map<int64_t, std::vector<LogFile>> whole;
  PartSets parts;
  for (const LogFile& file : files) {
    if (!IsCheckpoint(file.kind)) continue;
    if (file.kind == LogFileKind::kCheckpointPart) {
      parts[{file.version, file.parts}].emplace(file.part, file);
    } else {
      whole.try_emplace(file.version, std::vector<LogFile>{file});
    }
  }
  for (const auto& [key, set] : parts) {
    if (static_cast<int32_t>(set.size()) != key.second || whole.contains(key.first)) continue;
    std::vector<LogFile>& list = whole[key.first];
    for (const auto& [part, file] : set) list.push_back(file);
  }
  return whole;
}

Status Missing(int64_t version, int64_t newest) {
  return MakeError({.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget},
                   fmt::format("the table's log is not whole: {} is missing, and there are "
                               "versions up to {}. Restore it from a backup",
                               CommitName(version), newest));
}

// Walks from the newest commit down to the checkpoint.
Result<std::vector<LogFile>> CommitsAbove(const ByVersion& commits, const ByVersion& compacted,
                                          const LogSegment& segment) {
  std::vector<LogFile> out;
  for (int64_t version = segment.version; version > segment.checkpoint_version;) {
    const auto many = compacted.find(version);
    // The newest commit is always read itself: only it has the commitInfo.
    const bool use = many != compacted.end() && version < segment.version &&
                     many->second.version > segment.checkpoint_version;
    if (use) {
      out.push_back(many->second);
      version = many->second.version - 1;
      continue;
    }
    const auto one = commits.find(version);
    if (one == commits.end()) return Missing(version, segment.version);
    out.push_back(one->second);
    --version;
  }
  return out;
}

Status Gone(int64_t version) {
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                   fmt::format("version {} of the table is not there: it has never been, or was "
                               "cleaned up",
                               version));
}

}  // namespace

std::optional<LogFile> ParseLogFileName(std::string_view name) {
  std::string_view rest = name;
  const auto version = TakeNumber(&rest, kVersionDigits);
  if (!version || !Take(&rest, ".")) return std::nullopt;
  LogFile file{.kind = LogFileKind::kCommit,
               .name = std::string(name),
               .version = *version,
               .last_version = *version};
  if (rest == "json") return file;
  if (Take(&rest, "checkpoint.")) return ParseCheckpoint(rest, std::move(file));
  if (rest == "crc") {
    file.kind = LogFileKind::kChecksum;
    return file;
  }
  const auto last = TakeNumber(&rest, kVersionDigits);
  if (!last || rest != ".compacted.json" || *last <= *version) return std::nullopt;
  file.kind = LogFileKind::kCompacted;
  file.last_version = *last;
  return file;
}

std::string VersionPrefix(int64_t version) { return fmt::format("{:020}", version); }
std::string CommitName(int64_t version) { return VersionPrefix(version) + ".json"; }
std::string CheckpointName(int64_t version) {
  return VersionPrefix(version) + ".checkpoint.parquet";
}

Result<std::optional<LogSegment>> FindSegment(std::span<const LogFile> files,
                                              std::optional<int64_t> at_most) {
  ByVersion commits;
  ByVersion compacted;
  for (const LogFile& file : files) {
    if (at_most && file.last_version > *at_most) continue;
    if (file.kind == LogFileKind::kCommit) commits.emplace(file.version, file);
    if (file.kind == LogFileKind::kCompacted) {
      // Of those that end together the longest.
      const auto [found, is_new] = compacted.emplace(file.last_version, file);
      if (!is_new && file.version < found->second.version) found->second = file;
    }
  }
  LogSegment segment;
  auto checkpoints = WholeCheckpoints(files);
  auto newest = at_most ? checkpoints.upper_bound(*at_most) : checkpoints.end();
  if (newest != checkpoints.begin()) {
    --newest;
    segment.checkpoint_version = newest->first;
    segment.checkpoint = std::move(newest->second);
  }
  const int64_t newest_commit = commits.empty() ? -1 : commits.rbegin()->first;
  segment.version = std::max(newest_commit, segment.checkpoint_version);
  if (segment.version < 0 && !at_most) return std::nullopt;
  if (at_most && segment.version != *at_most) return Gone(*at_most);
  auto above = CommitsAbove(commits, compacted, segment);
  // What lies before the wanted version may be gone with its checkpoint.
  if (!above.ok() && at_most) return Gone(*at_most);
  ARROW_ASSIGN_OR_RAISE(segment.commits, std::move(above));
  return segment;
}

std::optional<LastCheckpoint> ParseLastCheckpoint(std::string_view json) {
  const auto parsed = nlohmann::json::parse(json, nullptr, /*allow_exceptions=*/false);
  if (!parsed.is_object()) return std::nullopt;
  JsonMembers in(parsed);
  LastCheckpoint out;
  out.version = in.RequiredInteger("version");
  out.size = in.Integer("size").value_or(0);
  out.parts = in.Integer("parts");
  out.size_in_bytes = in.Integer("sizeInBytes");
  out.num_of_add_files = in.Integer("numOfAddFiles");
  if (!in.problem().empty() || out.version < 0) return std::nullopt;
  return out;
}

std::string ToJson(const LastCheckpoint& checkpoint) {
  std::string json =
      fmt::format(R"({{"version":{},"size":{})", checkpoint.version, checkpoint.size);
  const auto add = [&](std::string_view name, const std::optional<int64_t>& value) {
    if (value) fmt::format_to(std::back_inserter(json), R"(,"{}":{})", name, *value);
  };
  add("parts", checkpoint.parts);
  add("sizeInBytes", checkpoint.size_in_bytes);
  add("numOfAddFiles", checkpoint.num_of_add_files);
  return json + "}";
}

}  // namespace amp::delta
