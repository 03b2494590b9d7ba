#include "sources/amp/channel.h"

#include <arrow/util/uri.h>

#include <cstdlib>

#include "core/log.h"
#include "core/text.h"

namespace amp {
namespace {

using arrow::flight::FlightClient;
using arrow::flight::FlightClientOptions;
using arrow::flight::Location;

Status ReadPem(const std::string& path, std::string* pem) {
  if (path.empty()) return Status::OK();
  return ReadTextFile(path).Value(pem);
}

Result<Location> LocationOf(const AmpEndpoint& endpoint) {
  return endpoint.tls ? Location::ForGrpcTls(endpoint.host, endpoint.port)
                      : Location::ForGrpcTcp(endpoint.host, endpoint.port);
}

// Arrow adds gRPC to its transports when the first FlightClient is made. None is connected by that.
Status RegisterTransports() {
  static const Status status = [] {
    // What gRPC has to say is in our errors; its own log would be mixed with ours.
    setenv("GRPC_VERBOSITY", "NONE", 0);
    ARROW_ASSIGN_OR_RAISE(const Location nowhere, Location::ForGrpcTcp("localhost", 1));
    return FlightClient::Connect(nowhere).status();
  }();
  return status;
}

// A transport that is deleted without being closed waits for its own thread for ever.
void CloseAndDelete(FlightTransport* transport) {
  const std::unique_ptr<FlightTransport> owned(transport);
  const Status status = transport->Close();
  if (!status.ok()) Log().debug("closing a connection: {}", status.message());
}

int Millis(std::chrono::milliseconds duration) { return static_cast<int>(duration.count()); }

}  // namespace

Result<FlightClientOptions> MakeClientOptions(const AmpSourceOptions& options) {
  FlightClientOptions client;
  ARROW_RETURN_NOT_OK(ReadPem(options.tls_root_certs, &client.tls_root_certs));
  ARROW_RETURN_NOT_OK(ReadPem(options.tls_client_cert, &client.cert_chain));
  ARROW_RETURN_NOT_OK(ReadPem(options.tls_client_key, &client.private_key));
  client.override_hostname = options.tls_server_name;
  client.disable_server_verification = options.tls_skip_verify;
  // https://grpc.github.io/grpc/core/group__grpc__arg__keys.html. Between microbatches nothing is
  // sent, however long: only the answer to a ping tells that the other side is there.
  client.generic_options = {
      {"grpc.keepalive_time_ms", Millis(options.keepalive_time)},
      {"grpc.keepalive_timeout_ms", Millis(options.keepalive_timeout)},
      // Without it, gRPC waits a minute for the answer whatever the line above says.
      {"grpc.http2.ping_timeout_ms", Millis(options.keepalive_timeout)},
      {"grpc.keepalive_permit_without_calls", 1},
      {"grpc.http2.max_pings_without_data", 0},
      // gRPC gives a connection attempt at least this long, 20 s if it is not told.
      {"grpc.min_reconnect_backoff_ms", Millis(options.connect_timeout)},
  };
  return client;
}

Result<std::shared_ptr<FlightTransport>> OpenChannel(const AmpEndpoint& endpoint,
                                                     const FlightClientOptions& options) {
  ARROW_RETURN_NOT_OK(RegisterTransports());
  ARROW_ASSIGN_OR_RAISE(const Location location, LocationOf(endpoint));
  ARROW_ASSIGN_OR_RAISE(const auto uri, arrow::util::Uri::FromString(location.ToString()));
  ARROW_ASSIGN_OR_RAISE(
      auto made,
      arrow::flight::internal::GetDefaultTransportRegistry()->MakeClient(location.scheme()));
  const std::shared_ptr<FlightTransport> transport(made.release(), CloseAndDelete);
  ARROW_RETURN_NOT_OK(transport->Init(options, location, uri));
  return transport;
}

}  // namespace amp
