#include "storage/s3_store.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>

#include "storage/paths.h"
#include "storage/s3_file.h"
#include "storage/s3_upload.h"
#include "storage/s3_xml.h"
#include "storage/sha256.h"

namespace amp::storage {
namespace {

constexpr int kNotFound = 404;
constexpr int kPreconditionFailed = 412;
constexpr size_t kMostDeletes = 1'000;  // in one request

// Without an object it may still come, so that nobody knows.
Status AnswerLost(const Status& failed, bool is_absent) {
  ErrorInfo info = ErrorInfoOf(failed);
  info.kind = ErrorKind::kCommitUnknown;
  info.retryable = true;
  return MakeError(std::move(info),
                   fmt::format("{}. The answer was lost: {}", failed.message(),
                               is_absent ? "the object is not there yet, and may still come"
                                         : "whether it is there could not be found out"));
}

}  // namespace

S3Store::S3Store(std::shared_ptr<S3Client> client, const std::string& prefix)
    : client_(std::move(client)), prefix_(AsFolder(prefix)) {}

Result<std::string> S3Store::KeyOf(const std::string& path) const {
  ARROW_RETURN_NOT_OK(CheckPath(path, *this));
  return prefix_ + path;
}

Result<std::shared_ptr<arrow::Buffer>> S3Store::Read(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const std::string key, KeyOf(path));
  S3Answer answer = client_->Send({.key = key, .expected_bytes = HttpRequest::kUnknown});
  if (!answer.ok()) return client_->ErrorOf(answer, "reading", key);
  return arrow::Buffer::FromString(std::move(answer.response.body));
}

Result<std::shared_ptr<arrow::io::RandomAccessFile>> S3Store::Open(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::string key, KeyOf(path));
  return S3File::Open(client_, std::move(key));
}

Result<std::vector<ObjectInfo>> S3Store::List(const std::string& folder,
                                              const ListOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const std::string prefix, KeyOf(AsFolder(folder)));
  std::vector<ObjectInfo> found;
  std::string next;
  do {
    S3Request request{.expected_bytes = HttpRequest::kUnknown};
    if (!next.empty()) request.query.emplace_back("continuation-token", next);
    if (!options.recursive) request.query.emplace_back("delimiter", "/");
    request.query.emplace_back("list-type", "2");
    request.query.emplace_back("prefix", prefix);
    if (!options.after.empty()) request.query.emplace_back("start-after", prefix_ + options.after);
    const S3Answer answer = client_->Send(request);
    if (!answer.ok()) return client_->ErrorOf(answer, "listing", prefix);
    ARROW_ASSIGN_OR_RAISE(S3Page page, ParseS3Page(answer.response.body));
    for (ObjectInfo& object : page.objects) {
      object.path = object.path.substr(prefix_.size());
      // Some consoles make empty objects for folders.
      if (!object.path.ends_with('/') && object.path > options.after) {
        found.push_back(std::move(object));
      }
    }
    next = std::move(page.next);
  } while (!next.empty());
  std::sort(found.begin(), found.end(),
            [](const ObjectInfo& a, const ObjectInfo& b) { return a.path < b.path; });
  return found;
}

Result<PutOutcome> S3Store::PutIfAbsent(const std::string& path, std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(const std::string key, KeyOf(path));
  const S3Answer answer =
      client_->Send({.method = "PUT", .key = key, .headers = {"if-none-match: *"}, .body = bytes});
  if (answer.ok()) return PutOutcome::kWritten;
  const bool refused = answer.status() == kPreconditionFailed;
  const Status failed = client_->ErrorOf(answer, "writing, where there is none yet,", key);
  if (!refused && !answer.maybe_done) return failed;
  // "Exists" may mean our own object: by a try whose answer was lost, also one that curl has
  // repeated by itself, as it does where a kept connection turns out to be dead.
  const S3Answer there = client_->Send({.key = key, .expected_bytes = HttpRequest::kUnknown});
  if (there.ok() && there.response.body == bytes) return PutOutcome::kWritten;
  if (there.ok() || (refused && !answer.maybe_done)) return PutOutcome::kExists;
  return AnswerLost(failed, there.status() == kNotFound);
}

Status S3Store::Put(const std::string& path, std::string_view bytes) {
  ARROW_ASSIGN_OR_RAISE(const std::string key, KeyOf(path));
  const S3Answer answer = client_->Send({.method = "PUT", .key = key, .body = bytes});
  return answer.ok() ? Status::OK() : client_->ErrorOf(answer, "writing", key);
}

Result<std::unique_ptr<OutputObject>> S3Store::Create(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(std::string key, KeyOf(path));
  return std::make_unique<S3Upload>(client_, std::move(key));
}

Status S3Store::Delete(const std::vector<std::string>& paths) {
  std::vector<std::string> keys;
  for (size_t i = 0; i < paths.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(std::string key, KeyOf(paths[i]));
    keys.push_back(std::move(key));
    if (keys.size() < kMostDeletes && i + 1 < paths.size()) continue;
    ARROW_RETURN_NOT_OK(keys.size() == 1 ? DeleteOne(keys[0]) : DeleteSome(keys));
    keys.clear();
  }
  return Status::OK();
}

Status S3Store::DeleteOne(const std::string& key) {
  const S3Answer answer = client_->Send({.method = "DELETE", .key = key});
  const bool gone = answer.ok() || (answer.status() == kNotFound &&
                                    ParseS3Failure(answer.response.body).code != "NoSuchBucket");
  return gone ? Status::OK() : client_->ErrorOf(answer, "deleting", key);
}

Status S3Store::DeleteSome(const std::vector<std::string>& keys) {
  const std::string document = DeleteDocument(keys);
  S3Answer answer = client_->Send({.method = "POST",
                                   .query = {{"delete", ""}},
                                   .headers = {"content-md5: " + Md5Base64(document)},
                                   .body = document});
  if (!answer.ok()) return client_->ErrorOf(answer, "deleting", prefix_);
  ARROW_ASSIGN_OR_RAISE(const S3NotDeleted kept, ParseDeleteResult(answer.response.body));
  if (kept.key.empty()) return Status::OK();
  // Each object has a status of its own; the one that was refused is told as if asked for alone.
  return DeleteOne(kept.key);
}

std::string S3Store::Describe(std::string_view path) const {
  std::string place = prefix_ + std::string(path);
  if (path.empty() && place.ends_with('/')) place.pop_back();
  return client_->Describe(place);
}

}  // namespace amp::storage
