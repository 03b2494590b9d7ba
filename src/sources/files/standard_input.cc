#include "sources/files/standard_input.h"

#include <arrow/buffer.h>
#include <poll.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "amp/error.h"

namespace amp {
namespace {

constexpr int kPollMilliseconds = 100;

Status Stopped() {
  return MakeError({.kind = ErrorKind::kCancelled, .side = ErrorSide::kSource},
                   "stopped on request; the load was rolled back and nothing of it is stored");
}

}  // namespace

arrow::Status StandardInput::Close() {
  closed_ = true;
  return Status::OK();
}

// Fills the whole of `out` unless the input ends before: readers take less for the end.
arrow::Result<int64_t> StandardInput::Read(int64_t bytes, void* out) {
  int64_t filled = 0;
  while (filled < bytes) {
    pollfd wait{.fd = STDIN_FILENO, .events = POLLIN, .revents = 0};
    const int ready = poll(&wait, 1, kPollMilliseconds);
    if (stop_ != nullptr && stop_->load()) return Stopped();
    if (ready <= 0) continue;
    const ssize_t got =
        read(STDIN_FILENO, static_cast<char*>(out) + filled, static_cast<size_t>(bytes - filled));
    if (got == 0) break;
    if (got < 0 && errno != EINTR) return Status::IOError(std::strerror(errno));
    filled += std::max<ssize_t>(got, 0);
  }
  position_ += filled;
  return filled;
}

arrow::Result<std::shared_ptr<arrow::Buffer>> StandardInput::Read(int64_t bytes) {
  ARROW_ASSIGN_OR_RAISE(auto buffer, arrow::AllocateResizableBuffer(bytes));
  ARROW_ASSIGN_OR_RAISE(const int64_t filled, Read(bytes, buffer->mutable_data()));
  ARROW_RETURN_NOT_OK(buffer->Resize(filled, /*shrink_to_fit=*/false));
  return std::shared_ptr<arrow::Buffer>(std::move(buffer));
}

}  // namespace amp
