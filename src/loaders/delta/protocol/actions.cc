#include "loaders/delta/protocol/actions.h"

#include <charconv>
#include <nlohmann/json.hpp>

#include "loaders/delta/protocol/paths.h"

namespace amp::delta {

std::string DeletionVectorDescriptor::UniqueId() const {
  std::string id = storage_type + path_or_inline_dv;
  if (offset) id += "@" + std::to_string(*offset);
  return id;
}

std::string FileName::Key() const {
  std::string key = path;
  // No path contains a zero byte, so keys of different files differ.
  if (deletion_vector) key.append(1, '\0').append(deletion_vector->UniqueId());
  return key;
}

std::string FileName::LogText() const { return text.empty() ? EncodePath(path) : text; }

Remove RemoveOf(const Add& add, int64_t now_ms, bool data_change) {
  return {.file = add.file,
          .deletion_timestamp = now_ms,
          .data_change = data_change,
          .extended_file_metadata = true,
          .partition_values = add.partition_values,
          .size = add.size,
          .stats = add.stats,
          .tags = add.tags,
          .base_row_id = add.base_row_id,
          .default_row_commit_version = add.default_row_commit_version};
}

std::optional<int64_t> NumRecords(std::string_view stats) {
  // Nearly every writer puts it first.
  constexpr std::string_view kFirst = R"({"numRecords":)";
  if (stats.starts_with(kFirst)) {
    int64_t value = 0;
    const auto [end, error] =
        std::from_chars(stats.data() + kFirst.size(), stats.data() + stats.size(), value);
    const bool whole = error == std::errc() && end != stats.data() + stats.size();
    if (whole && (*end == ',' || *end == '}') && value >= 0) return value;
  }
  const auto json = nlohmann::json::parse(stats, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const auto found = json.find("numRecords");
  if (found == json.end() || !found->is_number_unsigned()) return std::nullopt;
  return found->get<int64_t>();
}

}  // namespace amp::delta
