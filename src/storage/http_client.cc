#include "storage/http_client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <csignal>
#include <ctime>
#include <mutex>

namespace amp::storage {
namespace {

constexpr int64_t kSlowestBytesPerMillisecond = 100;

void InitializeCurl() {
  static const CURLcode code = curl_global_init(CURL_GLOBAL_DEFAULT);
  static_cast<void>(code);  // what fails here fails again with each request, and is told then
}

size_t TakeBody(char* data, size_t size, size_t count, void* response) {
  static_cast<HttpResponse*>(response)->body.append(data, size * count);
  return size * count;
}

// One line at a time; a line that begins an answer drops those of the one before ("100 Continue").
size_t TakeHeader(char* data, size_t size, size_t count, void* out) {
  auto* response = static_cast<HttpResponse*>(out);
  std::string_view line(data, size * count);
  if (line.starts_with("HTTP/")) response->headers.clear();
  const size_t colon = line.find(':');
  if (colon == std::string_view::npos) return size * count;
  std::string name(line.substr(0, colon));
  std::transform(name.begin(), name.end(), name.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  line.remove_prefix(colon + 1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  while (!line.empty() && std::isspace(static_cast<unsigned char>(line.back())) != 0) {
    line.remove_suffix(1);
  }
  response->headers[std::move(name)] = std::string(line);
  return size * count;
}

// Nothing of the request has left this machine's transport then.
bool WasSent(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_FAILED_INIT:
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_COULDNT_RESOLVE_PROXY:
    case CURLE_COULDNT_RESOLVE_HOST:
    case CURLE_COULDNT_CONNECT:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return false;
    default:
      return true;
  }
}

bool MayPass(CURLcode code) {
  switch (code) {
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_URL_MALFORMAT:
    case CURLE_NOT_BUILT_IN:
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CACERT_BADFILE:
      return false;
    default:
      return true;
  }
}

/// Keeps a connection that the server has closed from ending the process: TLS writes to it as to a
/// file, which raises SIGPIPE in this thread.
class PipeSignalHeld {
 public:
  PipeSignalHeld() {
    sigemptyset(&pipe_);
    sigaddset(&pipe_, SIGPIPE);
    sigset_t pending;
    was_pending_ = sigpending(&pending) == 0 && sigismember(&pending, SIGPIPE) == 1;
    pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  PipeSignalHeld(const PipeSignalHeld&) = delete;
  PipeSignalHeld& operator=(const PipeSignalHeld&) = delete;
  ~PipeSignalHeld() {
    constexpr timespec kNoTime{};
    if (!was_pending_) sigtimedwait(&pipe_, nullptr, &kNoTime);
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{}, before_{};
  bool was_pending_ = false;
};

struct ListFree {
  void operator()(curl_slist* list) const { curl_slist_free_all(list); }
};
using HeaderList = std::unique_ptr<curl_slist, ListFree>;

HeaderList MakeHeaders(const std::vector<std::string>& lines) {
  HeaderList list;
  for (const std::string& line : lines) {
    curl_slist* longer = curl_slist_append(list.get(), line.c_str());
    if (longer == nullptr) continue;
    static_cast<void>(list.release());
    list.reset(longer);
  }
  return list;
}

// A body goes as that of a POST whatever the method: curl sends it from where it lies.
void SetBody(CURL* curl, const HttpRequest& request) {
  if (request.method == "HEAD") {
    curl_easy_setopt(curl, CURLOPT_NOBODY, 1L);
    return;
  }
  if (request.method != "GET" && request.method != "DELETE") {
    curl_easy_setopt(curl, CURLOPT_POST, 1L);
    curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                     static_cast<curl_off_t>(request.body.size()));
    curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request.body.empty() ? "" : request.body.data());
  }
  curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request.method.c_str());
}

void SetSigning(CURL* curl, const HttpSigning& signing) {
  const std::string provider = fmt::format("aws:amz:{}:{}", signing.region, signing.service);
  curl_easy_setopt(curl, CURLOPT_AWS_SIGV4, provider.c_str());
  curl_easy_setopt(curl, CURLOPT_USERNAME, signing.access_key_id.c_str());
  curl_easy_setopt(curl, CURLOPT_PASSWORD, signing.secret_access_key.c_str());
}

void SetTimes(CURL* curl, const HttpRequest& request, std::chrono::milliseconds timeout) {
  curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(timeout.count()));
  if (request.expected_bytes == HttpRequest::kUnknown) {
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, static_cast<long>(timeout.count() / 1000 + 1));
    return;
  }
  const int64_t bytes = static_cast<int64_t>(request.body.size()) + request.expected_bytes;
  const int64_t longest = timeout.count() + bytes / kSlowestBytesPerMillisecond;
  curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, static_cast<long>(longest));
}

