#include "sources/simulated/server.h"

#include <arrow/flight/api.h>
#include <arrow/ipc/writer.h>

#include "core/text.h"
#include "sources/flight_sql/flight_sql.h"
#include "sources/simulated/messages.h"
#include "sources/simulated/tickets.h"

namespace amp {
namespace {

namespace flight = arrow::flight;

// How long calls may go on after the server is asked to stop.
constexpr std::chrono::seconds kStopWithin{2};

// An error as gRPC's codes know it.
Status ToFlight(const Status& status) {
  using flight::FlightStatusCode;
  const std::string& text = status.message();
  switch (KindOf(status)) {
    case ErrorKind::kConfigInvalid:
    case ErrorKind::kDataInvalid:
    case ErrorKind::kUnsupported:
      return Status::Invalid(text);
    case ErrorKind::kNotFound:
      return Status::KeyError(text);
    case ErrorKind::kUnauthenticated:
      return flight::MakeFlightError(FlightStatusCode::Unauthenticated, text);
    case ErrorKind::kUnavailable:
      return flight::MakeFlightError(FlightStatusCode::Unavailable, text);
    case ErrorKind::kCancelled:
      return flight::MakeFlightError(FlightStatusCode::Cancelled, text);
    default:
      return flight::MakeFlightError(FlightStatusCode::Internal, text);
  }
}

std::optional<std::string_view> Header(const flight::ServerCallContext& context,
                                       std::string_view name) {
  const auto found = context.incoming_headers().find(name);
  if (found == context.incoming_headers().end()) return std::nullopt;
  return found->second;
}

/// An answer on the wire.
class AnswerStream final : public flight::FlightDataStream {
 public:
  explicit AnswerStream(std::unique_ptr<SimulatedMessages> messages)
      : messages_(std::move(messages)), mapper_(*messages_->schema()) {}

  std::shared_ptr<arrow::Schema> schema() override { return messages_->schema(); }

  Result<flight::FlightPayload> GetSchemaPayload() override {
    flight::FlightPayload payload;
    ARROW_RETURN_NOT_OK(
        arrow::ipc::GetSchemaPayload(*schema(), options_, mapper_, &payload.ipc_message));
    return payload;
  }

  Result<flight::FlightPayload> Next() override {
    flight::FlightPayload payload;
    if (!waiting_) {
      auto next = messages_->Next();
      if (!next.ok()) return ToFlight(next.status());
      waiting_ = std::move(*next);
      if (!waiting_) return payload;  // no metadata, no message: the end
      if (waiting_->new_schema) {
        ARROW_RETURN_NOT_OK(arrow::ipc::GetSchemaPayload(*waiting_->batch->schema(), options_,
                                                         mapper_, &payload.ipc_message));
        return payload;
      }
    }
    const SimulatedMessage message = *std::exchange(waiting_, std::nullopt);
    ARROW_RETURN_NOT_OK(
        arrow::ipc::GetRecordBatchPayload(*message.batch, options_, &payload.ipc_message));
    if (!message.metadata.empty()) {
      payload.app_metadata = arrow::Buffer::FromString(message.metadata);
    }
    return payload;
  }

 private:
  std::unique_ptr<SimulatedMessages> messages_;
  arrow::ipc::IpcWriteOptions options_ = arrow::ipc::IpcWriteOptions::Defaults();
  arrow::ipc::DictionaryFieldMapper mapper_;
  std::optional<SimulatedMessage> waiting_;
};

}  // namespace

class SimulatedServer::Flight final : public flight::FlightServerBase {
 public:
  explicit Flight(const SimulationOptions& options) : state_(options) {}

  Status Listen();
  Status Stop();
  SimulationState& state() { return state_; }

  Status GetFlightInfo(const flight::ServerCallContext& context,
                       const flight::FlightDescriptor& descriptor,
                       std::unique_ptr<flight::FlightInfo>* info) override {
    auto made = MakeInfo(context, descriptor);
    if (!made.ok()) return ToFlight(made.status());
    *info = std::make_unique<flight::FlightInfo>(std::move(*made));
    return Status::OK();
  }

