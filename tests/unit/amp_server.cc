#include "unit/amp_server.h"

#include <arrow/buffer.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>

#include <chrono>
#include <deque>
#include <thread>

#include "sources/flight_sql/flight_sql.h"

namespace amp::unit {

namespace flight = arrow::flight;

// Sends a script. Arrow's own streams can neither wait nor change their mind.
class ScriptedStream final : public flight::FlightDataStream {
 public:
  ScriptedStream(const AmpServer* server, size_t part, const flight::ServerCallContext* context)
      : server_(server), answer_(server->answer()), part_(part), context_(context) {}

  std::shared_ptr<arrow::Schema> schema() override { return answer_.schema; }
  arrow::Result<flight::FlightPayload> GetSchemaPayload() override {
    if (answer_.hang_before_schema) Hang();
    return SchemaPayload(*answer_.schema);
  }
  arrow::Result<flight::FlightPayload> Next() override {
    if (dictionaries_.empty()) return NextOfScript();
    flight::FlightPayload payload = std::move(dictionaries_.front());
    dictionaries_.pop_front();
    return payload;
  }

 private:
  arrow::Result<flight::FlightPayload> NextOfScript() {
    if (next_ == answer_.parts[part_].size()) {
      if (answer_.hang_at_end) Hang();
      ARROW_RETURN_NOT_OK(server_->answer().end);
      return flight::FlightPayload{};
    }
    const SentMessage& message = answer_.parts[part_][next_];
    if (message.new_schema != nullptr) {
      ++next_;
      return SchemaPayload(*message.new_schema);
    }
    if (next_ == 0 && !sent_dictionaries_) {
      ARROW_RETURN_NOT_OK(QueueDictionaries(*message.batch));
      if (!dictionaries_.empty()) return Next();
    }
    ++next_;
    return BatchPayload(message);
  }
  static arrow::Result<flight::FlightPayload> BatchPayload(const SentMessage& message) {
    flight::FlightPayload payload;
    if (message.app_metadata) {
      payload.app_metadata = arrow::Buffer::FromString(*message.app_metadata);
    }
    ARROW_RETURN_NOT_OK(arrow::ipc::GetRecordBatchPayload(
        *message.batch, arrow::ipc::IpcWriteOptions::Defaults(), &payload.ipc_message));
    return payload;
  }
  arrow::Status QueueDictionaries(const arrow::RecordBatch& batch) {
    sent_dictionaries_ = true;
    const arrow::ipc::DictionaryFieldMapper mapper(*answer_.schema);
    ARROW_ASSIGN_OR_RAISE(const auto found, arrow::ipc::CollectDictionaries(batch, mapper));
    for (const auto& [id, dictionary] : found) {
      ARROW_RETURN_NOT_OK(
          arrow::ipc::GetDictionaryPayload(id, dictionary, arrow::ipc::IpcWriteOptions::Defaults(),
                                           &dictionaries_.emplace_back().ipc_message));
    }
    return arrow::Status::OK();
  }
  static arrow::Result<flight::FlightPayload> SchemaPayload(const arrow::Schema& schema) {
    flight::FlightPayload payload;
    const arrow::ipc::DictionaryFieldMapper mapper(schema);
    ARROW_RETURN_NOT_OK(arrow::ipc::GetSchemaPayload(
        schema, arrow::ipc::IpcWriteOptions::Defaults(), mapper, &payload.ipc_message));
    return payload;
  }
  void Hang() const {
    while (!server_->stopping_ && !server_->ending_ && !context_->is_cancelled()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }

  const AmpServer* server_;
  const Answer answer_;
  const size_t part_;
  const flight::ServerCallContext* context_;
  size_t next_ = 0;
  bool sent_dictionaries_ = false;
  std::deque<flight::FlightPayload> dictionaries_;
};

std::unique_ptr<AmpServer> AmpServer::Start(Answer answer, const std::optional<Tls>& tls) {
  auto server = std::make_unique<AmpServer>();
  server->SetAnswer(std::move(answer));
  server->tls_ = tls.has_value();
  auto location = tls ? flight::Location::ForGrpcTls("127.0.0.1", 0)
                      : flight::Location::ForGrpcTcp("127.0.0.1", 0);
  flight::FlightServerOptions options(location.ValueOrDie());
  if (tls) {
    options.tls_certificates = {{.pem_cert = tls->cert, .pem_key = tls->key}};
    options.verify_client = !tls->client_roots.empty();
    options.root_certificates = tls->client_roots;
  }
  const Status started = server->Init(options);
  if (!started.ok()) started.Abort("the test server does not start");
  return server;
}

AmpServer::~AmpServer() {
  stopping_ = true;
  const auto now = std::chrono::system_clock::now();
  (void)Shutdown(&now).ok();
}

std::string AmpServer::Url() const {
  return (tls_ ? "grpc+tls://127.0.0.1:" : "grpc://127.0.0.1:") + std::to_string(port());
}

std::map<std::string, std::string> AmpServer::headers() const {
  const std::lock_guard lock(mutex_);
  return headers_;
}

std::string AmpServer::query() const {
  const std::lock_guard lock(mutex_);
  return query_;
}

Answer AmpServer::answer() const {
  const std::lock_guard lock(mutex_);
  return answer_;
}

void AmpServer::SetAnswer(Answer answer) {
  if (answer.schema == nullptr) answer.schema = answer.announced;
  const std::lock_guard lock(mutex_);
  answer_ = std::move(answer);
}

void AmpServer::EndWith(Status status) {
  const std::lock_guard lock(mutex_);
  answer_.end = std::move(status);
  ending_ = true;
}

void AmpServer::Record(const flight::ServerCallContext& context, const std::string& prefix) {
  ++calls_;
  const std::lock_guard lock(mutex_);
  if (prefix.empty()) headers_.clear();
  for (const auto& [name, value] : context.incoming_headers()) {
    headers_[prefix + std::string(name)] = std::string(value);
  }
}

arrow::Status AmpServer::GetFlightInfo(const flight::ServerCallContext& context,
                                       const flight::FlightDescriptor& request,
                                       std::unique_ptr<flight::FlightInfo>* info) {
  Record(context, "");
  const Answer answer = this->answer();
  if (!answer.wanted_token.empty() &&
      headers()["authorization"] != "Bearer " + answer.wanted_token) {
    return flight::MakeFlightError(flight::FlightStatusCode::Unauthenticated,
                                   "no such token: " + headers()["authorization"]);
  }
  ARROW_RETURN_NOT_OK(answer.info);
  {
    ARROW_ASSIGN_OR_RAISE(std::string query, DecodeStatementQuery(request.cmd));
    const std::lock_guard lock(mutex_);
    query_ = std::move(query);
  }
  std::vector<flight::FlightEndpoint> endpoints;
  for (size_t part = 0; part < answer.parts.size(); ++part) {
    flight::FlightEndpoint endpoint;
    endpoint.ticket.ticket = std::to_string(part);
    for (const std::string& location : answer.locations) {
      ARROW_ASSIGN_OR_RAISE(auto parsed, flight::Location::Parse(location));
      endpoint.locations.push_back(std::move(parsed));
    }
    endpoints.push_back(std::move(endpoint));
  }
  if (answer.announced == nullptr) {
    flight::FlightInfo::Data data;
    data.descriptor = request;
    data.endpoints = endpoints;
    *info = std::make_unique<flight::FlightInfo>(std::move(data));
    return arrow::Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(auto made,
                        flight::FlightInfo::Make(*answer.announced, request, endpoints, -1, -1));
  *info = std::make_unique<flight::FlightInfo>(std::move(made));
  return arrow::Status::OK();
}

arrow::Status AmpServer::DoGet(const flight::ServerCallContext& context,
                               const flight::Ticket& request,
                               std::unique_ptr<flight::FlightDataStream>* stream) {
  Record(context, "DoGet ");
  *stream = std::make_unique<ScriptedStream>(this, std::stoul(request.ticket), &context);
  return arrow::Status::OK();
}

}  // namespace amp::unit
