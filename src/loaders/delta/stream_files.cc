#include "loaders/delta/stream_files.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <random>

#include "core/hash128.h"
#include "core/stream_state.h"
#include "loaders/delta/protocol/paths.h"

namespace amp::delta {
namespace {

using Json = nlohmann::json;

constexpr int kFormat = 1;
constexpr int kRandomBits = 16;
constexpr std::string_view kAppPrefix = "ampload:";
// States of so many revisions stay, for those who are just reading one.
constexpr int64_t kKept = 64;
constexpr int kDraws = 16;
constexpr std::string_view kLinesPrefix = "batches-";
constexpr int64_t kLinesKeptMs = int64_t{24} * 3600 * 1000;

Status Broken(std::string_view what) {
  return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget},
                   fmt::format("the state of a stream is broken: {}", what));
}

Status Missing(const std::string& stream, const std::string& path) {
  return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget},
                   fmt::format("the state of stream '{}' is missing: the table's log names {}, "
                               "which is not there. Bring it back, or begin anew with 'ampload "
                               "reset'",
                               stream, path));
}

// A folder's name for any name of a stream.
std::string FolderOf(std::string_view stream) {
  constexpr size_t kLongest = 120;
  std::string name = HiveEscape(stream);
  if (name == "." || name == "..") name = "%" + name;
  if (name.size() > kLongest)
    name = fmt::format("{}-{:016x}", name.substr(0, 80), HashBytes(stream).low);
  return fmt::format("_delta_log/_ampload/{}", name);
}

std::string StatePath(std::string_view stream, int64_t number) {
  return fmt::format("{}/{:020}.json", FolderOf(stream), number);
}

uint64_t RandomBits() {
  thread_local std::mt19937_64 generator{std::random_device{}()};
  return generator() & ((1U << kRandomBits) - 1);
}

std::string LinesText(const std::vector<BatchEntry>& lines) {
  std::vector<std::string> texts;
  texts.reserve(lines.size());
  for (const BatchEntry& line : lines) texts.push_back(BatchEntryToText(line));
  return fmt::format("[{}]", fmt::join(texts, ","));
}

Result<std::vector<BatchEntry>> LinesFromJson(const Json& json) {
  if (!json.is_array()) return Broken("its batches are no array");
  std::vector<BatchEntry> lines;
  for (const Json& line : json) {
    ARROW_ASSIGN_OR_RAISE(lines.emplace_back(), BatchEntryFromText(line.dump()));
  }
  return lines;
}

// The JSON library would turn true, -1 and 1e300 into some number.
Result<int64_t> Count(const Json& json, const char* name) {
  const Json& value = json.at(name);
  if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX}) {
    return Broken(fmt::format("{} is no count", name));
  }
  return value.get<int64_t>();
}

// Undoing searches them by their ids.
Status CheckOrder(const std::vector<LinesFile>& older, const std::vector<BatchEntry>& newest) {
  int64_t last = -1;
  const auto follows = [&](int64_t first_id, int64_t last_id) {
    const bool fits = first_id > last && last_id >= first_id;
    last = last_id;
    return fits ? Status::OK() : Broken("its batches are not in the order of their ids");
  };
  for (const LinesFile& file : older) ARROW_RETURN_NOT_OK(follows(file.first_id, file.last_id));
  for (const BatchEntry& line : newest) ARROW_RETURN_NOT_OK(follows(line.first_id, line.last_id));
  return Status::OK();
}

Result<std::vector<LinesFile>> FilesFromJson(const Json& json) {
  if (!json.is_array()) return Broken("its files of batches are no array");
  std::vector<LinesFile> files;
  for (const Json& file : json) {
    files.push_back({.name = file.at("file")});
    ARROW_ASSIGN_OR_RAISE(files.back().first_id, Count(file, "first_id"));
    ARROW_ASSIGN_OR_RAISE(files.back().last_id, Count(file, "last_id"));
    // It is a name, not a way to somewhere else.
    if (files.back().name.find('/') != std::string::npos) return Broken("a file has a folder");
  }
  return files;
}

