#pragma once

#include <arrow/status.h>

#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"

namespace amp {

/// What is known about a call that fails.
struct FlightCallFacts {
  std::string_view operation = {};  ///< "GetFlightInfo" or "DoGet"
  std::string server = {};          ///< its URL
  bool tls = false;
  bool connecting = false;                ///< whether the server was ever reached is not known
  std::string token_origin = {};          ///< empty: no token was sent
  std::vector<std::string> secrets = {};  ///< what no message may show
};

/// The status of a Flight call as one of our errors, from the source. The kind follows from the
/// gRPC code, as far as Arrow tells it; the message quotes the server's words.
AMP_EXPORT Status FlightError(const arrow::Status& status, const FlightCallFacts& facts);

}  // namespace amp
