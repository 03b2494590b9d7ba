#include "sources/amp/amp_connection.h"

#include <arrow/buffer.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>

#include "sources/amp/app_metadata.h"

namespace amp {
namespace {

using arrow::flight::FlightCallOptions;
using arrow::flight::FlightEndpoint;
using arrow::flight::Location;

}  // namespace

FlightCallOptions AmpCalls::CallOptions() const {
  FlightCallOptions call;
  for (const auto& [name, value] : options.headers) {
    std::string lower = name;
    std::transform(lower.begin(), lower.end(), lower.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
    call.headers.emplace_back(std::move(lower), value);
  }
  if (!token.value.empty()) call.headers.emplace_back("authorization", "Bearer " + token.value);
  return call;
}

FlightCallFacts AmpCalls::Facts(std::string_view operation, const AmpEndpoint& endpoint) const {
  FlightCallFacts facts{.operation = operation,
                        .server = endpoint.Url(),
                        .tls = endpoint.tls,
                        .connecting = true,
                        .token_origin = token.origin,
                        .secrets = {token.value}};
  for (const auto& [name, value] : options.headers) facts.secrets.push_back(value);
  return facts;
}

Status AmpCalls::WithTokenChange(const Status& status) const {
  ErrorInfo info = ErrorInfoOf(status);
  if (info.kind != ErrorKind::kUnauthenticated) return status;
  const Result<AmpToken> now = FindAmpToken(options);
  if (!now.ok() || now->value.empty() || now->value == token.value) return status;
  info.retryable = true;
  return MakeError(std::move(info), status.message());
}

AmpConnection::AmpConnection(AmpCalls calls, std::shared_ptr<arrow::Schema> schema,
                             std::vector<FlightEndpoint> parts)
    : calls_(std::move(calls)), schema_(std::move(schema)), parts_(std::move(parts)) {}

void AmpConnection::Cancel() {
  const std::lock_guard lock(mutex_);
  cancelled_ = true;
  if (stream_ != nullptr) stream_->Cancel();
}

Status AmpConnection::Cancelled() const {
  return MakeError({.kind = ErrorKind::kCancelled,
                    .side = ErrorSide::kSource,
                    .operation = "DoGet",
                    .target = calls_.server.Url()},
                   fmt::format("the stream from {} was stopped", calls_.server.Url()));
}

Result<std::optional<StreamMessage>> AmpConnection::Next() {
  ARROW_RETURN_NOT_OK(ended_);
  auto message = Read();
  const std::lock_guard lock(mutex_);
  // Whatever a cancelled call ends with: we have ended it.
  if (cancelled_) {
    ended_ = Cancelled();
    return ended_;
  }
  if (!message.ok()) {
    ended_ = calls_.WithTokenChange(message.status());
    return ended_;
  }
  return message;
}

Result<std::optional<StreamMessage>> AmpConnection::Read() {
  while (part_ < parts_.size()) {
    if (stream_ == nullptr) ARROW_RETURN_NOT_OK(OpenPart());
    auto message = stream_->Next();
    if (message.ok() && *message) return ToStreamMessage(std::move(**message));
    if (!message.ok()) {
      if (!TryNextPlace(message.status())) return message.status();
    } else {
      ++part_;
      place_ = 0;
    }
    ARROW_RETURN_NOT_OK(Adopt(nullptr));
  }
  return std::nullopt;
}

// A place that cannot be reached has given us nothing yet, so the next one starts from the same
// ticket.
bool AmpConnection::TryNextPlace(const Status& status) {
  const bool another =
      ErrorInfoOf(status).retryable && !stream_->started() && place_ + 1 < places_.size();
  if (another) ++place_;
  return another;
}

Status AmpConnection::OpenPart() {
  if (place_ == 0) {
    ARROW_ASSIGN_OR_RAISE(places_, PlacesOf(parts_[part_]));
  }
  const AmpEndpoint& place = places_[place_];
  ARROW_ASSIGN_OR_RAISE(auto transport, TransportTo(place));
  ARROW_ASSIGN_OR_RAISE(auto stream, FlightStream::Open(std::move(transport), calls_.CallOptions(),
                                                        parts_[part_].ticket, Expected(place)));
  return Adopt(std::move(stream));
}

FlightExpectations AmpConnection::Expected(const AmpEndpoint& place) const {
  return {.schema = schema_,
          .max_message_size = calls_.options.max_message_size.bytes,
          .facts = calls_.Facts("DoGet", place)};
}

// From here on Cancel reaches the stream; one that came before is made up for.
Status AmpConnection::Adopt(std::shared_ptr<FlightStream> stream) {
  std::shared_ptr<FlightStream> old;  // its end waits for the network, so not under the lock
  const std::lock_guard lock(mutex_);
  old = std::exchange(stream_, std::move(stream));
  return cancelled_ ? Cancelled() : Status::OK();
}

// No location: the server that gave the ticket. A location is used where we can speak to it, and
// never without TLS when the query went over TLS: the token goes along.
Result<std::vector<AmpEndpoint>> AmpConnection::PlacesOf(const FlightEndpoint& part) const {
  if (part.locations.empty()) return std::vector{calls_.server};
  std::vector<AmpEndpoint> places;
  std::string seen;
  for (const Location& location : part.locations) {
    if (location.Equals(Location::ReuseConnection())) {
      places.push_back(calls_.server);
      continue;
    }
    const auto place = ParseAmpEndpoint(location.ToString());
    if (place.ok() && (place->tls || !calls_.server.tls)) places.push_back(*place);
    seen += (seen.empty() ? "" : ", ") + location.ToString();
  }
  if (!places.empty()) return places;
  return MakeError({.kind = ErrorKind::kUnsupported,
                    .side = ErrorSide::kSource,
                    .operation = "DoGet",
                    .target = calls_.server.Url()},
                   fmt::format("Amp server {} sends us to {} for the rows: none is a server that "
                               "we can{} speak to; ask those who run it",
                               calls_.server.Url(), seen, calls_.server.tls ? " safely" : ""));
}

Result<std::shared_ptr<FlightTransport>> AmpConnection::TransportTo(
    const AmpEndpoint& place) const {
  if (place == calls_.server) return calls_.transport;
  return OpenChannel(place, calls_.client);
}

Result<StreamMessage> AmpConnection::ToStreamMessage(FlightMessage message) const {
  StreamMessage out{.batch = std::move(message.batch)};
  if (message.app_metadata == nullptr) {
    // Plain Flight SQL: rows, and no word about blocks.
    if (!calls_.options.streaming) return out;
    return MakeError({.kind = ErrorKind::kProtocol,
                      .side = ErrorSide::kSource,
                      .operation = "DoGet",
                      .target = calls_.server.Url()},
                     fmt::format("Amp server {} sent a message without app_metadata, so its blocks "
                                 "are not known; check that it is an Amp server and that the query "
                                 "can be streamed",
                                 calls_.server.Url()));
  }
  const Result<AppMetadata> metadata = ParseAppMetadata(std::string_view(*message.app_metadata));
  if (!metadata.ok()) {
    return WithContext(metadata.status(), "Amp server " + calls_.server.Url());
  }
  out.ranges = metadata->ranges;
  out.ranges_complete = metadata->ranges_complete;
  return out;
}

}  // namespace amp