  Status GetSchema(const flight::ServerCallContext& context,
                   const flight::FlightDescriptor& descriptor,
                   std::unique_ptr<flight::SchemaResult>* schema) override {
    std::unique_ptr<flight::FlightInfo> info;
    ARROW_RETURN_NOT_OK(GetFlightInfo(context, descriptor, &info));
    arrow::ipc::DictionaryMemo memo;
    ARROW_ASSIGN_OR_RAISE(const auto known, info->GetSchema(&memo));
    return flight::SchemaResult::Make(*known).Value(schema);
  }

  Status DoGet(const flight::ServerCallContext& context, const flight::Ticket& ticket,
               std::unique_ptr<flight::FlightDataStream>* stream) override {
    auto opened = OpenAnswer(context, ticket);
    if (!opened.ok()) return ToFlight(opened.status());
    *stream = std::make_unique<AnswerStream>(std::move(*opened));
    return Status::OK();
  }

 private:
  const SimulationOptions& options() const { return state_.simulation.options(); }

  Status CheckToken(const flight::ServerCallContext& context) const {
    const auto& tokens = options().tokens;
    if (tokens.empty()) return Status::OK();
    const std::string& token = tokens[std::min<size_t>(state_.tokens_expired, tokens.size() - 1)];
    if (Header(context, "authorization") == "Bearer " + token) return Status::OK();
    return MakeError(ErrorKind::kUnauthenticated,
                     "the token is missing or wrong; send the header authorization: Bearer TOKEN");
  }

  Result<SimulatedRequest> ReadRequest(const flight::ServerCallContext& context,
                                       const flight::FlightDescriptor& descriptor) {
    if (descriptor.type != flight::FlightDescriptor::CMD) {
      return MakeError(ErrorKind::kUnsupported, "only descriptors of the type CMD are answered");
    }
    ARROW_ASSIGN_OR_RAISE(const std::string sql, DecodeStatementQuery(descriptor.cmd));
    SimulatedRequest request;
    ARROW_ASSIGN_OR_RAISE(request.query, ParseSimulatedQuery(sql, options().networks));
    request.stream = request.query.stream || Header(context, "amp-stream") == "true";
    if (request.stream) ARROW_RETURN_NOT_OK(CheckStreamable(request.query));
    if (const auto resume = Header(context, "amp-resume"); resume && request.stream) {
      ARROW_ASSIGN_OR_RAISE(request.resume, ParseResume(*resume));
    }
    request.tick = state_.clock.Now();
    return request;
  }

  /// A bounded query as several of fewer blocks each.
  std::vector<SimulatedRequest> Split(const SimulatedRequest& request) const {
    const uint64_t pieces = options().endpoints;
    if (request.stream || pieces == 1 || request.query.limit) return {request};
    const uint64_t first = request.query.first_block;
    const uint64_t head =
        std::min(request.query.last_block,
                 std::max<uint64_t>(state_.simulation.Events(0, request.tick), 1) - 1);
    if (head < first) return {request};
    std::vector<SimulatedRequest> split;
    for (uint64_t piece = 0; piece < pieces; ++piece) {
      const uint64_t from = first + (head - first + 1) * piece / pieces;
      const uint64_t to = first + (head - first + 1) * (piece + 1) / pieces;
      if (from == to) continue;
      split.push_back(request);
      split.back().query.first_block = from;
      split.back().query.last_block = to - 1;
    }
    return split;
  }

  Result<flight::FlightInfo> MakeInfo(const flight::ServerCallContext& context,
                                      const flight::FlightDescriptor& descriptor) {
    ARROW_RETURN_NOT_OK(CheckToken(context));
    ARROW_ASSIGN_OR_RAISE(const SimulatedRequest request, ReadRequest(context, descriptor));
    const SimulatedQuery& query = request.query;
    ARROW_ASSIGN_OR_RAISE(const RowMaker rows, RowMaker::Make(&options(), query.table,
                                                              query.with_network, query.columns));
    MicrobatchPlanner planner(&state_.simulation, query, !request.stream, 0);
    ARROW_RETURN_NOT_OK(planner.Resume(request.resume).status());
    std::vector<flight::FlightEndpoint> endpoints;
    for (const SimulatedRequest& piece : Split(request)) {
      flight::FlightEndpoint endpoint;
      endpoint.ticket.ticket = MakeTicket(piece);
      endpoints.push_back(std::move(endpoint));
    }
    return flight::FlightInfo::Make(*rows.schema(), descriptor, endpoints, -1, -1);
  }

