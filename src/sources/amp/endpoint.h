#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"

namespace amp {

/// Where an Amp server listens.
struct AMP_EXPORT AmpEndpoint {
  std::string host;  ///< an IPv6 address without brackets
  int port = 0;
  bool tls = false;

  /// grpc://host:port, or grpc+tls://host:port
  std::string Url() const;
  friend bool operator==(const AmpEndpoint&, const AmpEndpoint&) = default;
};

/// Splits `grpc://a:1,b:2` and what `more` adds to it (URLs or host:port). A part without a scheme
/// has that of the one before it. Errors: ConfigInvalid.
AMP_EXPORT Result<std::vector<AmpEndpoint>> ParseAmpEndpoints(const std::string& url,
                                                              const std::vector<std::string>& more);

/// One URL, as servers name them in their answers. Errors: ConfigInvalid.
Result<AmpEndpoint> ParseAmpEndpoint(std::string_view url);

}  // namespace amp
