#pragma once

#include <chrono>
#include <memory>
#include <mutex>
#include <thread>

#include "amp/stream_source.h"
#include "pipeline/bounded_queue.h"

namespace amp {

/// Reads a stream on a thread of its own, one connection at a time. Belongs to one thread.
class StreamReader {
 public:
  using Clock = std::chrono::steady_clock;

  /// The first item of a connection is its schema, without a message.
  struct Item {
    std::shared_ptr<arrow::Schema> schema;
    StreamMessage message;
  };
  using Outcome = BoundedQueue<Item>::Outcome;

  StreamReader(StreamSource* source, int64_t max_bytes) : source_(source), max_bytes_(max_bytes) {}
  ~StreamReader() { Drop(); }
  StreamReader(const StreamReader&) = delete;
  StreamReader& operator=(const StreamReader&) = delete;

  /// Asks the source to go on after `resume`; what an earlier connection still sends is dropped.
  void Connect(const std::vector<BlockRange>& resume);
  void Drop();
  bool active() const { return session_ != nullptr; }

  /// The next item. kEnd: the source has ended the stream. Errors of the source are marked as such.
  Result<Outcome> NextUntil(Clock::time_point deadline, Item* out);
  int64_t queued_bytes() const { return session_ == nullptr ? 0 : session_->queue.bytes(); }

 private:
  struct Session {
    explicit Session(int64_t max_bytes) : queue(max_bytes) {}
    BoundedQueue<Item> queue;
    std::mutex mutex;
    std::unique_ptr<StreamConnection> connection;  ///< guarded until it is set
    bool cancelled = false;
    std::thread thread;
  };

  static void Run(StreamSource* source, Session* session, const std::vector<BlockRange>& resume);
  static Status ReadAll(StreamSource* source, Session* session,
                        const std::vector<BlockRange>& resume);

  StreamSource* source_;
  int64_t max_bytes_;
  std::unique_ptr<Session> session_;
};

}  // namespace amp
