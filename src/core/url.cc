#include <fmt/format.h>

#include "amp/config.h"
#include "core/text.h"

namespace amp {
namespace {

Status UrlError(std::string_view url, std::string_view why) {
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("target URL '{}': {}", RedactUrl(url), why));
}

// %41 → A
Result<std::string> PercentDecode(std::string_view url, std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out.push_back(text[i]);
      continue;
    }
    const std::optional<std::string> byte =
        i + 2 < text.size() ? HexDecode(text.substr(i + 1, 2)) : std::nullopt;
    if (!byte) return UrlError(url, "'%' must be followed by two hex digits; write '%' as %25");
    out += *byte;
    i += 2;
  }
  return out;
}

class UrlReader {
 public:
  UrlReader(std::string_view url, std::string_view path_field)
      : url_(url), path_field_(path_field) {}

  Result<ConfigMap> Read() {
    std::string_view rest = url_.substr(url_.find(':') + 1);
    const bool is_path = path_field_ == "path";
    if (const size_t query = rest.find('?'); query != std::string_view::npos) {
      ARROW_RETURN_NOT_OK(ReadParameters(rest.substr(query + 1)));
      rest = rest.substr(0, query);
    }
    if (is_path || !rest.starts_with("//")) {
      if (rest.starts_with("//")) rest.remove_prefix(2);
      ARROW_RETURN_NOT_OK(Set(path_field_, rest));
      return std::move(values_);
    }
    rest.remove_prefix(2);
    const size_t slash = rest.find('/');
    ARROW_RETURN_NOT_OK(ReadAuthority(rest.substr(0, slash)));
    if (slash != std::string_view::npos) {
      ARROW_RETURN_NOT_OK(Set(path_field_, rest.substr(slash + 1)));
    }
    return std::move(values_);
  }

 private:
  Status Set(std::string_view name, std::string_view encoded) {
    if (encoded.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(std::string value, PercentDecode(url_, encoded));
    values_.insert_or_assign(std::string(name),
                             ConfigValue{.value = std::move(value), .origin = "the target URL"});
    return Status::OK();
  }

  // user:password@host:port; an IPv6 host is in brackets.
  Status ReadAuthority(std::string_view authority) {
    if (const size_t at = authority.rfind('@'); at != std::string_view::npos) {
      const std::string_view login = authority.substr(0, at);
      const size_t colon = login.find(':');
      ARROW_RETURN_NOT_OK(Set("user", login.substr(0, colon)));
      if (colon != std::string_view::npos) {
        ARROW_RETURN_NOT_OK(Set("password", login.substr(colon + 1)));
      }
      authority.remove_prefix(at + 1);
    }
    size_t port_at = authority.rfind(':');
    if (authority.starts_with('[')) {
      const size_t close = authority.find(']');
      if (close == std::string_view::npos) return UrlError(url_, "'[' has no ']'");
      ARROW_RETURN_NOT_OK(Set("host", authority.substr(1, close - 1)));
      port_at = close + 1 < authority.size() ? close + 1 : std::string_view::npos;
      if (port_at != std::string_view::npos && authority[port_at] != ':') {
        return UrlError(url_, "only ':' and a port may follow ']'");
      }
    } else {
      ARROW_RETURN_NOT_OK(Set("host", authority.substr(0, port_at)));
    }
    return port_at == std::string_view::npos ? Status::OK()
                                             : Set("port", authority.substr(port_at + 1));
  }

  // Parameters go before what the other parts say: postgresql:///db?host=/run/postgresql
  Status ReadParameters(std::string_view query) {
    while (!query.empty()) {
      const size_t end = query.find('&');
      const std::string_view pair = query.substr(0, end);
      query.remove_prefix(end == std::string_view::npos ? query.size() : end + 1);
      if (pair.empty()) continue;
      const size_t equals = pair.find('=');
      if (equals == std::string_view::npos) {
        return UrlError(url_, fmt::format("parameter '{}' has no value; write {}=…", pair, pair));
      }
      ARROW_RETURN_NOT_OK(Set(pair.substr(0, equals), pair.substr(equals + 1)));
    }
    return Status::OK();
  }

  std::string_view url_, path_field_;
  ConfigMap values_;
};

}  // namespace

Result<ConfigMap> ParseUrl(std::string_view url, std::string_view path_field) {
  return UrlReader(url, path_field).Read();
}

std::string RedactUrl(std::string_view url) {
  std::string shown(url);
  const size_t start = shown.find("://");
  const size_t from = start == std::string::npos ? 0 : start + 3;
  const size_t end = shown.find_first_of("/?", from);
  // A password may hold a raw '/' or '?', so everything up to the last '@' is looked at.
  const size_t at = shown.rfind('@');
  if (start != std::string::npos && at != std::string::npos) {
    const size_t colon = shown.find(':', from);
    if (colon < at && (colon < end || end > at || end == std::string::npos)) {
      shown.replace(colon + 1, at - colon - 1, "***");
    }
  }
  size_t query = shown.find('?');
  while (query != std::string::npos && query + 1 < shown.size()) {
    const size_t next = shown.find('&', query + 1);
    const size_t equals = shown.find('=', query + 1);
    const std::string name = shown.substr(query + 1, equals - query - 1);
    if (equals < next && IsSecretName(name)) {
      shown.replace(equals + 1, next == std::string::npos ? next : next - equals - 1, "***");
    }
    query = shown.find('&', query + 1);
  }
  return shown;
}

}  // namespace amp
