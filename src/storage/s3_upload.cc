#include "storage/s3_upload.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "core/log.h"
#include "storage/s3_xml.h"

namespace amp::storage {
namespace {

constexpr size_t kPartsOfOneSize = 1'000;
constexpr std::string_view kUploading = "uploading";
constexpr int kNotFound = 404;

}  // namespace

S3Upload::S3Upload(std::shared_ptr<S3Client> client, std::string key)
    : client_(std::move(client)), key_(std::move(key)) {}

S3Upload::~S3Upload() {
  const Status aborted = Abort();
  if (!aborted.ok()) Log().warn("an upload was left unfinished: {}", aborted.message());
}

int64_t S3Upload::PartBytes() const {
  return client_->config().part_bytes << (etags_.size() / kPartsOfOneSize);
}

Status S3Upload::Write(std::shared_ptr<arrow::Buffer> bytes) {
  std::string_view rest(*bytes);
  size_ += bytes->size();
  while (!rest.empty()) {
    const size_t room = static_cast<size_t>(PartBytes()) - pending_.size();
    pending_.append(rest.substr(0, room));
    rest.remove_prefix(std::min(room, rest.size()));
    // A full part waits for more: what it is, the whole or a part, shows then.
    if (!rest.empty()) ARROW_RETURN_NOT_OK(SendPart());
  }
  return Status::OK();
}

Status S3Upload::Begin() {
  const S3Answer answer =
      client_->Send({.method = "POST", .key = key_, .query = {{"uploads", ""}}});
  if (!answer.ok()) return client_->ErrorOf(answer, kUploading, key_);
  return ParseUploadId(answer.response.body).Value(&id_);
}

Status S3Upload::SendPart() {
  if (id_.empty()) ARROW_RETURN_NOT_OK(Begin());
  const S3Answer answer = client_->Send(
      {.method = "PUT",
       .key = key_,
       .query = {{"partNumber", std::to_string(etags_.size() + 1)}, {"uploadId", id_}},
       .body = pending_});
  if (!answer.ok()) return client_->ErrorOf(answer, kUploading, key_);
  etags_.emplace_back(answer.response.Header("etag"));
  pending_.clear();
  return Status::OK();
}

Status S3Upload::PutWhole() {
  const S3Answer answer = client_->Send({.method = "PUT", .key = key_, .body = pending_});
  return answer.ok() ? Status::OK() : client_->ErrorOf(answer, kUploading, key_);
}

// An answer with status 200 may hold an error: the server has begun it before it knew.
Status S3Upload::Complete() {
  ARROW_RETURN_NOT_OK(SendPart());
  const std::string document = CompleteDocument(etags_);
  S3Answer answer = client_->Send(
      {.method = "POST", .key = key_, .query = {{"uploadId", id_}}, .body = document});
  if (answer.ok() && ParseS3Failure(answer.response.body).code.empty()) return Status::OK();
  if (answer.ok()) answer.response.status = 500;
  return CheckIsWhole(answer);
}

// The try before may have completed it, and its answer was lost.
Status S3Upload::CheckIsWhole(const S3Answer& answer) {
  const Status failed = client_->ErrorOf(answer, "completing the upload", key_);
  if (!answer.maybe_done && answer.status() != kNotFound) return failed;
  const S3Answer head = client_->Send({.method = "HEAD", .key = key_});
  const std::string_view length = head.response.Header("content-length");
  int64_t size = -1;
  std::from_chars(length.data(), length.data() + length.size(), size);
  return head.ok() && size == size_ ? Status::OK() : failed;
}

Status S3Upload::Close() {
  if (closed_) return Status::OK();
  ARROW_RETURN_NOT_OK(id_.empty() ? PutWhole() : Complete());
  closed_ = true;
  pending_ = {};
  return Status::OK();
}

Status S3Upload::Abort() {
  if (std::exchange(closed_, true) || id_.empty()) return Status::OK();
  const S3Answer answer =
      client_->Send({.method = "DELETE", .key = key_, .query = {{"uploadId", id_}}});
  if (answer.ok() || answer.status() == kNotFound) return Status::OK();
  return client_->ErrorOf(answer, "aborting the upload", key_);
}

}  // namespace amp::storage