Json FilesJson(const std::vector<LinesFile>& files) {
  Json list = Json::array();
  for (const LinesFile& file : files) {
    list.push_back({{"file", file.name}, {"first_id", file.first_id}, {"last_id", file.last_id}});
  }
  return list;
}

// The JSON library writes what is nested by calling itself.
bool IsTooDeep(std::string_view text) {
  constexpr int kDeepest = 64;
  int depth = 0;
  bool quoted = false;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (quoted && c == '\\') ++i;
    if (c == '"') quoted = !quoted;
    if (quoted) continue;
    if (c == '[' || c == '{') ++depth;
    if (c == ']' || c == '}') --depth;
    if (depth > kDeepest) return true;
  }
  return false;
}

Result<Json> ParseJson(std::string_view text) {
  if (IsTooDeep(text)) return Broken("it is nested too deeply");
  return Json::parse(text);
}

Result<StoredStream> StreamFromJson(const Json& json) {
  if (json.at("format") != kFormat) {
    return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                     fmt::format("the state of the stream has format {}, which a newer Ampload "
                                 "wrote; this one knows {}",
                                 json.at("format").dump(), kFormat));
  }
  StoredStream stream;
  ARROW_ASSIGN_OR_RAISE(stream.state, StreamStateFromText(json.at("stream").dump()));
  ARROW_ASSIGN_OR_RAISE(auto older, FilesFromJson(json.at("older_batches")));
  ARROW_ASSIGN_OR_RAISE(auto newest, LinesFromJson(json.at("batches")));
  ARROW_RETURN_NOT_OK(CheckOrder(older, newest));
  stream.lines = BatchLines(std::move(older), std::move(newest));
  stream.table_id = json.at("table_id");
  ARROW_ASSIGN_OR_RAISE(stream.revision, Count(json, "revision"));
  return stream;
}

std::string_view TextOf(const arrow::Buffer& buffer) {
  return {reinterpret_cast<const char*>(buffer.data()), static_cast<size_t>(buffer.size())};
}

bool IsLeftBehind(std::string_view name, int64_t modified_at, const StoredStream& now) {
  if (name.starts_with(kLinesPrefix)) {
    // A commit that is newer than `now` may have written it, if it is new.
    const auto& older = now.lines.older();
    const bool named = std::any_of(older.begin(), older.end(),
                                   [&](const LinesFile& file) { return file.name == name; });
    return !named && modified_at < UnixMillisNow() - kLinesKeptMs;
  }
  int64_t number = 0;
  const auto [rest, error] = std::from_chars(name.data(), name.data() + name.size(), number);
  if (error != std::errc() || name.substr(static_cast<size_t>(rest - name.data())) != ".json") {
    return false;
  }
  return number >> kRandomBits <= now.revision - kKept;
}

}  // namespace

std::string AppIdOf(std::string_view stream) { return fmt::format("{}{}", kAppPrefix, stream); }

std::optional<std::string> StreamOfAppId(std::string_view app_id) {
  if (!app_id.starts_with(kAppPrefix)) return std::nullopt;
  return std::string(app_id.substr(kAppPrefix.size()));
}

Txn TxnOf(const StoredStream& stream) {
  return {.app_id = AppIdOf(stream.state.name), .version = stream.number, .last_updated = {}};
}

std::string StoredStreamToText(const StoredStream& stream) {
  return fmt::format(
      R"({{"format":{},"revision":{},"table_id":{},"stream":{},"older_batches":{},"batches":{}}})",
      kFormat, stream.revision, Json(stream.table_id).dump(), StreamStateToText(stream.state),
      FilesJson(stream.lines.older()).dump(), LinesText(stream.lines.newest()));
}

Result<StoredStream> StoredStreamFromText(std::string_view text) {
  try {
    ARROW_ASSIGN_OR_RAISE(const Json json, ParseJson(text));
    return StreamFromJson(json);
  } catch (const Json::exception& error) {
    return Broken(error.what());
  }
}

