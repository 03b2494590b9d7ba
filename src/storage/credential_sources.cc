#include "storage/credential_sources.h"

#include <fmt/format.h>

#include "storage/iso_time.h"

namespace amp::storage {
namespace {

FoundCredentials CredentialsOfConfig(const CredentialSearch& search) {
  const S3Config& config = search.config;
  if (config.access_key_id.empty() != config.secret_access_key.empty()) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "access_key_id and secret_access_key go together, and one is missing");
  }
  if (config.access_key_id.empty()) return std::nullopt;
  return AwsCredentials{.access_key_id = config.access_key_id,
                        .secret_access_key = config.secret_access_key,
                        .session_token = config.session_token,
                        .origin = "the configuration"};
}

FoundCredentials CredentialsOfEnvironment(const CredentialSearch& search) {
  AwsCredentials found{.access_key_id = search.environment("AWS_ACCESS_KEY_ID"),
                       .secret_access_key = search.environment("AWS_SECRET_ACCESS_KEY"),
                       .session_token = search.environment("AWS_SESSION_TOKEN"),
                       .origin = "AWS_ACCESS_KEY_ID"};
  if (found.access_key_id.empty() || found.secret_access_key.empty()) return std::nullopt;
  return found;
}

Status UnsupportedProfile(const std::string& name, std::string_view setting) {
  return MakeError({.kind = ErrorKind::kUnsupported},
                   fmt::format("profile '{}' of ~/.aws gets its credentials by '{}', which Ampload "
                               "does not do; export them first: eval \"$(aws configure "
                               "export-credentials --profile {} --format env)\"",
                               name, setting, name));
}

}  // namespace

FoundCredentials CredentialsOfProfile(const CredentialSearch& search) {
  const std::string name = ProfileName(search.config.profile, search.environment);
  Profile profile = ReadProfile(name, search.environment);
  if (!profile["aws_access_key_id"].empty() && !profile["aws_secret_access_key"].empty()) {
    return AwsCredentials{.access_key_id = profile["aws_access_key_id"],
                          .secret_access_key = profile["aws_secret_access_key"],
                          .session_token = profile["aws_session_token"],
                          .origin = fmt::format("profile '{}' of ~/.aws", name)};
  }
  for (const char* setting : {"role_arn", "sso_session", "sso_start_url", "credential_process"}) {
    if (!profile[setting].empty()) return UnsupportedProfile(name, setting);
  }
  if (search.config.profile.empty()) return std::nullopt;
  return MakeError({.kind = ErrorKind::kUnauthenticated},
                   fmt::format("there is no profile '{}' with credentials in ~/.aws", name));
}

Result<std::optional<AwsCredentials>> FindCredentials(const CredentialSearch& search) {
  using Place = FoundCredentials (*)(const CredentialSearch&);
  std::vector<Place> places{&CredentialsOfConfig};
  if (!search.config.profile.empty()) places.push_back(&CredentialsOfProfile);
  places.insert(places.end(),
                {&CredentialsOfEnvironment, &CredentialsOfWebIdentity, &CredentialsOfProfile,
                 &CredentialsOfContainer, &CredentialsOfMachine});
  for (const Place place : places) {
    ARROW_ASSIGN_OR_RAISE(auto found, place(search));
    if (found) return found;
  }
  return std::nullopt;
}

std::optional<std::chrono::system_clock::time_point> ParseExpiry(const std::string& text) {
  const auto millis = ParseIsoMillis(text);
  if (!millis) return std::nullopt;
  return std::chrono::system_clock::time_point(std::chrono::milliseconds(*millis));
}

Status CredentialError(const std::string& service, const HttpResponse& response) {
  const bool passes = response.status == 0 || response.status >= 500;
  return MakeError(
      {.kind = passes ? ErrorKind::kUnavailable : ErrorKind::kUnauthenticated,
       .operation = "getting credentials",
       .target = service,
       .native_code = std::to_string(response.status),
       .retryable = passes},
      response.status == 0
          ? fmt::format("{} gives no credentials: {}", service, response.failure)
          : fmt::format("{} gives no credentials: it answers {}", service, response.status));
}

}  // namespace amp::storage
