#pragma once

#include <string>

#include "amp/amp_source.h"
#include "amp/error.h"

namespace amp {

/// A bearer token, and where it was found, for messages.
struct AmpToken {
  std::string value;   ///< empty: there is none, which open servers accept
  std::string origin;  ///< such as "AMP_AUTH_TOKEN"
};

/// Looks for the token: the option `token`, the option `token_file`, the environment variable
/// AMP_AUTH_TOKEN, the file that the Amp CLI's login writes (~/.amp/cache/amp_cli_auth). Files are
/// read anew each time. Errors, none of which shows a token: ConfigInvalid for a file that cannot
/// be read, Unauthenticated for one without a token or with one that has expired.
AMP_EXPORT Result<AmpToken> FindAmpToken(const AmpSourceOptions& options);

}  // namespace amp
