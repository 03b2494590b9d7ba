#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "storage/aws_credentials.h"
#include "storage/http_client.h"
#include "storage/s3_config.h"

namespace amp::storage {

struct S3Request {
  std::string method = "GET";
  std::string key = {};  ///< empty: the bucket itself
  /// Names and values, not encoded, in the byte order of the names.
  std::vector<std::pair<std::string, std::string>> query = {};
  std::vector<std::string> headers = {};
  std::string_view body = {};
  int64_t expected_bytes = 0;  ///< see HttpRequest
};

/// What the last of several tries came to.
struct S3Answer {
  HttpResponse response;
  Status refused = {};      ///< why there was no try: no credentials
  bool maybe_done = false;  ///< a try whose answer is not known may have been carried out

  bool ok() const { return response.status >= 200 && response.status < 300; }
  int status() const { return response.status; }
};

/// Signed requests to one bucket, tried again while that may help. Thread-safe.
class S3Client {
 public:
  static Result<std::shared_ptr<S3Client>> Make(std::string bucket, S3Config config,
                                                const Environment& environment);

  /// Tries until there is an answer that another try would not change, or tries have run out.
  S3Answer Send(const S3Request& request);
  /// What an answer means that is not what was asked for. `operation`: "reading", "listing", …
  Status ErrorOf(const S3Answer& answer, std::string_view operation, std::string_view key) const;
  /// s3://bucket/key
  std::string Describe(std::string_view key) const;
  const S3Config& config() const { return config_; }

 private:
  S3Client(std::string bucket, S3Config config, const Environment& environment);
  std::string Url(const S3Request& request) const;
  Status Sign(HttpRequest* request, AwsCredentials* used);
  void TryOnce(const S3Request& request, S3Answer* answer);

  const std::string bucket_;
  const S3Config config_;
  std::string base_;  ///< what keys are added to
  AwsCredentialChain credentials_;
  HttpClient http_;
};

}  // namespace amp::storage
