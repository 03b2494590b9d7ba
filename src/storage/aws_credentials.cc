#include "storage/aws_credentials.h"

#include <fmt/format.h>

#include "storage/credential_sources.h"

namespace amp::storage {
namespace {

// Time for a load's requests that are under way, and for clocks that differ.
constexpr std::chrono::minutes kBeforeExpiry{5};

bool HasExpired(const AwsCredentials& credentials) {
  return credentials.expires && *credentials.expires <= std::chrono::system_clock::now();
}

bool IsFresh(const AwsCredentials& credentials) {
  return !credentials.expires ||
         std::chrono::system_clock::now() + kBeforeExpiry < *credentials.expires;
}

Status NoneFound(const S3Config& config, const Environment& environment) {
  return MakeError(
      {.kind = ErrorKind::kUnauthenticated},
      fmt::format("there are no credentials for S3: none in the configuration, in "
                  "AWS_ACCESS_KEY_ID, in a web identity, in profile '{}' of ~/.aws, and from no "
                  "metadata service; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or "
                  "AWS_PROFILE",
                  ProfileName(config.profile, environment)));
}

}  // namespace

AwsCredentialChain::AwsCredentialChain(S3Config config, std::string region, Environment environment)
    : config_(std::move(config)),
      region_(std::move(region)),
      environment_(std::move(environment)),
      http_({.timeout = config_.timeout, .tls_ca_file = config_.tls_ca_file}) {}

AwsCredentialChain::~AwsCredentialChain() = default;

Result<AwsCredentials> AwsCredentialChain::Get() {
  const std::lock_guard lock(mutex_);
  if (cached_ && IsFresh(*cached_)) return *cached_;
  const CredentialSearch search{
      .config = config_, .region = region_, .environment = environment_, .http = &http_};
  auto found = FindCredentials(search);
  // What is known is good for a while yet; the next request asks again.
  if (!found.ok() && cached_ && !HasExpired(*cached_)) return *cached_;
  ARROW_ASSIGN_OR_RAISE(cached_, std::move(found));
  if (!cached_) return NoneFound(config_, environment_);
  return *cached_;
}

void AwsCredentialChain::Expire(const AwsCredentials& expired) {
  const std::lock_guard lock(mutex_);
  if (cached_ && cached_->access_key_id == expired.access_key_id &&
      cached_->session_token == expired.session_token) {
    cached_.reset();
  }
}

}  // namespace amp::storage
