#include "storage/s3_file.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace amp::storage {
namespace {

constexpr int64_t kTail = 64 << 10;
constexpr int64_t kWindow = 1 << 20;
constexpr size_t kMostWindows = 32;

constexpr int kWhole = 200;
constexpr int kPart = 206;
constexpr int kPreconditionFailed = 412;
constexpr int kRangeNotSatisfiable = 416;

/// "bytes 936-999/1000" → 1000; none where it is no such text.
std::optional<int64_t> SizeOfRange(std::string_view range) {
  const size_t slash = range.find('/');
  if (slash == std::string_view::npos) return std::nullopt;
  range.remove_prefix(slash + 1);
  int64_t size = 0;
  const auto [end, error] = std::from_chars(range.data(), range.data() + range.size(), size);
  if (error != std::errc() || end != range.data() + range.size()) return std::nullopt;
  return size;
}

Status BrokenRange(const std::string& place) {
  return MakeError(
      {.kind = ErrorKind::kProtocol, .operation = "reading", .target = place},
      fmt::format("'{}': the server gives another range of bytes than was asked for", place));
}

}  // namespace

bool S3File::Window::Has(int64_t position, int64_t count) const {
  return bytes != nullptr && position >= start && position + count <= start + bytes->size();
}

S3File::S3File(std::shared_ptr<S3Client> client, std::string key)
    : client_(std::move(client)), key_(std::move(key)) {}

Result<std::shared_ptr<S3File>> S3File::Open(std::shared_ptr<S3Client> client, std::string key) {
  std::shared_ptr<S3File> file(new S3File(std::move(client), std::move(key)));
  ARROW_RETURN_NOT_OK(file->ReadTail());
  return file;
}

Status S3File::ReadTail() {
  S3Answer answer = client_->Send({.key = key_,
                                   .headers = {fmt::format("range: bytes=-{}", kTail)},
                                   .expected_bytes = HttpRequest::kUnknown});
  if (answer.status() == kRangeNotSatisfiable) return Status::OK();  // it is empty
  if (!answer.ok()) return client_->ErrorOf(answer, "opening", key_);
  const auto bytes = static_cast<int64_t>(answer.response.body.size());
  const auto size = answer.status() == kWhole
                        ? std::optional(bytes)
                        : SizeOfRange(answer.response.Header("content-range"));
  if (!size || bytes > *size || (bytes < *size && bytes != kTail)) {
    return BrokenRange(client_->Describe(key_));
  }
  size_ = *size;
  etag_ = answer.response.Header("etag");
  tail_ = {.start = size_ - bytes,
           .bytes = arrow::Buffer::FromString(std::move(answer.response.body))};
  return Status::OK();
}

Result<std::shared_ptr<arrow::Buffer>> S3File::Fetch(int64_t position, int64_t bytes) {
  S3Request request{.key = key_,
                    .headers = {fmt::format("range: bytes={}-{}", position, position + bytes - 1)},
                    .expected_bytes = bytes};
  if (!etag_.empty()) request.headers.push_back("if-match: " + etag_);
  S3Answer answer = client_->Send(request);
  if (answer.status() == kPreconditionFailed) {
    const std::string place = client_->Describe(key_);
    return MakeError({.kind = ErrorKind::kDataInvalid, .operation = "reading", .target = place},
                     fmt::format("'{}' was replaced while it was read; read objects only once "
                                 "they stay as they are",
                                 place));
  }
  if (!answer.ok()) return client_->ErrorOf(answer, "reading", key_);
  auto body = arrow::Buffer::FromString(std::move(answer.response.body));
  if (answer.status() == kPart && body->size() == bytes) return body;
  // A server that knows no ranges gives all.
  if (answer.status() != kWhole || body->size() != size_) {
    return BrokenRange(client_->Describe(key_));
  }
  return arrow::SliceBuffer(body, position, bytes);
}

std::shared_ptr<arrow::Buffer> S3File::Known(int64_t position, int64_t bytes) {
  if (tail_.Has(position, bytes)) {
    return arrow::SliceBuffer(tail_.bytes, position - tail_.start, bytes);
  }
  const std::lock_guard lock(mutex_);
  for (auto window = windows_.begin(); window != windows_.end(); ++window) {
    if (!window->Has(position, bytes)) continue;
    windows_.splice(windows_.begin(), windows_, window);
    return arrow::SliceBuffer(window->bytes, position - window->start, bytes);
  }
  return nullptr;
}

void S3File::Keep(Window window) {
  const std::lock_guard lock(mutex_);
  windows_.push_front(std::move(window));
  if (windows_.size() > kMostWindows) windows_.pop_back();
}

arrow::Result<std::shared_ptr<arrow::Buffer>> S3File::ReadAt(int64_t position, int64_t bytes) {
  if (position < 0 || bytes < 0) return Status::Invalid("a position before the file's start");
  bytes = std::min(bytes, size_ - position);
  if (bytes <= 0) return std::make_shared<arrow::Buffer>(nullptr, 0);
  if (auto known = Known(position, bytes)) return known;
  if (bytes >= kWindow) return Fetch(position, bytes);
  ARROW_ASSIGN_OR_RAISE(auto window, Fetch(position, std::min(kWindow, size_ - position)));
  Keep({.start = position, .bytes = window});
  return arrow::SliceBuffer(window, 0, bytes);
}

arrow::Result<int64_t> S3File::ReadAt(int64_t position, int64_t bytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const auto buffer, ReadAt(position, bytes));
  if (buffer->size() > 0) std::memcpy(out, buffer->data(), static_cast<size_t>(buffer->size()));
  return buffer->size();
}

arrow::Result<std::shared_ptr<arrow::Buffer>> S3File::Read(int64_t bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, ReadAt(position_, bytes));
  position_ += buffer->size();
  return buffer;
}

arrow::Result<int64_t> S3File::Read(int64_t bytes, void* out) {
  ARROW_ASSIGN_OR_RAISE(const int64_t got, ReadAt(position_, bytes, out));
  position_ += got;
  return got;
}

arrow::Status S3File::Seek(int64_t position) {
  if (position < 0) return Status::Invalid("a position before the file's start");
  position_ = position;
  return Status::OK();
}

arrow::Status S3File::Close() {
  const std::lock_guard lock(mutex_);
  closed_ = true;
  windows_.clear();
  return Status::OK();
}

}  // namespace amp::storage
