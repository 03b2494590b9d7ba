#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "sources/simulated/messages.h"

namespace amp {

/// The header `amp-resume`: {"<network>":{"number":N,"hash":"0x…"}, …}. ConfigInvalid for other
/// text.
Result<std::vector<ResumePoint>> ParseResume(std::string_view json);

/// What DoGet needs, as a ticket's bytes, and back. ConfigInvalid for bytes that are none.
std::string MakeTicket(const SimulatedRequest& request);
Result<SimulatedRequest> ReadTicket(std::string_view ticket);

}  // namespace amp
