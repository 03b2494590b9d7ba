#include "sources/amp/endpoint.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <optional>

#include "amp/config.h"
#include "core/text.h"

namespace amp {
namespace {

constexpr std::string_view kForm =
    "write grpc://host:port, or grpc+tls://host:port for TLS (Amp servers listen on 1602)";

struct Scheme {
  std::string_view name;
  bool tls;
};
constexpr std::array<Scheme, 4> kSchemes{
    {{"grpc", false}, {"grpc+tcp", false}, {"grpc+tls", true}, {"grpcs", true}}};

Status BadUrl(std::string_view url, std::string_view why) {
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("Amp server '{}': {}; {}", RedactUrl(url), why, kForm));
}

std::optional<bool> TlsOf(std::string_view name) {
  for (const Scheme& scheme : kSchemes) {
    if (scheme.name == name) return scheme.tls;
  }
  return std::nullopt;
}

std::optional<int> ReadPort(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && port > 0 && port <= 65535 ? std::optional(port) : std::nullopt;
}

// host:port or [address]:port, as `url` has it.
Result<AmpEndpoint> ReadAuthority(std::string_view url, std::string_view text, bool tls) {
  if (text.ends_with('/')) text.remove_suffix(1);
  if (text.find('@') != std::string_view::npos) {
    return BadUrl(url, "it has a user or password; set the source option token instead");
  }
  if (text.find_first_of("/?#") != std::string_view::npos) {
    return BadUrl(url, "something follows the port");
  }
  const size_t colon = text.rfind(':');
  const bool bracketed = text.starts_with('[');
  if (colon == std::string_view::npos || (bracketed && text[colon - 1] != ']')) {
    return BadUrl(url, "it has no port");
  }
  const std::string_view host =
      bracketed ? text.substr(1, colon - 2) : std::string_view(text.substr(0, colon));
  const auto port = ReadPort(text.substr(colon + 1));
  if (!port) return BadUrl(url, "its port is no number from 1 to 65535");
  if (host.empty()) return BadUrl(url, "it has no host");
  if (!bracketed && host.find(':') != std::string_view::npos) {
    return BadUrl(url, "an IPv6 address must be in brackets");
  }
  return AmpEndpoint{.host = std::string(host), .port = *port, .tls = tls};
}

}  // namespace

std::string AmpEndpoint::Url() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return fmt::format("{}://{}{}{}:{}", tls ? "grpc+tls" : "grpc", is_v6 ? "[" : "", host,
                     is_v6 ? "]" : "", port);
}

Result<AmpEndpoint> ParseAmpEndpoint(std::string_view url) {
  const size_t scheme_end = url.find("://");
  if (scheme_end == std::string_view::npos) return BadUrl(url, "it has no scheme");
  const auto tls = TlsOf(url.substr(0, scheme_end));
  if (!tls) {
    return BadUrl(url, fmt::format("its scheme is not known: {}", url.substr(0, scheme_end)));
  }
  return ReadAuthority(url, url.substr(scheme_end + 3), *tls);
}

Result<std::vector<AmpEndpoint>> ParseAmpEndpoints(const std::string& url,
                                                   const std::vector<std::string>& more) {
  std::vector<std::string> parts = SplitList(url);
  parts.insert(parts.end(), more.begin(), more.end());
  if (parts.empty()) return BadUrl(url, "it is empty");
  std::vector<AmpEndpoint> endpoints;
  for (const std::string& part : parts) {
    const bool has_scheme = part.find("://") != std::string::npos;
    ARROW_ASSIGN_OR_RAISE(AmpEndpoint endpoint,
                          has_scheme || endpoints.empty()
                              ? ParseAmpEndpoint(part)
                              : ReadAuthority(part, part, endpoints.back().tls));
    endpoints.push_back(std::move(endpoint));
  }
  return endpoints;
}

}  // namespace amp
