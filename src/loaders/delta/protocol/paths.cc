#include "loaders/delta/protocol/paths.h"

#include <fmt/format.h>

#include <algorithm>

#include "core/text.h"

namespace amp::delta {
namespace {

constexpr std::string_view kHex = "0123456789ABCDEF";
// File systems take 255 bytes; non-ASCII bytes are encoded by some stores.
constexpr size_t kLongestPart = 200;

bool IsAlnum(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

void AppendPercent(char c, std::string* out) {
  const auto byte = static_cast<unsigned char>(c);
  out->append({'%', kHex[byte >> 4], kHex[byte & 15]});
}

// How many characters of "s3://bucket/…" are scheme and host; 0 for a path without a scheme.
size_t SchemeSize(std::string_view path) {
  const size_t colon = path.find(":/");
  if (colon == std::string_view::npos || colon == 0) return 0;
  const auto fits = [](char c) { return IsAlnum(c) || c == '+' || c == '.' || c == '-'; };
  if (!std::all_of(path.begin(), path.begin() + static_cast<std::ptrdiff_t>(colon), fits)) return 0;
  if (!path.substr(colon).starts_with("://")) return colon + 1;
  return std::min(path.find('/', colon + 3), path.size());
}

uint64_t Fnv1a(std::string_view text) {
  uint64_t hash = 0xcbf29ce484222325U;
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001b3U;
  return hash;
}

std::string FolderPart(const std::string& column, const std::optional<std::string>& value) {
  std::string part = HiveEscape(column) + "=";
  part += value && !value->empty() ? HiveEscape(*value) : "__HIVE_DEFAULT_PARTITION__";
  if (part.size() <= kLongestPart) return part;
  const uint64_t hash = Fnv1a(part);
  // Cut before a character, never inside one.
  size_t end = kLongestPart - 17;
  while (end > 0 && (static_cast<unsigned char>(part[end]) & 0xC0) == 0x80) --end;
  return fmt::format("{}~{:016x}", part.substr(0, end), hash);
}

}  // namespace

std::string EncodePath(std::string_view path) {
  constexpr std::string_view kPlain = "-._~/=";
  const size_t scheme = SchemeSize(path);
  std::string out(path.substr(0, scheme));
  for (const char c : path.substr(scheme)) {
    if (IsAlnum(c) || kPlain.find(c) != std::string_view::npos) {
      out.push_back(c);
    } else {
      AppendPercent(c, &out);
    }
  }
  return out;
}

Result<std::string> DecodePath(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%' && text[i] != '\0') {
      out.push_back(text[i]);
      continue;
    }
    // No file's name holds a zero byte, encoded or not.
    const auto byte = text[i] == '%' ? HexDecode(text.substr(i + 1, 2)) : std::nullopt;
    if (!byte || byte->size() != 1 || (*byte)[0] == '\0') {
      return MakeError({.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget},
                       fmt::format("path '{}' is not URL-encoded", text));
    }
    out += *byte;
    i += 2;
  }
  return out;
}

bool IsAbsolutePath(std::string_view path) { return path.starts_with('/') || SchemeSize(path) > 0; }

Result<FileName> FileNameFromLog(std::string text) {
  FileName file;
  ARROW_ASSIGN_OR_RAISE(file.path, DecodePath(text));
  if (EncodePath(file.path) != text) file.text = std::move(text);
  return file;
}

// The characters are those of Hive's FileUtils.escapePathName, and braces as in Spark.
std::string HiveEscape(std::string_view text) {
  constexpr std::string_view kEscaped = "\"#%'*/:=?\\\x7F{}[]^";
  std::string out;
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || kEscaped.find(c) != std::string_view::npos) {
      AppendPercent(c, &out);
    } else {
      out.push_back(c);
    }
  }
  return out;
}

std::string PartitionFolder(const Strings& columns, const NullableMap& values) {
  std::string folder;
  for (const std::string& column : columns) {
    const auto found = values.find(column);
    if (!folder.empty()) folder.push_back('/');
    folder += FolderPart(column, found == values.end() ? std::nullopt : found->second);
  }
  return folder;
}

}  // namespace amp::delta