Result<StoredStream> StreamFiles::Read(const std::string& stream, int64_t number) const {
  const std::string path = StatePath(stream, number);
  const auto bytes = store_->Read(path);
  if (!bytes.ok() && KindOf(bytes.status()) == ErrorKind::kNotFound) {
    return Missing(stream, store_->Describe(path));
  }
  ARROW_RETURN_NOT_OK(bytes.status());
  auto stored = StoredStreamFromText(TextOf(**bytes));
  if (!stored.ok()) return WithContext(stored.status(), store_->Describe(path));
  if (stored->state.name != stream || stored->revision != number >> kRandomBits) {
    return WithContext(Broken("it is another stream's"), store_->Describe(path));
  }
  stored->number = number;
  return stored;
}

Status StreamFiles::Write(StoredStream* stream) const {
  ARROW_RETURN_NOT_OK(MoveFinalLines(stream));
  ++stream->revision;
  const std::string text = StoredStreamToText(*stream);
  for (int draw = 0; draw < kDraws; ++draw) {
    stream->number = (stream->revision << kRandomBits) | static_cast<int64_t>(RandomBits());
    ARROW_ASSIGN_OR_RAISE(const storage::PutOutcome outcome,
                          store_->PutIfAbsent(StatePath(stream->state.name, stream->number), text));
    if (outcome == storage::PutOutcome::kWritten) return Status::OK();
  }
  return MakeError(
      {.kind = ErrorKind::kUnavailable, .side = ErrorSide::kTarget, .retryable = true},
      fmt::format("no number was free for the state of stream '{}'", stream->state.name));
}

// Two writers may move the same lines, so the file's name has a part of chance, too.
Status StreamFiles::MoveFinalLines(StoredStream* stream) const {
  const size_t count = stream->lines.CountToMove(stream->state.checkpoint.final_id);
  if (count == 0) return Status::OK();
  const auto& newest = stream->lines.newest();
  const std::vector<BatchEntry> lines(newest.begin(),
                                      newest.begin() + static_cast<std::ptrdiff_t>(count));
  const std::string name =
      fmt::format("{}{:020}-{:04x}.json", kLinesPrefix, lines.back().last_id, RandomBits());
  ARROW_ASSIGN_OR_RAISE(
      const storage::PutOutcome outcome,
      store_->PutIfAbsent(FolderOf(stream->state.name) + "/" + name, LinesText(lines)));
  // Where the name is taken, the next commit tries another.
  if (outcome == storage::PutOutcome::kWritten) stream->lines.Moved(count, name);
  return Status::OK();
}

Result<std::vector<BatchEntry>> StreamFiles::ReadLines(const std::string& stream,
                                                       const LinesFile& file) const {
  const std::string path = FolderOf(stream) + "/" + file.name;
  const auto read = store_->Read(path);
  if (!read.ok() && KindOf(read.status()) == ErrorKind::kNotFound) {
    return Missing(stream, store_->Describe(path));
  }
  ARROW_ASSIGN_OR_RAISE(const auto bytes, read);
  try {
    ARROW_ASSIGN_OR_RAISE(const Json json, ParseJson(TextOf(*bytes)));
    auto lines = LinesFromJson(json);
    return lines.ok() ? std::move(lines) : WithContext(lines.status(), store_->Describe(path));
  } catch (const Json::exception& error) {
    return WithContext(Broken(error.what()), store_->Describe(path));
  }
}

BatchLines::ReadFile StreamFiles::LinesReader(const std::string& stream) const {
  return [this, stream](const LinesFile& file) { return ReadLines(stream, file); };
}

Result<StreamState> StreamFiles::ReadWhole(const StoredStream& stream) const {
  StreamState state = stream.state;
  ARROW_ASSIGN_OR_RAISE(state.checkpoint.entries, stream.lines.ReadAll(LinesReader(state.name)));
  return state;
}

Status StreamFiles::CleanUp(const StoredStream& now) const {
  const std::string folder = FolderOf(now.state.name);
  ARROW_ASSIGN_OR_RAISE(const auto objects, store_->List(folder, {}));
  std::vector<std::string> old;
  for (const storage::ObjectInfo& object : objects) {
    const std::string_view name = std::string_view(object.path).substr(folder.size() + 1);
    if (IsLeftBehind(name, object.modified_at, now)) old.push_back(object.path);
  }
  return old.empty() ? Status::OK() : store_->Delete(old);
}

}  // namespace amp::delta
