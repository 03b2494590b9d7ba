#include "core/stream_state.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <nlohmann/json.hpp>

#include "core/schema.h"
#include "core/time_text.h"

namespace amp {
namespace {

using Json = nlohmann::ordered_json;

constexpr int kFormat = 1;

Status Refused(ErrorKind kind, std::string message) {
  return MakeError({.kind = kind, .side = ErrorSide::kTarget}, std::move(message));
}

// Layout of a query does not matter; what stands between quotes does.
std::string WithoutWhiteSpace(std::string_view query) {
  std::string bare;
  char quote = 0;
  for (const char c : query) {
    if (quote == 0 && (c == '\'' || c == '"')) {
      quote = c;
    } else if (c == quote) {
      quote = 0;
    }
    if (quote == 0 && std::isspace(static_cast<unsigned char>(c)) != 0) continue;
    bare.push_back(c);
  }
  return bare;
}

std::string HostAndProcess() {
  char host[256] = "";
  gethostname(host, sizeof(host) - 1);
  return fmt::format("{}:{}", host, getpid());
}

std::string TimeText(int64_t unix_millis) {
  std::string text;
  AppendTimestamp(unix_millis, arrow::TimeUnit::MILLI, /*utc=*/true, &text);
  return text;
}

Json RangesJson(const std::vector<BlockRange>& ranges) {
  Json list = Json::array();
  for (const BlockRange& range : ranges) {
    Json json{{"network", range.network},
              {"start", range.start},
              {"end", range.end},
              {"hash", range.hash},
              {"prev_hash", range.prev_hash}};
    if (range.timestamp) json["timestamp"] = *range.timestamp;
    list.push_back(std::move(json));
  }
  return list;
}

Status BrokenText(std::string_view what) {
  return Refused(ErrorKind::kDataInvalid, fmt::format("what is stored is broken: {}", what));
}

// The JSON library would turn true, -1 and 1e300 into some number.
Status CheckCounts(const Json& json, std::initializer_list<const char*> names) {
  for (const char* name : names) {
    const Json& value = json.at(name);
    if (!value.is_number_unsigned() || value.get<uint64_t>() > uint64_t{INT64_MAX}) {
      return BrokenText(fmt::format("{} is no count", name));
    }
  }
  return Status::OK();
}

Status CheckRangeJson(const Json& json) {
  if (!json.at("start").is_number_unsigned() || !json.at("end").is_number_unsigned() ||
      json.at("start").get<uint64_t>() > json.at("end").get<uint64_t>()) {
    return BrokenText("start and end are no range of blocks");
  }
  const auto timestamp = json.find("timestamp");
  if (timestamp == json.end() || timestamp->is_number_integer()) return Status::OK();
  return BrokenText("timestamp is no integer");
}

Result<std::vector<BlockRange>> RangesFromJson(const Json& list) {
  if (!list.is_array()) return BrokenText("block ranges are no array");
  std::vector<BlockRange> ranges;
  for (const Json& json : list) {
    ARROW_RETURN_NOT_OK(CheckRangeJson(json));
    BlockRange range{.network = json.at("network"),
                     .start = json.at("start"),
                     .end = json.at("end"),
                     .hash = json.at("hash"),
                     .prev_hash = json.at("prev_hash")};
    if (const auto timestamp = json.find("timestamp"); timestamp != json.end()) {
      range.timestamp = timestamp->get<int64_t>();
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

Status CheckStateJson(const Json& json) {
  ARROW_RETURN_NOT_OK(CheckCounts(json, {"slot", "epoch", "owner_since", "committed_at", "sequence",
                                         "last_batch_id", "final_id", "next_number"}));
  const auto slot = json.at("slot").get<int64_t>();
  if (slot >= kMostSlots) return BrokenText(fmt::format("there is no slot {}", slot));
  for (const char* name : {"last_batch_id", "final_id"}) {
    const auto id = json.at(name).get<int64_t>();
    if (id >> kSlotShift != slot) return BrokenText(fmt::format("{} is not of the slot", name));
  }
  return Status::OK();
}

Result<StreamState> StateFromJson(const Json& json, std::shared_ptr<arrow::Schema> schema,
                                  LoadMode mode) {
  ARROW_RETURN_NOT_OK(CheckStateJson(json));
  StreamState state{.name = json.at("name"),
                    .slot = json.at("slot"),
                    .query = json.at("query"),
                    .mode = mode,
                    .key = json.at("key").get<std::vector<std::string>>(),
                    .schema = std::move(schema),
                    .epoch = json.at("epoch"),
                    .owner = json.at("owner"),
                    .owner_since = json.at("owner_since"),
                    .committed_at = json.at("committed_at"),
                    .checkpoint = {}};
  state.checkpoint.sequence = json.at("sequence");
  state.checkpoint.last_batch_id = json.at("last_batch_id");
  ARROW_ASSIGN_OR_RAISE(state.checkpoint.watermark, RangesFromJson(json.at("watermark")));
  state.checkpoint.final_id = json.at("final_id");
  state.checkpoint.next_number = json.at("next_number");
  return state;
}

// Runs `read` on parsed text; what the JSON library throws becomes an error.
template <class T, class Read>
Result<T> FromText(std::string_view text, std::string_view what, Read read) {
  try {
    return read(Json::parse(text));
  } catch (const nlohmann::json::exception& error) {
    return Refused(ErrorKind::kDataInvalid, fmt::format("{} is broken: {}", what, error.what()));
  }
}

Status CheckQuery(const StreamSpec& spec, const StreamState& state) {
  if (spec.accept_query || SameQuery(spec.query, state.query)) return Status::OK();
  return Refused(
      ErrorKind::kConfigInvalid,
      fmt::format("stream '{}' of table '{}' belongs to another query: {}. Choose another stream "
                  "with --stream NAME; where only the text of the query has changed, go on with "
                  "--accept-query",
                  state.name, spec.table, state.query));
}

Status CheckMode(const StreamSpec& spec, const StreamState& state) {
  if (spec.mode == state.mode && spec.key == state.key) return Status::OK();
  return Refused(
      ErrorKind::kConfigInvalid,
      fmt::format("stream '{}' of table '{}' has mode {} with key ({}), not {} with key "
                  "({}); ask for the same, or for another stream with --stream NAME",
                  state.name, spec.table, ToString(state.mode), fmt::join(state.key, ", "),
                  ToString(spec.mode), fmt::join(spec.key, ", ")));
}

Status CheckSchema(const StreamSpec& spec, const StreamState& state) {
  return MatchColumns(*state.schema, *spec.schema, spec.table).status();
}

Status CheckEpoch(const StreamSpec& spec, const StreamState& state) {
  if (!spec.held_epoch || state.epoch <= *spec.held_epoch) return Status::OK();
  return TakenOver(spec.table, state);
}

}  // namespace

Status CheckStreamFits(const StreamSpec& spec, const StreamState& state) {
  ARROW_RETURN_NOT_OK(CheckEpoch(spec, state));
  ARROW_RETURN_NOT_OK(CheckQuery(spec, state));
  ARROW_RETURN_NOT_OK(CheckMode(spec, state));
  return CheckSchema(spec, state);
}

bool SameQuery(std::string_view a, std::string_view b) {
  return WithoutWhiteSpace(a) == WithoutWhiteSpace(b);
}

StreamState NewStreamState(const StreamSpec& spec, int32_t slot) {
  StreamState state{.name = spec.name,
                    .slot = slot,
                    .query = spec.query,
                    .mode = spec.mode,
                    .key = spec.key,
                    .schema = spec.schema,
                    .owner = {},
                    .checkpoint = {}};
  state.checkpoint.last_batch_id = SlotBase(slot);
  state.checkpoint.final_id = SlotBase(slot);
  return state;
}

void TakeOver(const StreamSpec& spec, StreamState* state) {
  state->epoch = std::max(state->epoch, spec.held_epoch.value_or(0)) + 1;
  state->owner = HostAndProcess();
  state->owner_since = UnixMillisNow();
  state->checkpoint.next_number += kNumbersPerCommit;
}

void AdvanceTo(const Checkpoint& checkpoint, StreamState* state) {
  std::vector<BatchEntry> map = std::move(state->checkpoint.entries);
  state->checkpoint = checkpoint;
  state->checkpoint.entries = std::move(map);
  state->committed_at = UnixMillisNow();
}

Status CheckHeld(const std::string& table, const StreamRef& ref, const StreamState& state) {
  if (state.epoch != ref.epoch || state.slot != ref.slot) return TakenOver(table, state);
  if (state.checkpoint.sequence == ref.sequence) return Status::OK();
  return MakeError(
      {.kind = ErrorKind::kConflict, .side = ErrorSide::kTarget, .operation = "commit"},
      fmt::format("stream '{}' of table '{}' is at commit {}, not at {}: this commit has been done "
                  "already, or belongs to an earlier run. Open the stream again and go on from its "
                  "checkpoint",
                  state.name, table, state.checkpoint.sequence, ref.sequence));
}

Status StreamGone(const std::string& table, const std::string& stream) {
  return MakeError(
      {.kind = ErrorKind::kConflict, .side = ErrorSide::kTarget, .operation = "commit"},
      fmt::format("stream '{}' of table '{}' is not there any more: someone has reset the table. "
                  "This writer stops, and nothing of it is stored since its last commit",
                  stream, table));
}

Result<int32_t> SlotAfter(const std::string& table, int32_t last_slot) {
  if (last_slot + 1 < kMostSlots) return last_slot + 1;
  return Refused(ErrorKind::kUnsupported,
                 fmt::format("table '{}' has had {} streams, and can have no more; choose another "
                             "table",
                             table, kMostSlots));
}

Status TakenOver(const std::string& table, const StreamState& state) {
  return MakeError(
      {.kind = ErrorKind::kConflict, .side = ErrorSide::kTarget, .operation = "commit"},
      fmt::format("stream '{}' of table '{}' was taken over by another writer ({}) at {}; this one "
                  "stops, and nothing of it is stored since its last commit",
                  state.name, table, state.owner, TimeText(state.owner_since)));
}

Status TableReplaced(const std::string& table, const std::string& stream) {
  return Refused(
      ErrorKind::kConfigInvalid,
      fmt::format("there is a checkpoint of stream '{}' for table '{}', but that table is gone or "
                  "is another one. Bring it back, or begin anew: ampload reset --table '{}'",
                  stream, table, table));
}

Status NotMadeForStreams(const std::string& table) {
  return Refused(
      ErrorKind::kSchemaMismatch,
      fmt::format("table '{}' was not made for streams: it has no column {}. Add it with --adopt "
                  "(rows that are there stay, and belong to no stream), or choose another table",
                  table, kBatchIdColumn));
}

Status HasStreams(const std::string& table) {
  return Refused(
      ErrorKind::kConfigInvalid,
      fmt::format("table '{}' has streams, so it cannot be overwritten. To begin anew: ampload "
                  "reset --table '{}'",
                  table, table));
}

std::string StreamStateToText(const StreamState& state) {
  const Json json{{"format", kFormat},
                  {"name", state.name},
                  {"slot", state.slot},
                  {"query", state.query},
                  {"mode", ToString(state.mode)},
                  {"key", state.key},
                  {"schema", SchemaToText(*state.schema)},
                  {"epoch", state.epoch},
                  {"owner", state.owner},
                  {"owner_since", state.owner_since},
                  {"committed_at", state.committed_at},
                  {"sequence", state.checkpoint.sequence},
                  {"last_batch_id", state.checkpoint.last_batch_id},
                  {"watermark", RangesJson(state.checkpoint.watermark)},
                  {"final_id", state.checkpoint.final_id},
                  {"next_number", state.checkpoint.next_number}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<StreamState> StreamStateFromText(std::string_view text) {
  return FromText<StreamState>(
      text, "the state of a stream", [](const Json& json) -> Result<StreamState> {
        ARROW_RETURN_NOT_OK(CheckCounts(json, {"format"}));
        if (json.at("format") > kFormat) {
          return Refused(ErrorKind::kUnsupported,
                         "the stream was written by a newer version of Ampload");
        }
        auto schema = SchemaFromText(json.at("schema").get<std::string>());
        if (!schema.ok()) return BrokenText("its schema: " + schema.status().message());
        const auto mode = ParseLoadMode(json.at("mode").get<std::string>());
        if (!mode.ok()) return BrokenText(mode.status().message());
        return StateFromJson(json, *std::move(schema), *mode);
      });
}

std::string BatchEntryToText(const BatchEntry& entry) {
  const Json json{{"first_id", entry.first_id},
                  {"last_id", entry.last_id},
                  {"rows", entry.rows},
                  {"batches", entry.batches},
                  {"completed_at", entry.completed_at},
                  {"ranges", RangesJson(entry.ranges)}};
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<BatchEntry> BatchEntryFromText(std::string_view text) {
  return FromText<BatchEntry>(text, "the batch map", [](const Json& json) -> Result<BatchEntry> {
    ARROW_RETURN_NOT_OK(
        CheckCounts(json, {"first_id", "last_id", "rows", "batches", "completed_at"}));
    ARROW_ASSIGN_OR_RAISE(auto ranges, RangesFromJson(json.at("ranges")));
    if (json.at("first_id") > json.at("last_id")) return BrokenText("first_id is above last_id");
    return BatchEntry{.first_id = json.at("first_id"),
                      .last_id = json.at("last_id"),
                      .ranges = std::move(ranges),
                      .rows = json.at("rows"),
                      .batches = json.at("batches"),
                      .completed_at = json.at("completed_at")};
  });
}

std::string BlockRangesToText(const std::vector<BlockRange>& ranges) {
  return RangesJson(ranges).dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<std::vector<BlockRange>> BlockRangesFromText(std::string_view text) {
  return FromText<std::vector<BlockRange>>(text, "the block ranges", RangesFromJson);
}

std::optional<double> LagSeconds(const std::vector<BlockRange>& watermark) {
  std::optional<double> lag;
  const double now = static_cast<double>(UnixMillisNow()) / 1000;
  for (const BlockRange& range : watermark) {
    if (range.timestamp)
      lag = std::max(lag.value_or(0), now - static_cast<double>(*range.timestamp));
  }
  return lag;
}

nlohmann::ordered_json StreamJson(const StreamState& state) {
  Json checkpoint = Json::object();
  for (const BlockRange& range : state.checkpoint.watermark) {
    checkpoint[range.network] = {{"number", range.end}, {"hash", range.hash}};
  }
  const auto lag = LagSeconds(state.checkpoint.watermark);
  Json json{{"checkpoint", std::move(checkpoint)}};
  json["lag_seconds"] = lag ? Json(*lag) : Json();
  json["query"] = state.query;
  json["mode"] = ToString(state.mode);
  json["sequence"] = state.checkpoint.sequence;
  json["epoch"] = state.epoch;
  json["committed_at"] = state.committed_at == 0 ? Json() : Json(TimeText(state.committed_at));
  return json;
}

int64_t UnixMillisNow() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

bool IsStreamColumn(std::string_view name) {
  return name == kBatchIdColumn || name == kBlockRangesColumn;
}

}  // namespace amp