  Result<std::unique_ptr<SimulatedMessages>> OpenAnswer(const flight::ServerCallContext& context,
                                                        const flight::Ticket& ticket) {
    ARROW_RETURN_NOT_OK(CheckToken(context));
    ARROW_ASSIGN_OR_RAISE(SimulatedRequest request, ReadTicket(ticket.ticket));
    request.tick = std::min(request.tick, state_.clock.Now());
    for (const std::string& network : request.query.networks) {
      if (std::find(options().networks.begin(), options().networks.end(), network) ==
          options().networks.end()) {
        return MakeError(ErrorKind::kConfigInvalid, "the ticket is not one of this server's");
      }
    }
    // The context outlives the stream that is made here.
    return SimulatedMessages::Open(&state_, request, [&context] { return context.is_cancelled(); });
  }

  Result<flight::FlightServerOptions> ServerOptions() const;

  SimulationState state_;
  bool listening_ = false;
};

Result<flight::FlightServerOptions> SimulatedServer::Flight::ServerOptions() const {
  const bool tls = !options().tls_cert.empty();
  ARROW_ASSIGN_OR_RAISE(const auto location,
                        tls ? flight::Location::ForGrpcTls(options().host, options().port)
                            : flight::Location::ForGrpcTcp(options().host, options().port));
  flight::FlightServerOptions made(location);
  if (tls) {
    flight::CertKeyPair pair;
    ARROW_ASSIGN_OR_RAISE(pair.pem_cert, ReadTextFile(options().tls_cert));
    ARROW_ASSIGN_OR_RAISE(pair.pem_key, ReadTextFile(options().tls_key));
    made.tls_certificates.push_back(std::move(pair));
  }
  return made;
}

Status SimulatedServer::Flight::Listen() {
  ARROW_ASSIGN_OR_RAISE(const auto made, ServerOptions());
  const Status status = Init(made);
  if (!status.ok()) {
    return MakeError(
        {.kind = ErrorKind::kConfigInvalid, .operation = "listen"},
        fmt::format("cannot listen on {}:{}: the port is in use, the address is not this "
                    "machine's, or the certificate is no good; --port 0 takes a free port",
                    options().host, options().port));
  }
  listening_ = true;
  return Status::OK();
}

Status SimulatedServer::Flight::Stop() {
  if (!std::exchange(listening_, false)) return Status::OK();
  state_.clock.Stop();
  const auto deadline = std::chrono::system_clock::now() + kStopWithin;
  return Shutdown(&deadline);
}

Result<std::unique_ptr<SimulatedServer>> SimulatedServer::Start(const SimulationOptions& options) {
  ARROW_RETURN_NOT_OK(CheckSimulationOptions(options));
  auto made = std::make_unique<Flight>(options);
  ARROW_RETURN_NOT_OK(made->Listen());
  return std::unique_ptr<SimulatedServer>(new SimulatedServer(std::move(made)));
}

SimulatedServer::SimulatedServer(std::unique_ptr<Flight> made) : flight_(std::move(made)) {}

SimulatedServer::~SimulatedServer() {
  const Status status = flight_->Stop();
  if (!status.ok()) spdlog::warn("simulated server: {}", status.message());
}

int SimulatedServer::port() const { return flight_->port(); }

std::string SimulatedServer::url() const {
  const SimulationOptions& options = flight_->state().simulation.options();
  return fmt::format("{}://{}:{}", options.tls_cert.empty() ? "grpc" : "grpc+tls", options.host,
                     port());
}

uint64_t SimulatedServer::streams() const { return flight_->state().streams; }
uint64_t SimulatedServer::messages() const { return flight_->state().messages; }
bool SimulatedServer::ended() const { return flight_->state().ended; }
Status SimulatedServer::Stop() { return flight_->Stop(); }

}  // namespace amp
