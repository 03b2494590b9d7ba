// Services of the machine that give credentials: the container agent of ECS and EKS, and the
// metadata service of EC2, version 2 ("Use IMDS" in the EC2 User Guide).

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "core/text.h"
#include "storage/credential_sources.h"

namespace amp::storage {
namespace {

using Json = nlohmann::json;

// On a machine that has no such service nothing answers; nobody should wait long for that.
constexpr std::chrono::milliseconds kMetadataTimeout{1'000};

Result<AwsCredentials> ParseAnswer(const std::string& service, const std::string& body,
                                   std::string origin) {
  const Json json = Json::parse(body, nullptr, /*allow_exceptions=*/false);
  const auto text = [&](const char* name) {
    const bool has = json.is_object() && json.contains(name) && json[name].is_string();
    return has ? json[name].get<std::string>() : std::string();
  };
  AwsCredentials credentials{.access_key_id = text("AccessKeyId"),
                             .secret_access_key = text("SecretAccessKey"),
                             .session_token = text("Token"),
                             .expires = ParseExpiry(text("Expiration")),
                             .origin = std::move(origin)};
  if (!credentials.access_key_id.empty() && !credentials.secret_access_key.empty()) {
    return credentials;
  }
  return MakeError({.kind = ErrorKind::kProtocol, .target = service},
                   fmt::format("{}: its answer has no credentials", service));
}

/// "https://10.0.0.1:80/path" → "10.0.0.1"
std::string HostOf(const std::string& url) {
  const size_t start = url.find("://");
  if (start == std::string::npos) return {};
  std::string host = url.substr(start + 3, url.find('/', start + 3) - start - 3);
  if (host.starts_with('[')) return host.substr(0, host.find(']') + 1);
  return host.substr(0, host.find(':'));
}

// A token must not be sent to just any host in the clear.
bool IsTrusted(const std::string& url) {
  const std::string host = HostOf(url);
  return url.starts_with("https://") || host == "localhost" || host.starts_with("127.") ||
         host == "[::1]" || host == "169.254.170.2" || host == "169.254.170.23" ||
         host == "[fd00:ec2::23]";
}

Result<std::string> ContainerUrl(const Environment& environment) {
  const std::string relative = environment("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI");
  if (!relative.empty()) return "http://169.254.170.2" + relative;
  std::string full = environment("AWS_CONTAINER_CREDENTIALS_FULL_URI");
  if (full.empty() || IsTrusted(full)) return full;
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("AWS_CONTAINER_CREDENTIALS_FULL_URI names the host '{}', which is "
                               "neither this machine nor reached by https",
                               HostOf(full)));
}

Result<std::string> ContainerToken(const Environment& environment) {
  const std::string file = environment("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE");
  if (file.empty()) return environment("AWS_CONTAINER_AUTHORIZATION_TOKEN");
  ARROW_ASSIGN_OR_RAISE(std::string token, ReadTextFile(file));
  while (!token.empty() && (token.back() == '\n' || token.back() == '\r')) token.pop_back();
  return token;
}

std::string MetadataEndpoint(const Environment& environment) {
  std::string given = environment("AWS_EC2_METADATA_SERVICE_ENDPOINT");
  while (given.ends_with('/')) given.pop_back();
  return given.empty() ? "http://169.254.169.254" : given;
}

}  // namespace

FoundCredentials CredentialsOfContainer(const CredentialSearch& search) {
  ARROW_ASSIGN_OR_RAISE(const std::string url, ContainerUrl(search.environment));
  if (url.empty()) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const std::string token, ContainerToken(search.environment));
  HttpRequest request{.url = url, .direct = true};
  if (!token.empty()) request.headers.push_back("authorization: " + token);
  const HttpResponse response = search.http->Send(request);
  const std::string service = fmt::format("the container's agent ({})", HostOf(url));
  if (response.status != 200) return CredentialError(service, response);
  return ParseAnswer(service, response.body, service);
}

FoundCredentials CredentialsOfMachine(const CredentialSearch& search) {
  if (search.environment("AWS_EC2_METADATA_DISABLED") == "true") return std::nullopt;
  const std::string endpoint = MetadataEndpoint(search.environment);
  const HttpResponse token =
      search.http->Send({.method = "PUT",
                         .url = endpoint + "/latest/api/token",
                         .headers = {"x-aws-ec2-metadata-token-ttl-seconds: 21600"},
                         .direct = true},
                        kMetadataTimeout);
  if (token.status != 200) return std::nullopt;  // this is no such machine
  const std::string service = "the machine's metadata service";
  const std::string roles = endpoint + "/latest/meta-data/iam/security-credentials/";
  const std::string header = "x-aws-ec2-metadata-token: " + token.body;
  const HttpResponse role = search.http->Send({.url = roles, .headers = {header}, .direct = true});
  if (role.status == 404) return std::nullopt;  // a machine without a role
  if (role.status != 200) return CredentialError(service, role);
  const std::string name = role.body.substr(0, role.body.find('\n'));
  const HttpResponse answer =
      search.http->Send({.url = roles + name, .headers = {header}, .direct = true});
  if (answer.status != 200) return CredentialError(service, answer);
  return ParseAnswer(service, answer.body, service);
}

}  // namespace amp::storage
