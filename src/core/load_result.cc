#include "amp/load_result.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>

#include "core/metadata_json.h"

namespace amp {
namespace {

constexpr std::array<std::string_view, 4> kModeNames{"append", "overwrite", "upsert", "merge"};

double Rounded(double value) { return std::round(value * 1e6) / 1e6; }

}  // namespace

std::string_view ToString(LoadMode mode) { return kModeNames[static_cast<size_t>(mode)]; }

Result<LoadMode> ParseLoadMode(std::string_view text) {
  const auto found = std::find(kModeNames.begin(), kModeNames.end(), text);
  if (found == kModeNames.end()) {
    return MakeError(
        ErrorKind::kConfigInvalid,
        fmt::format("'{}' is not a load mode. There are: {}", text, fmt::join(kModeNames, ", ")));
  }
  return static_cast<LoadMode>(found - kModeNames.begin());
}

void Metadata::Set(std::string_view name, Value value) {
  for (auto& [known, old] : entries_) {
    if (known == name) {
      old = std::move(value);
      return;
    }
  }
  entries_.emplace_back(name, std::move(value));
}

void Metadata::Merge(const Metadata& other) {
  for (const auto& [name, value] : other.entries_) Set(name, value);
}

const Metadata::Value* Metadata::Find(std::string_view name) const {
  for (const auto& [known, value] : entries_) {
    if (known == name) return &value;
  }
  return nullptr;
}

void AddMetadata(const Metadata& metadata, nlohmann::ordered_json* out) {
  for (const auto& [name, value] : metadata.entries()) {
    std::visit([&, key = name](const auto& v) { (*out)[key] = v; }, value);
  }
}

std::string LoadResult::ToJson() const {
  nlohmann::ordered_json json;
  json["success"] = success;
  json["rows_loaded"] = rows_loaded;
  json["duration_seconds"] = Rounded(duration_seconds);
  json["rows_per_second"] = Rounded(rows_per_second);
  json["table_name"] = table_name;
  json["loader"] = loader;
  json["mode"] = ToString(mode);
  json["error"] = error.empty() ? nlohmann::ordered_json() : nlohmann::ordered_json(error);
  json["metadata"] = nlohmann::ordered_json::object();
  AddMetadata(metadata, &json["metadata"]);
  if (is_reorg) {
    json["is_reorg"] = true;
    json["invalidation_ranges"] = nlohmann::ordered_json::array();
    for (const BlockRange& range : invalidation_ranges) {
      json["invalidation_ranges"].push_back(
          {{"network", range.network}, {"start", range.start}, {"end", range.end}});
    }
  }
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

}  // namespace amp
