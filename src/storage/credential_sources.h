#pragma once

#include <optional>
#include <string>

#include "storage/aws_credentials.h"

namespace amp::storage {

struct CredentialSearch {
  const S3Config& config;
  const std::string& region;
  const Environment& environment;
  HttpClient* http;
};

/// Credentials of the first place that has some. An error where a place says that it has some, and
/// they cannot be had.
Result<std::optional<AwsCredentials>> FindCredentials(const CredentialSearch& search);

// One function a place; none where it is not in use.
using FoundCredentials = Result<std::optional<AwsCredentials>>;
FoundCredentials CredentialsOfProfile(const CredentialSearch& search);
FoundCredentials CredentialsOfWebIdentity(const CredentialSearch& search);  // credential_sts.cc
FoundCredentials CredentialsOfContainer(const CredentialSearch& search);  // credential_metadata.cc
FoundCredentials CredentialsOfMachine(const CredentialSearch& search);

/// "2026-11-24T03:15:00Z"; none where it is no such time.
std::optional<std::chrono::system_clock::time_point> ParseExpiry(const std::string& text);

/// Credentials that a service did not give; `http_status` 0 means that it did not answer.
Status CredentialError(const std::string& service, const HttpResponse& response);

}  // namespace amp::storage
