#include "storage/open_store.h"

#include <fmt/format.h>

#include <cctype>

#include "amp/config.h"
#include "storage/local_store.h"
#include "storage/s3_store.h"

namespace amp::storage {
namespace {

constexpr std::string_view kS3 = "s3://";
constexpr std::string_view kFile = "file://";

Status BadUri(const std::string& uri, std::string_view why) {
  return MakeError(ErrorKind::kConfigInvalid, fmt::format("'{}': {}", RedactUrl(uri), why));
}

std::shared_ptr<ObjectStore> OpenFolder(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return std::make_shared<LocalStore>(path.empty() ? "." : std::move(path));
}

Result<std::shared_ptr<ObjectStore>> OpenBucket(const std::string& uri, const StoreConfig& config) {
  ARROW_ASSIGN_OR_RAISE(S3Uri parts, ParseS3Uri(uri));
  ARROW_ASSIGN_OR_RAISE(auto client,
                        S3Client::Make(std::move(parts.bucket), config.s3, config.environment));
  return std::make_shared<S3Store>(std::move(client), parts.key);
}

}  // namespace

bool IsRemoteUri(std::string_view uri) {
  const size_t end = uri.find("://");
  if (end == std::string_view::npos || end == 0 || uri.starts_with(kFile)) return false;
  for (const char c : uri.substr(0, end)) {
    if (std::isalnum(static_cast<unsigned char>(c)) == 0 && c != '+' && c != '-' && c != '.') {
      return false;
    }
  }
  return true;
}

Result<S3Uri> ParseS3Uri(const std::string& uri) {
  const std::string rest = uri.substr(kS3.size());
  const size_t slash = std::min(rest.find('/'), rest.size());
  S3Uri parts{.bucket = rest.substr(0, slash),
              .key = rest.substr(std::min(slash + 1, rest.size()))};
  if (parts.bucket.empty()) return BadUri(uri, "it names no bucket; write s3://BUCKET/PATH");
  if (parts.bucket.find_first_of("@:?#% ") != std::string::npos) {
    return BadUri(uri, "'" + RedactUrl(std::string(kS3) + parts.bucket).substr(kS3.size()) +
                           "' is no bucket's name; credentials and options do not go into "
                           "the address, but into AWS_… variables or options");
  }
  return parts;
}

Result<std::shared_ptr<ObjectStore>> OpenStore(const std::string& uri, const StoreConfig& config) {
  if (uri.starts_with(kS3)) return OpenBucket(uri, config);
  if (uri.starts_with(kFile)) {
    if (uri.size() == kFile.size() || uri[kFile.size()] != '/') {
      return BadUri(uri, "file:// is followed by an absolute path: file:///data/tables");
    }
    return OpenFolder(uri.substr(kFile.size()));
  }
  if (!IsRemoteUri(uri)) return OpenFolder(uri);
  return MakeError(ErrorKind::kUnsupported,
                   fmt::format("'{}': there is no storage '{}'; there are folders (a path) and S3 "
                               "(s3://BUCKET/PATH)",
                               RedactUrl(uri), uri.substr(0, uri.find("://"))));
}

}  // namespace amp::storage
