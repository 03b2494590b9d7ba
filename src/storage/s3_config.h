#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "amp/error.h"
#include "amp/export.h"

namespace amp::storage {

/// How to reach an S3 server. What is left out comes from the environment, as with Amazon's own
/// tools: AWS_ACCESS_KEY_ID, AWS_REGION, AWS_PROFILE, AWS_ENDPOINT_URL, …
struct S3Config {
  std::string endpoint = {};           ///< such as http://127.0.0.1:9000; empty: Amazon's own
  std::string region = {};             ///< us-east-1 where nothing says another
  std::string access_key_id = {};      ///< with the next one; empty: found out
  std::string secret_access_key = {};  ///< a secret
  std::string session_token = {};      ///< a secret; for keys that expire
  std::string profile = {};            ///< of ~/.aws/credentials and ~/.aws/config
  bool anonymous = false;              ///< requests are not signed
  /// Is the bucket's name in the URL's path, not in the host's name? Left out: with an endpoint.
  std::optional<bool> path_style = {};
  std::string tls_ca_file = {};  ///< certificates to trust instead of the system's
  /// For connecting, and for a request beyond the time that its bytes need at 100 kB/s.
  std::chrono::milliseconds timeout{30'000};
  int retry_tries = 6;  ///< of one request
  std::chrono::milliseconds retry_delay{100};
  std::chrono::milliseconds retry_max_delay{5'000};
  int64_t part_bytes = 8 << 20;  ///< of large objects; S3 takes 5 MiB and more
};

/// Reads the options as object stores are configured elsewhere: `aws_access_key_id`,
/// `AWS_ENDPOINT_URL`, `region`, …, in upper or lower case. ConfigInvalid for a name that is none
/// and for values that are wrong; names that only say what is so anyway are taken.
AMP_EXPORT Result<S3Config> ParseS3Options(const std::map<std::string, std::string>& options);

}  // namespace amp::storage
