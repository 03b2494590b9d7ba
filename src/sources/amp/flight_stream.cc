#include "sources/amp/flight_stream.h"

#include <arrow/buffer.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/message.h>
#include <arrow/ipc/reader.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "core/log.h"

namespace amp {
namespace {

using arrow::flight::FlightCallOptions;
using arrow::flight::internal::ClientDataStream;
using arrow::flight::internal::FlightData;
using arrow::ipc::MessageType;

// A copy of our own. gRPC's buffers come from malloc, each of another size of some megabytes: where
// many wait at once, as in a queue, the holes between them come to as much as the buffers. So each
// goes back before the next one comes. A copy also lies aligned, which else is mended column by
// column.
Status TakeBody(FlightData* data) {
  if (data->body == nullptr || data->body->size() == 0) return Status::OK();
  return arrow::Buffer::Copy(data->body, arrow::default_cpu_memory_manager()).Value(&data->body);
}

// Encoders read values where they lie, and a server may put them anywhere.
arrow::ipc::IpcReadOptions ReadOptionsForGrpc() {
  auto options = arrow::ipc::IpcReadOptions::Defaults();
  options.ensure_alignment = arrow::ipc::Alignment::kDataTypeSpecificAlignment;
  return options;
}

// Can rows of `given` pass for rows of `wanted`? A column may promise more than was announced.
bool Fits(const arrow::Field& given, const arrow::Field& wanted) {
  return given.name() == wanted.name() && given.type()->Equals(*wanted.type()) &&
         (wanted.nullable() || !given.nullable());
}

std::string Shown(const arrow::Field& field) {
  return fmt::format("'{}' {}{}", field.name(), field.type()->ToString(),
                     field.nullable() ? "" : " not null");
}

// What keeps batches of `given` from being batches of `wanted`; empty: nothing.
std::string Difference(const arrow::Schema& given, const arrow::Schema& wanted) {
  if (given.num_fields() != wanted.num_fields()) {
    return fmt::format("{} columns instead of {}", given.num_fields(), wanted.num_fields());
  }
  for (int i = 0; i < given.num_fields(); ++i) {
    if (Fits(*given.field(i), *wanted.field(i))) continue;
    return fmt::format("column {} is {} instead of {}", i + 1, Shown(*given.field(i)),
                       Shown(*wanted.field(i)));
  }
  return {};
}

}  // namespace

// Gives Arrow's reader the messages that we have looked at.
class FlightStream::Pending final : public arrow::ipc::MessageReader {
 public:
  explicit Pending(std::deque<std::unique_ptr<Message>>* messages) : messages_(messages) {}
  Result<std::unique_ptr<Message>> ReadNextMessage() override {
    if (messages_->empty()) return nullptr;
    std::unique_ptr<Message> message = std::move(messages_->front());
    messages_->pop_front();
    return message;
  }

