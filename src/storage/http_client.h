#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"

namespace amp::storage {

/// With what a request is signed (AWS Signature Version 4).
struct HttpSigning {
  std::string service;  ///< such as "s3"
  std::string region;
  std::string access_key_id;
  std::string secret_access_key;
};

struct HttpRequest {
  static constexpr int64_t kUnknown = -1;

  std::string method = "GET";
  /// Encoded as it is to be signed: nothing is changed, and parameters are sorted.
  std::string url;
  std::vector<std::string> headers = {};  ///< "name: value"; all of them are signed
  std::string_view body = {};
  std::optional<HttpSigning> signing = {};
  bool direct = false;         ///< past any proxy
  int64_t expected_bytes = 0;  ///< of the answer, beyond a few; kUnknown: any number
};

/// The answer, or why there is none. What a status means is for the caller to say.
struct HttpResponse {
  int status = 0;                                   ///< 0: no answer came
  std::map<std::string, std::string> headers = {};  ///< names in lower case
  std::string body = {};
  std::string failure = {};  ///< why no answer came
  bool sent = true;          ///< may the server have seen the request?
  bool may_pass = true;      ///< may another try succeed?

  std::string_view Header(const std::string& name) const;
};

struct HttpConfig {
  std::chrono::milliseconds timeout{30'000};
  std::string tls_ca_file = {};
};

/// Sends requests over connections that are kept open. Thread-safe: each request in flight has a
/// connection of its own.
class HttpClient {
 public:
  explicit HttpClient(HttpConfig config);
  ~HttpClient();
  HttpResponse Send(const HttpRequest& request);
  /// Gives up after this time, whatever the configuration says.
  HttpResponse Send(const HttpRequest& request, std::chrono::milliseconds timeout);

 private:
  struct Pool;
  const HttpConfig config_;
  const std::unique_ptr<Pool> pool_;
};

/// RFC 3986: all but letters, digits and `-._~` as %XX; `/` too unless it is to be kept.
std::string UrlEncode(std::string_view text, bool keep_slashes = false);

}  // namespace amp::storage
