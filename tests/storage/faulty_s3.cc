#include "storage/faulty_s3.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

#include "core/text.h"
#include "storage/signature.h"

namespace amp::testing {
namespace {

using storage::Environment;

std::string Decode(const std::string& text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    out += HexDecode(text.substr(i + 1, 2)).value_or("?");
    i += 2;
  }
  return out;
}

/// A parameter's value; "-" where it is not there.
std::string Parameter(const SeenRequest& request, const std::string& name) {
  const std::string all = "&" + request.query;
  const size_t at = all.find("&" + name + "=");
  if (at == std::string::npos) return "-";
  const size_t start = at + name.size() + 2;
  return Decode(all.substr(start, all.find('&', start) - start));
}

TestAnswer Error(int status, const std::string& code, const std::string& extra = {}) {
  TestAnswer answer{.status = status};
  if (code.empty()) return answer;
  answer.body = fmt::format(
      "<?xml version=\"1.0\"?>\n<Error><Code>{}</Code><Message>as told</Message>{}</Error>", code,
      extra);
  return answer;
}

std::string XmlEscaped(const std::string& text) {
  std::string out;
  for (const char c : text) {
    out += c == '&' ? "&amp;" : c == '<' ? "&lt;" : c == '>' ? "&gt;" : std::string(1, c);
  }
  return out;
}

std::string Etag(const std::string& bytes) { return "\"" + HexSha256(bytes).substr(0, 32) + "\""; }

TestAnswer Range(const std::string& bytes, std::string range) {
  range = range.substr(range.find('=') + 1);
  const auto size = static_cast<int64_t>(bytes.size());
  int64_t first = 0, last = size - 1;
  if (range.starts_with('-')) {
    first = std::max<int64_t>(0, size - std::atoll(range.c_str() + 1));
  } else {
    first = std::atoll(range.c_str());
    last = std::min<int64_t>(last, std::atoll(range.substr(range.find('-') + 1).c_str()));
  }
  if (first > last) return Error(416, "InvalidRange");
  const auto from = static_cast<size_t>(first), count = static_cast<size_t>(last - first + 1);
  return {.status = 206,
          .body = bytes.substr(from, count),
          .headers = {{"Content-Range", fmt::format("bytes {}-{}/{}", first, last, size)}}};
}

}  // namespace

FaultyS3::FaultyS3() : server_([this](const SeenRequest& request) { return Answer(request); }) {}