 private:
  std::deque<std::unique_ptr<Message>>* messages_;
};

FlightStream::FlightStream(std::shared_ptr<FlightTransport> transport,
                           std::unique_ptr<ClientDataStream> stream, FlightExpectations expected)
    : transport_(std::move(transport)),
      stream_(std::move(stream)),
      schema_(std::move(expected.schema)),
      max_message_size_(expected.max_message_size),
      facts_(std::move(expected.facts)) {}

Result<std::shared_ptr<FlightStream>> FlightStream::Open(std::shared_ptr<FlightTransport> transport,
                                                         const FlightCallOptions& options,
                                                         const arrow::flight::Ticket& ticket,
                                                         FlightExpectations expected) {
  std::unique_ptr<ClientDataStream> stream;
  const Status status = transport->DoGet(options, ticket, &stream);
  if (!status.ok()) return FlightError(status, expected.facts);
  return std::shared_ptr<FlightStream>(
      new FlightStream(std::move(transport), std::move(stream), std::move(expected)));
}

FlightStream::~FlightStream() {
  if (finished_) return;
  stream_->TryCancel();
  // We have ended it ourselves: what the server says of that changes nothing.
  const Status status = stream_->Finish(Status::OK());
  if (!status.ok())
    Log().debug("ending a stream: {}",
                status.code() == arrow::StatusCode::Cancelled ? "cancelled" : "it had failed");
}

Status FlightStream::Ended() {
  finished_ = true;
  const Status status = stream_->Finish(Status::OK());
  return status.ok() ? status : FlightError(status, facts_);
}

Result<std::optional<FlightMessage>> FlightStream::Next() {
  while (!finished_) {
    FlightData data;
    if (!stream_->ReadData(&data)) {
      ARROW_RETURN_NOT_OK(Ended());
      break;
    }
    facts_.connecting = false;
    ARROW_RETURN_NOT_OK(CheckSize(data));
    if (data.metadata == nullptr) {
      if (data.app_metadata == nullptr) continue;
      return FlightMessage{.batch = nullptr, .app_metadata = std::move(data.app_metadata)};
    }
    ARROW_ASSIGN_OR_RAISE(auto batch, Take(&data));
    if (batch == nullptr) continue;
    return FlightMessage{.batch = std::move(batch), .app_metadata = std::move(data.app_metadata)};
  }
  return std::nullopt;
}

// gRPC has a limit of its own, and calls what exceeds it "cancelled", without a word.
Status FlightStream::CheckSize(const FlightData& data) const {
  int64_t size = 0;
  for (const auto* buffer : {&data.metadata, &data.body, &data.app_metadata}) {
    if (*buffer != nullptr) size += (*buffer)->size();
  }
  if (max_message_size_ == 0 || size <= max_message_size_) return Status::OK();
  return MakeError({.kind = ErrorKind::kDataInvalid,
                    .side = ErrorSide::kSource,
                    .operation = std::string(facts_.operation),
                    .target = facts_.server},
                   fmt::format("Amp server {} sent a message of {} bytes, more than the option "
                               "max_message_size allows; raise it",
                               facts_.server, size));
}

// Null for messages that lead to a batch: the schema and dictionaries.
Result<std::shared_ptr<arrow::RecordBatch>> FlightStream::Take(FlightData* data) {
  ARROW_RETURN_NOT_OK(TakeBody(data));
  auto message = data->OpenMessage();
  if (!message.ok()) return Unreadable(message.status());
  switch ((*message)->type()) {
    case MessageType::SCHEMA:
      ARROW_RETURN_NOT_OK(TakeSchema(std::move(*message)));
      return nullptr;
    case MessageType::DICTIONARY_BATCH:
      pending_.push_back(std::move(*message));
      return nullptr;
    case MessageType::RECORD_BATCH:
      pending_.push_back(std::move(*message));
      return TakeBatch();
    default:
      return Unreadable(Status::Invalid("neither schema nor rows"));
  }
}

Status FlightStream::TakeSchema(std::unique_ptr<Message> message) {
  arrow::ipc::DictionaryMemo memo;
  const auto schema = arrow::ipc::ReadSchema(*message, &memo);
  if (!schema.ok()) return Unreadable(schema.status());
  if (const std::string difference = Difference(**schema, *schema_); !difference.empty()) {
    return MakeError(
        {.kind = ErrorKind::kSchemaMismatch,
         .side = ErrorSide::kSource,
         .operation = std::string(facts_.operation),
         .target = facts_.server},
        fmt::format("the rows from Amp server {} have another schema than it announced for the "
                    "query: {}; start again, with a new table if the query's columns have changed",
                    facts_.server, difference));
  }
  if (reader_ != nullptr) return Status::OK();  // said once more
  pending_.push_back(std::move(message));
  auto reader = arrow::ipc::RecordBatchStreamReader::Open(std::make_unique<Pending>(&pending_),
                                                          ReadOptionsForGrpc());
  if (!reader.ok()) return Unreadable(reader.status());
  reader_ = std::move(*reader);
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> FlightStream::TakeBatch() {
  if (reader_ == nullptr) return Unreadable(Status::Invalid("rows before the schema"));
  std::shared_ptr<arrow::RecordBatch> batch;
  Status status = reader_->ReadNext(&batch);
  if (status.ok() && batch == nullptr) status = Status::Invalid("a dictionary is missing");
  // Offsets and lengths come from outside, and encoders trust them.
  if (status.ok()) status = batch->ValidateFull();
  if (!status.ok()) return Unreadable(status);
  const auto announced = batch->ReplaceSchema(schema_);
  return announced.ok() ? announced : Unreadable(announced.status());
}

Status FlightStream::Unreadable(const Status& why) const {
  return MakeError({.kind = ErrorKind::kProtocol,
                    .side = ErrorSide::kSource,
                    .operation = std::string(facts_.operation),
                    .target = facts_.server},
                   fmt::format("Amp server {} sent a message that is no Arrow data: {}; tell those "
                               "who run it",
                               facts_.server, why.message()));
}

}  // namespace amp
