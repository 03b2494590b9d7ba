#include "sources/amp/app_metadata.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace amp {
namespace {

using Json = nlohmann::json;

// Of the server's words, as much as helps to find the fault, and no byte that upsets a terminal.
std::string Excerpt(std::string_view text) {
  constexpr size_t kMost = 200;
  std::string shown(text.substr(0, kMost));
  for (char& c : shown) {
    if (c < ' ' || c > '~') c = '.';
  }
  return text.size() > kMost ? shown + "…" : shown;
}

// What is nested is not shown: writing it out recurses as deep as the server likes.
std::string Shown(const Json& value) {
  return value.is_structured() ? value.type_name() : Excerpt(value.dump());
}

Status Broken(std::string why) {
  return MakeError(
      {.kind = ErrorKind::kProtocol, .side = ErrorSide::kSource, .operation = "app_metadata"},
      std::move(why));
}

const Json* Find(const Json& object, const char* key) {
  const auto found = object.find(key);
  return found == object.end() ? nullptr : &*found;
}

Result<uint64_t> ReadBlock(const Json& numbers, const char* key) {
  const Json* value = Find(numbers, key);
  if (value == nullptr) return Broken(fmt::format("numbers has no '{}'", key));
  if (!value->is_number_unsigned()) {
    return Broken(fmt::format("numbers.{} is no block number: {}", key, Shown(*value)));
  }
  return value->get<uint64_t>();
}

// 0x and 32 bytes as hex, in lower case.
Result<std::string> ReadHash(const Json& value, const char* key) {
  constexpr size_t kHexDigits = 64;
  std::string hash = value.is_string() ? value.get<std::string>() : std::string();
  const std::string_view digits = std::string_view(hash).substr(std::min<size_t>(2, hash.size()));
  if (!hash.starts_with("0x") || digits.size() != kHexDigits || !HexDecode(digits)) {
    return Broken(fmt::format("{} is not 0x and 64 hex digits: {}", key, Shown(value)));
  }
  std::transform(hash.begin() + 2, hash.end(), hash.begin() + 2, [](char c) {
    return c >= 'A' && c <= 'F' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return hash;
}

Status ReadPrevHash(const Json& json, BlockRange* range) {
  const Json* prev_hash = Find(json, "prev_hash");
  if (prev_hash != nullptr && !prev_hash->is_null()) {
    ARROW_ASSIGN_OR_RAISE(range->prev_hash, ReadHash(*prev_hash, "prev_hash"));
  }
  // Only the first block has no parent.
  const bool has_parent = range->prev_hash.find_first_not_of("0x") != std::string::npos;
  if (has_parent || range->start == 0) return Status::OK();
  return Broken(fmt::format("prev_hash is {}, and the range starts at block {}, not at 0",
                            range->prev_hash.empty() ? "missing" : "zero", range->start));
}

Status ReadNumbers(const Json& json, BlockRange* range) {
  const Json* numbers = Find(json, "numbers");
  if (numbers == nullptr || !numbers->is_object()) return Broken("a range has no object 'numbers'");
  ARROW_ASSIGN_OR_RAISE(range->start, ReadBlock(*numbers, "start"));
  ARROW_ASSIGN_OR_RAISE(range->end, ReadBlock(*numbers, "end"));
  if (range->end >= range->start) return Status::OK();
  return Broken(
      fmt::format("a range ends at block {}, before its start {}", range->end, range->start));
}

Status ReadTimestamp(const Json& json, BlockRange* range) {
  const Json* timestamp = Find(json, "timestamp");
  if (timestamp == nullptr || timestamp->is_null()) return Status::OK();
  constexpr auto kMost = static_cast<uint64_t>(INT64_MAX);
  if (!timestamp->is_number_unsigned() || timestamp->get<uint64_t>() > kMost) {
    return Broken(fmt::format("timestamp is no number of seconds: {}", Shown(*timestamp)));
  }
  range->timestamp = timestamp->get<int64_t>();
  return Status::OK();
}

Result<BlockRange> ReadRange(const Json& json) {
  if (!json.is_object()) return Broken("an entry of 'ranges' is no object");
  BlockRange range;
  const Json* network = Find(json, "network");
  if (network == nullptr || !network->is_string() || network->get<std::string>().empty()) {
    return Broken("a range has no text 'network'");
  }
  range.network = network->get<std::string>();
  ARROW_RETURN_NOT_OK(ReadNumbers(json, &range));
  const Json* hash = Find(json, "hash");
  if (hash == nullptr) return Broken("a range has no 'hash'");
  ARROW_ASSIGN_OR_RAISE(range.hash, ReadHash(*hash, "hash"));
  ARROW_RETURN_NOT_OK(ReadPrevHash(json, &range));
  ARROW_RETURN_NOT_OK(ReadTimestamp(json, &range));
  return range;
}

Result<std::vector<BlockRange>> ReadRanges(const Json& array) {
  std::vector<BlockRange> ranges;
  for (const Json& entry : array) {
    ARROW_ASSIGN_OR_RAISE(BlockRange range, ReadRange(entry));
    const auto same = [&](const BlockRange& other) { return other.network == range.network; };
    if (std::any_of(ranges.begin(), ranges.end(), same)) {
      return Broken(fmt::format("two ranges of network '{}'", Excerpt(range.network)));
    }
    ranges.push_back(std::move(range));
  }
  return ranges;
}

Result<AppMetadata> Read(std::string_view text) {
  // Without exceptions: what cannot be parsed is "discarded".
  const Json json = Json::parse(text, nullptr, false);
  if (json.is_discarded()) return Broken("it is no JSON");
  if (!json.is_object()) return Broken("it is no JSON object");
  const Json* ranges = Find(json, "ranges");
  if (ranges == nullptr || !ranges->is_array()) return Broken("it has no array 'ranges'");
  const Json* complete = Find(json, "ranges_complete");
  if (complete == nullptr || !complete->is_boolean()) {
    return Broken("it has no true or false 'ranges_complete'");
  }
  AppMetadata metadata{.ranges = {}, .ranges_complete = complete->get<bool>()};
  ARROW_ASSIGN_OR_RAISE(metadata.ranges, ReadRanges(*ranges));
  return metadata;
}

}  // namespace

Result<AppMetadata> ParseAppMetadata(std::string_view json) {
  Result<AppMetadata> metadata = Read(json);
  if (metadata.ok()) return metadata;
  const Status& status = metadata.status();
  return MakeError(ErrorInfoOf(status),
                   fmt::format("a message's app_metadata cannot be used: {}; it reads: {}",
                               status.message(), Excerpt(json)));
}

}  // namespace amp
