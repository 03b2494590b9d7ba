#pragma once

#include <arrow/ipc/type_fwd.h>
#include <arrow/type_fwd.h>

#include <deque>
#include <memory>
#include <optional>

#include "sources/amp/channel.h"
#include "sources/amp/flight_error.h"

namespace amp {

/// One message of a DoGet stream.
struct FlightMessage {
  std::shared_ptr<arrow::RecordBatch> batch;    ///< null where there is only metadata
  std::shared_ptr<arrow::Buffer> app_metadata;  ///< null where there is none
};

/// What is known of an answer before it comes.
struct FlightExpectations {
  std::shared_ptr<arrow::Schema> schema;  ///< every batch shall have it
  int64_t max_message_size = 0;           ///< in bytes; 0: any
  FlightCallFacts facts;
};

/// The answer to one DoGet. Belongs to one thread, but for Cancel.
class FlightStream {
 public:
  /// Asks for the stream.
  static Result<std::shared_ptr<FlightStream>> Open(std::shared_ptr<FlightTransport> transport,
                                                    const arrow::flight::FlightCallOptions& options,
                                                    const arrow::flight::Ticket& ticket,
                                                    FlightExpectations expected);
  FlightStream(const FlightStream&) = delete;
  FlightStream& operator=(const FlightStream&) = delete;
  ~FlightStream();

  /// Waits for the next message; none at the end. Errors: SchemaMismatch where the schema is or
  /// becomes another one, DataInvalid for a message that is too large, Protocol for what is no
  /// Arrow data, or what ended the call.
  Result<std::optional<FlightMessage>> Next();
  /// Makes Next return soon, with any error or the end.
  void Cancel() { stream_->TryCancel(); }
  /// Has the server sent anything yet?
  bool started() const { return !facts_.connecting; }

 private:
  class Pending;
  using Message = arrow::ipc::Message;

  FlightStream(std::shared_ptr<FlightTransport> transport,
               std::unique_ptr<arrow::flight::internal::ClientDataStream> stream,
               FlightExpectations expected);
  Status CheckSize(const arrow::flight::internal::FlightData& data) const;
  Status Ended();
  Result<std::shared_ptr<arrow::RecordBatch>> Take(arrow::flight::internal::FlightData* data);
  Status TakeSchema(std::unique_ptr<Message> message);
  Result<std::shared_ptr<arrow::RecordBatch>> TakeBatch();
  Status Unreadable(const Status& why) const;

  std::shared_ptr<FlightTransport> transport_;
  std::unique_ptr<arrow::flight::internal::ClientDataStream> stream_;
  const std::shared_ptr<arrow::Schema> schema_;
  const int64_t max_message_size_;
  FlightCallFacts facts_;
  std::deque<std::unique_ptr<Message>> pending_;  ///< what `reader_` has not read yet
  std::shared_ptr<arrow::ipc::RecordBatchStreamReader> reader_;
  bool finished_ = false;
};

}  // namespace amp
