#pragma once

#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "amp/stream.h"

namespace amp {

/// What an Amp server says with each message: which blocks it belongs to.
struct AppMetadata {
  std::vector<BlockRange> ranges;  ///< at most one a network
  bool ranges_complete = false;
};

/// Reads a message's `app_metadata`, such as
///
///     {"ranges":[{"network":"eth","numbers":{"start":0,"end":2},"hash":"0x…","prev_hash":null}],
///      "ranges_complete":false}
///
/// Trusts nothing. Hashes come back in lower case; an absent `prev_hash`, which only a range from
/// block 0 may have, as "". Unknown keys are ignored. Errors: Protocol, from the source.
AMP_EXPORT AMP_EXPORT Result<AppMetadata> ParseAppMetadata(std::string_view json);

}  // namespace amp
