#pragma once

#include <arrow/flight/client.h>
#include <arrow/flight/transport.h>

#include <memory>

#include "amp/amp_source.h"
#include "sources/amp/endpoint.h"

namespace amp {

/// Arrow's Flight over one gRPC channel. Its transport is used rather than its FlightClient, whose
/// DoGet waits for the stream's schema where nothing can cancel it.
using FlightTransport = arrow::flight::internal::ClientTransport;

/// Arrow's form of our options; reads the certificate files. Errors: ConfigInvalid.
Result<arrow::flight::FlightClientOptions> MakeClientOptions(const AmpSourceOptions& options);

/// A channel of its own to a server; it connects with the first call.
Result<std::shared_ptr<FlightTransport>> OpenChannel(
    const AmpEndpoint& endpoint, const arrow::flight::FlightClientOptions& options);

}  // namespace amp
