#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <optional>
#include <string>

#include "amp/export.h"
#include "storage/aws_profile.h"
#include "storage/http_client.h"
#include "storage/s3_config.h"

namespace amp::storage {

struct AwsCredentials {
  std::string access_key_id = {};
  std::string secret_access_key = {};
  std::string session_token = {};
  std::optional<std::chrono::system_clock::time_point> expires = {};
  std::string origin = {};  ///< where they were found, for messages
};

/// Finds credentials and keeps them until shortly before they expire. Thread-safe.
///
/// The first of these that has some: the configuration; its profile, where it names one;
/// the environment; a web identity (a token in a file, exchanged at STS); the profile files; the
/// container's agent; the machine's metadata service (IMDSv2). The order of the AWS SDKs.
class AMP_EXPORT AwsCredentialChain {
 public:
  /// `region` is for STS.
  AwsCredentialChain(S3Config config, std::string region, Environment environment);
  ~AwsCredentialChain();

  /// Unauthenticated where none are found, saying where was looked.
  Result<AwsCredentials> Get();
  /// The server says that these have expired: the next Get looks again.
  void Expire(const AwsCredentials& expired);

 private:
  const S3Config config_;
  const std::string region_;
  const Environment environment_;
  HttpClient http_;
  std::mutex mutex_;
  std::optional<AwsCredentials> cached_;
};

}  // namespace amp::storage
