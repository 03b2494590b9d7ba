#include "pipeline/stream_reader.h"

#include <arrow/record_batch.h>

#include "pipeline/read_ahead.h"

namespace amp {
namespace {

// Even a message without rows takes some memory.
constexpr int64_t kMessageBytes = 256;

int64_t MessageBytes(const StreamMessage& message) {
  return kMessageBytes + (message.batch == nullptr ? 0 : BytesOf(*message.batch));
}

Status Cancelled() { return MakeError(ErrorKind::kCancelled, "the connection was dropped"); }

}  // namespace

void StreamReader::Connect(const std::vector<BlockRange>& resume) {
  Drop();
  session_ = std::make_unique<Session>(max_bytes_);
  session_->thread = std::thread(
      [source = source_, session = session_.get(), resume] { Run(source, session, resume); });
}

void StreamReader::Drop() {
  if (session_ == nullptr) return;
  session_->queue.Abandon();
  {
    const std::lock_guard lock(session_->mutex);
    session_->cancelled = true;
    if (session_->connection != nullptr) session_->connection->Cancel();
  }
  session_->thread.join();
  session_.reset();
}

Result<StreamReader::Outcome> StreamReader::NextUntil(Clock::time_point deadline, Item* out) {
  return session_->queue.PopUntil(deadline, out);
}

void StreamReader::Run(StreamSource* source, Session* session,
                       const std::vector<BlockRange>& resume) {
  session->queue.Finish(WithSide(ReadAll(source, session, resume), ErrorSide::kSource));
}

Status StreamReader::ReadAll(StreamSource* source, Session* session,
                             const std::vector<BlockRange>& resume) {
  ARROW_ASSIGN_OR_RAISE(auto connection, source->Connect(resume));
  {
    const std::lock_guard lock(session->mutex);
    if (session->cancelled) return Cancelled();
    session->connection = std::move(connection);
  }
  if (!session->queue.Push({.schema = session->connection->schema(), .message = {}}, 0)) {
    return Cancelled();
  }
  while (true) {
    ARROW_ASSIGN_OR_RAISE(std::optional<StreamMessage> message, session->connection->Next());
    if (!message) return Status::OK();
    const int64_t bytes = MessageBytes(*message);
    if (!session->queue.Push({.schema = nullptr, .message = *std::move(message)}, bytes)) {
      return Cancelled();
    }
  }
}

}  // namespace amp
