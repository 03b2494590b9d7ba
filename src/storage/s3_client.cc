#include "storage/s3_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <random>
#include <thread>

#include "storage/s3_error.h"
#include "storage/sha256.h"

namespace amp::storage {
namespace {

std::string FirstOf(std::initializer_list<std::string> texts) {
  for (const std::string& text : texts) {
    if (!text.empty()) return text;
  }
  return {};
}

// What the configuration leaves open, from the environment and the profile.
S3Config Completed(S3Config config, const Environment& environment) {
  Profile profile = ReadProfile(ProfileName(config.profile, environment), environment);
  config.region = FirstOf({config.region, environment("AWS_REGION"),
                           environment("AWS_DEFAULT_REGION"), profile["region"], "us-east-1"});
  config.endpoint = FirstOf({config.endpoint, environment("AWS_ENDPOINT_URL_S3"),
                             environment("AWS_ENDPOINT_URL"), profile["endpoint_url"]});
  config.tls_ca_file =
      FirstOf({config.tls_ca_file, environment("AWS_CA_BUNDLE"), profile["ca_bundle"]});
  while (config.endpoint.ends_with('/')) config.endpoint.pop_back();
  return config;
}

Status CheckConfig(const S3Config& config) {
  const std::string& endpoint = config.endpoint;
  if (!endpoint.empty() && !endpoint.starts_with("http://") && !endpoint.starts_with("https://")) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("the S3 endpoint '{}' begins with neither http:// nor https://; "
                                 "write http://HOST:PORT",
                                 endpoint));
  }
  if (endpoint.find('@') != std::string::npos) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "the S3 endpoint has no place for credentials; set access_key_id and "
                     "secret_access_key");
  }
  if (config.part_bytes >= (5 << 20) && config.retry_tries >= 1) return Status::OK();
  return MakeError(ErrorKind::kConfigInvalid, "part_bytes is 5 MiB at least, retry_tries 1");
}

std::string BaseUrl(const std::string& bucket, const S3Config& config) {
  const std::string domain =
      config.region.starts_with("cn-") ? "amazonaws.com.cn" : "amazonaws.com";
  const std::string endpoint = config.endpoint.empty()
                                   ? fmt::format("https://s3.{}.{}", config.region, domain)
                                   : config.endpoint;
  // A dot in a bucket's name is none of the certificate's.
  const bool in_path =
      config.path_style.value_or(!config.endpoint.empty() || bucket.find('.') != std::string::npos);
  if (in_path) return fmt::format("{}/{}/", endpoint, UrlEncode(bucket));
  const size_t host = endpoint.find("://") + 3;
  return fmt::format("{}{}.{}/", endpoint.substr(0, host), bucket, endpoint.substr(host));
}

std::chrono::milliseconds Pause(const S3Config& config, int tries) {
  static thread_local std::mt19937_64 random{std::random_device{}()};
  std::uniform_real_distribution<double> jitter(0.5, 1.5);
  const double doubled =
      static_cast<double>(config.retry_delay.count()) * std::pow(2.0, std::min(tries - 1, 20));
  const double pause = std::min(doubled, static_cast<double>(config.retry_max_delay.count()));
  return std::chrono::milliseconds(static_cast<int64_t>(pause * jitter(random)));
}

}  // namespace

Result<std::shared_ptr<S3Client>> S3Client::Make(std::string bucket, S3Config config,
                                                 const Environment& environment) {
  S3Config completed = Completed(std::move(config), environment);
  ARROW_RETURN_NOT_OK(CheckConfig(completed));
  return std::shared_ptr<S3Client>(
      new S3Client(std::move(bucket), std::move(completed), environment));
}

S3Client::S3Client(std::string bucket, S3Config config, const Environment& environment)
    : bucket_(std::move(bucket)),
      config_(std::move(config)),
      base_(BaseUrl(bucket_, config_)),
      credentials_(config_, config_.region, environment),
      http_({.timeout = config_.timeout, .tls_ca_file = config_.tls_ca_file}) {}

std::string S3Client::Url(const S3Request& request) const {
  std::string url = base_ + UrlEncode(request.key, /*keep_slashes=*/true);
  char separator = '?';
  for (const auto& [name, value] : request.query) {
    url += fmt::format("{}{}={}", separator, UrlEncode(name), UrlEncode(value));
    separator = '&';
  }
  return url;
}

Status S3Client::Sign(HttpRequest* request, AwsCredentials* used) {
  if (config_.anonymous) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(*used, credentials_.Get());
  request->headers.push_back("x-amz-content-sha256: " + Sha256Hex(request->body));
  if (!used->session_token.empty()) {
    request->headers.push_back("x-amz-security-token: " + used->session_token);
  }
  request->signing = HttpSigning{.service = "s3",
                                 .region = config_.region,
                                 .access_key_id = used->access_key_id,
                                 .secret_access_key = used->secret_access_key};
  return Status::OK();
}

void S3Client::TryOnce(const S3Request& request, S3Answer* answer) {
  HttpRequest http{.method = request.method,
                   .url = Url(request),
                   .headers = request.headers,
                   .body = request.body,
                   .expected_bytes = request.expected_bytes};
  if (request.method == "PUT" || request.method == "POST") {
    http.headers.emplace_back("content-type: application/octet-stream");
  }
  AwsCredentials used;
  answer->refused = Sign(&http, &used);
  answer->response = HttpResponse{.sent = false, .may_pass = false};
  if (!answer->refused.ok()) return;
  answer->response = http_.Send(http);
  if (HasExpiredToken(answer->response)) credentials_.Expire(used);
}

S3Answer S3Client::Send(const S3Request& request) {
  S3Answer answer;
  bool renewed = false;
  for (int tries = 1;; ++tries) {
    TryOnce(request, &answer);
    answer.maybe_done = answer.maybe_done || MayBeDone(answer.response);
    // Credentials that have just expired get one try with new ones.
    const bool renew = HasExpiredToken(answer.response) && !std::exchange(renewed, true);
    if (!renew && !IsPassingAnswer(answer.response)) return answer;
    if (tries >= config_.retry_tries) return answer;
    if (!renew) std::this_thread::sleep_for(Pause(config_, tries));
  }
}

Status S3Client::ErrorOf(const S3Answer& answer, std::string_view operation,
                         std::string_view key) const {
  if (!answer.refused.ok()) {
    return WithContext(answer.refused, fmt::format("'{}'", Describe(key)));
  }
  return S3Error(answer.response, operation,
                 {.described = Describe(key), .bucket = bucket_, .region = config_.region});
}

std::string S3Client::Describe(std::string_view key) const {
  return fmt::format("s3://{}/{}", bucket_, key);
}

}  // namespace amp::storage
