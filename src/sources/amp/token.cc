#include "sources/amp/token.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/text.h"
#include "core/time_text.h"

namespace amp {
namespace {

using Json = nlohmann::json;

constexpr const char* kTokenVariable = "AMP_AUTH_TOKEN";
constexpr const char* kHowToLogIn =
    "log in again with the Amp CLI, or set the source option token or AMP_AUTH_TOKEN";

Status BadToken(const std::string& origin, std::string_view why) {
  return MakeError({.kind = ErrorKind::kUnauthenticated,
                    .side = ErrorSide::kSource,
                    .operation = "read token",
                    .target = origin},
                   fmt::format("the token from {}: {}; {}", origin, why, kHowToLogIn));
}

std::string Trimmed(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const size_t start = text.find_first_not_of(kSpace);
  if (start == std::string_view::npos) return {};
  return std::string(text.substr(start, text.find_last_not_of(kSpace) - start + 1));
}

// gRPC ends the process over a header with other characters.
Result<AmpToken> Checked(std::string_view text, std::string origin) {
  constexpr std::string_view kScheme = "Bearer ";
  std::string token = Trimmed(text);
  if (token.starts_with(kScheme)) token = Trimmed(token.substr(kScheme.size()));
  const bool fits =
      std::all_of(token.begin(), token.end(), [](char c) { return c > ' ' && c <= '~'; });
  if (!fits) return BadToken(origin, "it has a character that no token has");
  return AmpToken{.value = std::move(token), .origin = std::move(origin)};
}

// The first member of one of these names, at the top or further inside.
template <size_t N>
const Json* FindMember(const Json& json, const std::array<const char*, N>& names, int depth = 0) {
  constexpr int kMostDepth = 8;
  if (!json.is_object() || depth > kMostDepth) return nullptr;
  for (const char* name : names) {
    const auto member = json.find(name);
    if (member != json.end() && member->is_primitive() && !member->is_null()) return &*member;
  }
  for (const Json& inner : json) {
    if (const Json* found = FindMember(inner, names, depth + 1)) return found;
  }
  return nullptr;
}

// Unix milliseconds. The Amp CLI writes those; seconds and RFC 3339 are told apart from them.
std::optional<int64_t> ExpiryOf(const Json& json) {
  constexpr std::array<const char*, 5> kNames{"expiry", "expires_at", "expiresAt", "expires",
                                              "exp"};
  constexpr double kMostSeconds = 1e11;  // the year 5138; as milliseconds, the year 1973
  const Json* expiry = FindMember(json, kNames);
  if (expiry == nullptr) return std::nullopt;
  if (expiry->is_string()) {
    return ParseTimestamp(expiry->get<std::string>(), arrow::TimeUnit::MILLI);
  }
  if (!expiry->is_number()) return std::nullopt;
  const auto number = expiry->get<double>();
  if (!(number > 0 && number < 1e15)) return std::nullopt;
  return static_cast<int64_t>(number < kMostSeconds ? number * 1000 : number);
}

int64_t NowMillis() {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

// What the Amp CLI writes:
// {"accessToken":"…","refreshToken":"…","userId":"…","expiry":1764000000000} with the expiry in
// Unix milliseconds (https://github.com/edgeandnode/amp, its typescript client).
Result<AmpToken> FromJson(const Json& json, std::string origin) {
  constexpr std::array<const char*, 3> kNames{"accessToken", "access_token", "token"};
  const Json* token = json.is_string() ? &json : FindMember(json, kNames);
  if (token == nullptr || !token->is_string()) {
    return BadToken(origin, "the file has no text accessToken, access_token or token");
  }
  if (const auto expiry = ExpiryOf(json); expiry && *expiry <= NowMillis()) {
    std::string when;
    AppendTimestamp(*expiry, arrow::TimeUnit::MILLI, true, &when);
    return BadToken(origin, fmt::format("it expired at {}", when));
  }
  return Checked(token->get<std::string>(), std::move(origin));
}

Result<AmpToken> FromFile(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, ReadTextFile(path));
  std::string origin = fmt::format("file '{}'", path);
  const std::string trimmed = Trimmed(text);
  if (trimmed.empty()) return BadToken(origin, "the file is empty");
  if (trimmed.front() != '{' && trimmed.front() != '"') return Checked(trimmed, std::move(origin));
  const Json json = Json::parse(trimmed, nullptr, false);
  if (json.is_discarded()) return BadToken(origin, "the file is no JSON");
  return FromJson(json, std::move(origin));
}

std::string CliTokenFile() {
  const char* home = std::getenv("HOME");
  return home == nullptr ? std::string() : std::string(home) + "/.amp/cache/amp_cli_auth";
}

}  // namespace

Result<AmpToken> FindAmpToken(const AmpSourceOptions& options) {
  if (!options.token.empty()) return Checked(options.token, "the source option token");
  if (!options.token_file.empty()) return FromFile(options.token_file);
  if (const char* set = std::getenv(kTokenVariable); set != nullptr && *set != '\0') {
    return Checked(set, kTokenVariable);
  }
  const std::string path = CliTokenFile();
  std::error_code ignored;
  if (path.empty() || !std::filesystem::exists(path, ignored)) return AmpToken{};
  return FromFile(path);
}

}  // namespace amp