void SetTransport(CURL* curl, const HttpConfig& config) {
  curl_easy_setopt(curl, CURLOPT_PATH_AS_IS, 1L);  // what is signed must not be tidied up
  curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
  curl_easy_setopt(curl, CURLOPT_UPLOAD_BUFFERSIZE, 512L << 10);
  if (!config.tls_ca_file.empty()) {
    curl_easy_setopt(curl, CURLOPT_CAINFO, config.tls_ca_file.c_str());
  }
}

void Perform(CURL* curl, HttpResponse* response) {
  std::array<char, CURL_ERROR_SIZE> error{};
  curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, error.data());
  curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &TakeBody);
  curl_easy_setopt(curl, CURLOPT_WRITEDATA, response);
  curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &TakeHeader);
  curl_easy_setopt(curl, CURLOPT_HEADERDATA, response);
  const CURLcode code = [curl] {
    const PipeSignalHeld held;
    return curl_easy_perform(curl);
  }();
  if (code == CURLE_OK) {
    long status = 0;
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &status);
    response->status = static_cast<int>(status);
    return;
  }
  response->failure = error[0] != '\0' ? error.data() : curl_easy_strerror(code);
  response->sent = WasSent(code);
  response->may_pass = MayPass(code);
}

}  // namespace

std::string_view HttpResponse::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? std::string_view() : std::string_view(found->second);
}

/// Handles that are not in use; each keeps its connection.
struct HttpClient::Pool {
  struct Cleanup {
    void operator()(CURL* curl) const { curl_easy_cleanup(curl); }
  };
  using Handle = std::unique_ptr<CURL, Cleanup>;

  Handle Take() {
    const std::lock_guard lock(mutex);
    if (idle.empty()) return Handle(curl_easy_init());
    Handle handle = std::move(idle.back());
    idle.pop_back();
    return handle;
  }
  void Give(Handle handle) {
    curl_easy_reset(handle.get());  // options, not connections
    const std::lock_guard lock(mutex);
    idle.push_back(std::move(handle));
  }

  std::mutex mutex;
  std::vector<Handle> idle;
};

HttpClient::HttpClient(HttpConfig config)
    : config_(std::move(config)), pool_(std::make_unique<Pool>()) {
  InitializeCurl();
}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::Send(const HttpRequest& request) { return Send(request, config_.timeout); }

HttpResponse HttpClient::Send(const HttpRequest& request, std::chrono::milliseconds timeout) {
  HttpResponse response;
  Pool::Handle handle = pool_->Take();
  CURL* curl = handle.get();
  if (curl == nullptr) {
    response.failure = "out of memory";
    response.sent = false;
    return response;
  }
  const HeaderList headers = MakeHeaders(request.headers);
  curl_easy_setopt(curl, CURLOPT_URL, request.url.c_str());
  curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers.get());
  if (request.direct) curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
  if (request.signing) SetSigning(curl, *request.signing);
  SetTransport(curl, config_);
  SetBody(curl, request);
  SetTimes(curl, request, timeout);
  Perform(curl, &response);
  pool_->Give(std::move(handle));
  return response;
}

std::string UrlEncode(std::string_view text, bool keep_slashes) {
  constexpr std::string_view kDigits = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~' || (c == '/' && keep_slashes);
    if (plain) {
      out += c;
    } else {
      out += {'%', kDigits[byte >> 4], kDigits[byte & 15]};
    }
  }
  return out;
}

}  // namespace amp::storage