storage::StoreConfig FaultyS3::Config() const {
  storage::StoreConfig config;
  config.s3 = {.endpoint = url(),
               .region = "eu-north-1",
               .access_key_id = kKeyId,
               .secret_access_key = kSecret,
               .timeout = std::chrono::milliseconds(2'000),
               .retry_tries = 3,
               .retry_delay = std::chrono::milliseconds(1)};
  config.environment = [](const char*) { return std::string(); };
  return config;
}

std::shared_ptr<storage::ObjectStore> FaultyS3::Store(const std::string& prefix) const {
  return storage::OpenStore("s3://bucket/" + prefix, Config()).ValueOrDie();
}

void FaultyS3::Fail(Fault fault) {
  const std::lock_guard lock(mutex_);
  faults_.push_back(std::move(fault));
}

void FaultyS3::Heal() {
  const std::lock_guard lock(mutex_);
  faults_.clear();
}

void FaultyS3::Put(const std::string& key, const std::string& bytes) {
  const std::lock_guard lock(mutex_);
  objects_[key] = bytes;
}

std::map<std::string, std::string> FaultyS3::objects() {
  const std::lock_guard lock(mutex_);
  return objects_;
}

std::vector<SeenRequest> FaultyS3::seen() {
  const std::lock_guard lock(mutex_);
  return seen_;
}

size_t FaultyS3::open_uploads() {
  const std::lock_guard lock(mutex_);
  return uploads_.size();
}

bool FaultyS3::TakeFault(const SeenRequest& request, Fault* fault) {
  for (auto it = faults_.begin(); it != faults_.end(); ++it) {
    if (it->method != request.method) continue;
    if (request.path.find(it->path) == std::string::npos) continue;
    *fault = *it;
    if (--it->times == 0) faults_.erase(it);
    return true;
  }
  return false;
}

TestAnswer FaultyS3::Answer(const SeenRequest& request) {
  const std::lock_guard lock(mutex_);
  seen_.push_back(request);
  if (const auto wrong = CheckSignature(request, kKeyId, kSecret); !wrong.empty()) {
    return wrong == "another key" ? Error(403, "InvalidAccessKeyId")
                                  : Error(403, "SignatureDoesNotMatch");
  }
  Fault fault;
  if (!TakeFault(request, &fault)) return CarryOut(request);
  TestAnswer done;
  if (fault.carried_out || (fault.status == 0 && !fault.drop)) done = CarryOut(request);
  TestAnswer answer = fault.status == 0 ? done : Error(fault.status, fault.code, fault.extra);
  answer.drop = fault.drop;
  answer.delay_ms = fault.delay_ms;
  answer.headers.insert(fault.headers.begin(), fault.headers.end());
  return answer;
}

TestAnswer FaultyS3::CarryOut(const SeenRequest& request) {
  const std::string path = Decode(request.path);
  const std::string bucket = "/bucket/";
  if (!path.starts_with(bucket)) return Error(404, "NoSuchBucket");
  const std::string key = path.substr(bucket.size());
  if (request.method == "PUT") return DoPut(request, key);
  if (request.method == "POST") return DoPost(request, key);
  if (request.method == "DELETE") return DoDelete(request, key);
  return key.empty() ? List(request) : DoGet(request, key);
}

TestAnswer FaultyS3::DoPut(const SeenRequest& request, const std::string& key) {
  if (const std::string id = Parameter(request, "uploadId"); id != "-") {
    if (!uploads_.contains(id)) return Error(404, "NoSuchUpload");
    uploads_[id].parts[std::atoi(Parameter(request, "partNumber").c_str())] = request.body;
    return {.headers = {{"ETag", Etag(request.body)}}};
  }
  if (request.Header("if-none-match") == "*" && objects_.contains(key)) {
    return Error(412, "PreconditionFailed");
  }
  objects_[key] = request.body;
  return {.headers = {{"ETag", Etag(request.body)}}};
}

TestAnswer FaultyS3::DoPost(const SeenRequest& request, const std::string& key) {
  if (Parameter(request, "uploads") != "-") {
    const std::string id = std::to_string(++next_upload_);
    uploads_[id].key = key;
    return {.body = fmt::format("<InitiateMultipartUploadResult><UploadId>{}</UploadId>"
                                "</InitiateMultipartUploadResult>",
                                id)};
  }
  const std::string id = Parameter(request, "uploadId");
  if (!uploads_.contains(id)) return Error(404, "NoSuchUpload");
  std::string whole;
  for (const auto& [number, bytes] : uploads_[id].parts) whole += bytes;
  objects_[key] = whole;
  uploads_.erase(id);
  return {.body = "<CompleteMultipartUploadResult/>"};
}

TestAnswer FaultyS3::DoDelete(const SeenRequest& request, const std::string& key) {
  if (const std::string id = Parameter(request, "uploadId"); id != "-") {
    return uploads_.erase(id) == 1 ? TestAnswer{.status = 204} : Error(404, "NoSuchUpload");
  }
  objects_.erase(key);
  return {.status = 204};
}

TestAnswer FaultyS3::DoGet(const SeenRequest& request, const std::string& key) {
  const auto found = objects_.find(key);
  if (found == objects_.end()) return Error(404, "NoSuchKey");
  const std::string& bytes = found->second;
  const std::string wanted = request.Header("if-match");
  if (!wanted.empty() && wanted != Etag(bytes)) return Error(412, "PreconditionFailed");
  const std::string range = request.Header("range");
  TestAnswer answer = range.empty() ? TestAnswer{.body = bytes} : Range(bytes, range);
  answer.headers["ETag"] = Etag(bytes);
  return answer;
}

TestAnswer FaultyS3::List(const SeenRequest& request) {
  constexpr int kPage = 3;
  const std::string prefix = Parameter(request, "prefix");
  const std::string token = Parameter(request, "continuation-token");
  const std::string after = token != "-" ? token : Parameter(request, "start-after");
  std::string contents, last;
  int count = 0;
  bool more = false;
  for (const auto& [key, bytes] : objects_) {
    if (!key.starts_with(prefix) || (after != "-" && key <= after)) continue;
    const bool deeper = key.find('/', prefix.size()) != std::string::npos;
    if (Parameter(request, "delimiter") == "/" && deeper) continue;
    more = count == kPage;
    if (more) break;
    ++count;
    last = key;
    contents += fmt::format(
        "<Contents><Key>{}</Key><LastModified>2026-11-24T03:15:00.250Z"
        "</LastModified><Size>{}</Size></Contents>",
        XmlEscaped(key), bytes.size());
  }
  if (more) contents += "<NextContinuationToken>" + last + "</NextContinuationToken>";
  return {.body = fmt::format("<ListBucketResult xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">"
                              "<IsTruncated>{}</IsTruncated>{}</ListBucketResult>",
                              more, contents)};
}

}  // namespace amp::testing
