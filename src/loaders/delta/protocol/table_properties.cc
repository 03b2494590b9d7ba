#include "loaders/delta/protocol/table_properties.h"

#include <array>
#include <charconv>
#include <cstdlib>

#include "core/text.h"

namespace amp::delta {
namespace {

std::string Lower(std::string text) {
  for (char& c : text) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return text;
}

std::optional<int64_t> IntegerFrom(std::string_view text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

struct Unit {
  std::string_view name;
  double milliseconds;
};
constexpr std::array<Unit, 7> kUnits{{{"week", 604'800'000},
                                      {"day", 86'400'000},
                                      {"hour", 3'600'000},
                                      {"minute", 60'000},
                                      {"second", 1'000},
                                      {"millisecond", 1},
                                      {"microsecond", 0.001}}};

std::optional<double> UnitOf(std::string_view word) {
  if (word.ends_with('s')) word.remove_suffix(1);
  for (const Unit& unit : kUnits) {
    if (unit.name == word) return unit.milliseconds;
  }
  return std::nullopt;
}

Strings Words(const std::string& text) {
  Strings words(1);
  for (const char c : text) {
    if (c != ' ' && c != '\t') {
      words.back().push_back(c);
    } else if (!words.back().empty()) {
      words.emplace_back();
    }
  }
  if (words.back().empty()) words.pop_back();
  return words;
}

class Reader {
 public:
  explicit Reader(const StringMap& options) : options_(options) {}

  const std::string* Find(const char* name) const {
    const auto found = options_.find(name);
    return found == options_.end() ? nullptr : &found->second;
  }
  void Read(const char* name, bool* out) const {
    if (const std::string* text = Find(name)) *out = Lower(*text) == "true";
  }
  void Read(const char* name, int64_t least, int64_t* out) const {
    const std::string* text = Find(name);
    const auto value = text != nullptr ? IntegerFrom(*text) : std::nullopt;
    if (value && *value >= least) *out = *value;
  }
  void Read(const char* name, std::optional<int64_t>* out) const {
    if (const std::string* text = Find(name)) *out = IntegerFrom(*text);
  }
  void ReadInterval(const char* name, int64_t* out) const {
    const std::string* text = Find(name);
    const auto value = text != nullptr ? ParseInterval(*text) : std::nullopt;
    if (value) *out = *value;
  }
  std::string Word(const char* name) const {
    const std::string* text = Find(name);
    return text != nullptr ? Lower(*text) : "";
  }

 private:
  const StringMap& options_;
};

}  // namespace

std::optional<int64_t> ParseInterval(std::string_view text) {
  const Strings words = Words(Lower(std::string(text)));
  const size_t first = !words.empty() && words[0] == "interval" ? 1 : 0;
  if (words.size() <= first || (words.size() - first) % 2 != 0) return std::nullopt;
  double total = 0;
  for (size_t i = first; i < words.size(); i += 2) {
    const auto count = IntegerFrom(words[i]);
    const auto unit = UnitOf(words[i + 1]);
    if (!count || !unit) return std::nullopt;
    total += static_cast<double>(*count) * *unit;
  }
  constexpr double kLongest = 9e15;
  if (total < 0 || total > kLongest) return std::nullopt;
  return static_cast<int64_t>(total);
}

TableProperties PropertiesOf(const Metadata& metadata) {
  const Reader in(metadata.configuration);
  TableProperties out;
  in.Read("delta.appendOnly", &out.append_only);
  in.Read("delta.checkpointInterval", 1, &out.checkpoint_interval);
  in.Read("delta.dataSkippingNumIndexedCols", -1, &out.data_skipping_num_indexed_cols);
  if (const std::string* list = in.Find("delta.dataSkippingStatsColumns")) {
    out.data_skipping_stats_columns = SplitList(*list);
  }
  in.ReadInterval("delta.deletedFileRetentionDuration", &out.deleted_file_retention_ms);
  in.ReadInterval("delta.logRetentionDuration", &out.log_retention_ms);
  in.Read("delta.enableExpiredLogCleanup", &out.enable_expired_log_cleanup);
  in.Read("delta.checkpoint.writeStatsAsJson", &out.checkpoint_stats_as_json);
  out.checkpoint_v2 = in.Word("delta.checkpointPolicy") == "v2";
  in.Read("delta.enableChangeDataFeed", &out.enable_change_data_feed);
  in.Read("delta.enableInCommitTimestamps", &out.enable_in_commit_timestamps);
  in.Read("delta.inCommitTimestampEnablementVersion", &out.in_commit_timestamp_version);
  in.Read("delta.inCommitTimestampEnablementTimestamp", &out.in_commit_timestamp_at);
  out.serializable = in.Word("delta.isolationLevel") != "writeserializable";
  if (in.Find("delta.columnMapping.mode") != nullptr) {
    out.column_mapping_mode = in.Word("delta.columnMapping.mode");
  }
  out.compression = in.Word("delta.parquet.compression.codec");
  return out;
}

}  // namespace amp::delta
