#pragma once

#include <arrow/flight/types.h>

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "amp/amp_source.h"
#include "sources/amp/channel.h"
#include "sources/amp/endpoint.h"
#include "sources/amp/flight_stream.h"
#include "sources/amp/token.h"

namespace amp {

/// What all calls of a connection share.
struct AmpCalls {
  AmpSourceOptions options = {};
  arrow::flight::FlightClientOptions client = {};
  AmpToken token = {};
  AmpEndpoint server = {};  ///< the one that took the query
  std::shared_ptr<FlightTransport> transport = {};

  /// The headers that every call has: the token, and the user's own.
  arrow::flight::FlightCallOptions CallOptions() const;
  FlightCallFacts Facts(std::string_view operation, const AmpEndpoint& endpoint) const;
  /// The same error; worth another try where it says that the token is refused and there is a new
  /// one by now.
  Status WithTokenChange(const Status& status) const;
};

/// A stream: the tickets of a query's answer, read one after the other.
class AmpConnection final : public StreamConnection {
 public:
  AmpConnection(AmpCalls calls, std::shared_ptr<arrow::Schema> schema,
                std::vector<arrow::flight::FlightEndpoint> parts);

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }
  Result<std::optional<StreamMessage>> Next() override;
  void Cancel() override;

 private:
  Result<std::optional<StreamMessage>> Read();
  Status OpenPart();
  FlightExpectations Expected(const AmpEndpoint& place) const;
  Status Adopt(std::shared_ptr<FlightStream> stream);
  Result<std::vector<AmpEndpoint>> PlacesOf(const arrow::flight::FlightEndpoint& part) const;
  Result<std::shared_ptr<FlightTransport>> TransportTo(const AmpEndpoint& place) const;
  bool TryNextPlace(const Status& status);
  Result<StreamMessage> ToStreamMessage(FlightMessage message) const;
  Status Cancelled() const;

  const AmpCalls calls_;
  const std::shared_ptr<arrow::Schema> schema_;
  const std::vector<arrow::flight::FlightEndpoint> parts_;
  size_t part_ = 0;                  ///< of `parts_`, the one being read
  std::vector<AmpEndpoint> places_;  ///< where it may be had
  size_t place_ = 0;                 ///< of `places_`, the one being asked
  Status ended_;                     ///< the error that has ended the stream

  std::mutex mutex_;  ///< for what follows
  bool cancelled_ = false;
  std::shared_ptr<FlightStream> stream_;  ///< replaced by the reading thread only
};

}  // namespace amp
