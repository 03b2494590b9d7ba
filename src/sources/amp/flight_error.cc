#include "sources/amp/flight_error.h"

#include <arrow/flight/types.h>
#include <fmt/format.h>

namespace amp {
namespace {

using arrow::flight::FlightStatusCode;
using arrow::flight::FlightStatusDetail;

struct Cause {
  ErrorKind kind;
  bool retryable;
  std::string_view code;  ///< gRPC's name, as far as Arrow tells codes apart
};

Cause CauseOf(FlightStatusCode code) {
  switch (code) {
    case FlightStatusCode::Unauthenticated:
      return {ErrorKind::kUnauthenticated, false, "UNAUTHENTICATED"};
    case FlightStatusCode::Unauthorized:
      return {ErrorKind::kUnauthenticated, false, "PERMISSION_DENIED"};
    case FlightStatusCode::Unavailable:
      return {ErrorKind::kUnavailable, true, "UNAVAILABLE"};
    case FlightStatusCode::TimedOut:
      return {ErrorKind::kUnavailable, true, "DEADLINE_EXCEEDED"};
    case FlightStatusCode::Cancelled:
      return {ErrorKind::kUnavailable, true, "CANCELLED"};
    // Servers say so of passing troubles: a file they could not read, a worker that went away.
    case FlightStatusCode::Internal:
      return {ErrorKind::kUnavailable, true, "INTERNAL"};
    case FlightStatusCode::Failed:
      return {ErrorKind::kUnavailable, true, "UNKNOWN"};
  }
  return {ErrorKind::kUnavailable, true, "UNKNOWN"};
}

// RESOURCE_EXHAUSTED comes as Invalid without a detail, as INVALID_ARGUMENT does: of the code, only
// Arrow's own words in front of the server's are left.
bool IsResourceExhausted(const arrow::Status& status) {
  return status.message().starts_with("gRPC returned resource exhausted error");
}

Cause CauseOf(const arrow::Status& status) {
  if (const auto detail = FlightStatusDetail::UnwrapStatus(status)) return CauseOf(detail->code());
  switch (status.code()) {
    case arrow::StatusCode::KeyError:
      return {ErrorKind::kNotFound, false, "NOT_FOUND"};
    case arrow::StatusCode::NotImplemented:
      return {ErrorKind::kUnsupported, false, "UNIMPLEMENTED"};
    case arrow::StatusCode::Cancelled:
      return {ErrorKind::kUnavailable, true, "CANCELLED"};
    case arrow::StatusCode::Invalid:
      if (IsResourceExhausted(status)) return {ErrorKind::kRateLimited, true, "RESOURCE_EXHAUSTED"};
      return {ErrorKind::kUnsupported, false, "INVALID_ARGUMENT"};
    case arrow::StatusCode::AlreadyExists:
    case arrow::StatusCode::TypeError:
      return {ErrorKind::kUnsupported, false, "INVALID_ARGUMENT"};
    default:
      return {ErrorKind::kUnavailable, true, "UNKNOWN"};
  }
}

// Arrow puts "… error, with message: " before the server's words, and gRPC's innards after them.
std::string WordsOf(const arrow::Status& status) {
  constexpr std::string_view kBefore = "with message: ";
  constexpr size_t kMost = 2000;
  std::string_view words = status.message();
  for (const std::string_view after : {". gRPC client debug context:", ". Client context:"}) {
    words = words.substr(0, words.find(after));
  }
  if (const size_t at = words.find(kBefore); at != std::string_view::npos) {
    words.remove_prefix(at + kBefore.size());
  }
  return words.empty() ? "(no reason given)" : std::string(words.substr(0, kMost));
}

std::string WithoutSecrets(std::string text, const std::vector<std::string>& secrets) {
  for (const std::string& secret : secrets) {
    if (secret.empty()) continue;
    for (size_t at = text.find(secret); at != std::string::npos; at = text.find(secret, at + 3)) {
      text.replace(at, secret.size(), "***");
    }
  }
  return text;
}

std::string TlsHint(const FlightCallFacts& facts) {
  if (!facts.connecting) return {};
  return facts.tls ? "; if it is up, TLS may be the matter: set tls_root_certs where its "
                     "certificate's authority is not a known one, tls_server_name where the "
                     "certificate is for another name, or write grpc:// where it speaks no TLS"
                   : "; if it is up, TLS may be the matter: write grpc+tls:// where it speaks TLS";
}

std::string WhatNext(const Cause& cause, const FlightCallFacts& facts) {
  switch (cause.kind) {
    case ErrorKind::kUnauthenticated:
      return facts.token_origin.empty()
                 ? "no token was sent; set the source option token or AMP_AUTH_TOKEN, or log in "
                   "with the Amp CLI"
                 : fmt::format("the token came from {}; log in again, or set another one",
                               facts.token_origin);
    case ErrorKind::kNotFound:
      return "check the tables and columns that the query names";
    case ErrorKind::kUnsupported:
      return "change the query, or check that an Amp server listens there";
    case ErrorKind::kRateLimited:
      return "try again later";
    default:
      return "check that the server is up and reachable, and try again" + TlsHint(facts);
  }
}

std::string_view WhatHappened(ErrorKind kind) {
  switch (kind) {
    case ErrorKind::kUnauthenticated:
      return "lets us not in";
    case ErrorKind::kNotFound:
    case ErrorKind::kUnsupported:
      return "refuses the query";
    case ErrorKind::kRateLimited:
      return "asks for fewer requests";
    default:
      return "does not answer";
  }
}

}  // namespace

Status FlightError(const arrow::Status& status, const FlightCallFacts& facts) {
  const Cause cause = CauseOf(status);
  const bool broke_off = cause.kind == ErrorKind::kUnavailable && !facts.connecting;
  std::string message = fmt::format("Amp server {} {} ({}): {}; {}", facts.server,
                                    broke_off ? "broke the stream off" : WhatHappened(cause.kind),
                                    facts.operation, WordsOf(status), WhatNext(cause, facts));
  return MakeError({.kind = cause.kind,
                    .side = ErrorSide::kSource,
                    .operation = std::string(facts.operation),
                    .target = facts.server,
                    .native_code = std::string(cause.code),
                    .retryable = cause.retryable},
                   WithoutSecrets(std::move(message), facts.secrets));
}

}  // namespace amp
