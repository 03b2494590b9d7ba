#pragma once

#include <string>

#include "amp/loader.h"
#include "cli/command.h"
#include "cli/stream_events.h"
#include "cli/stream_options.h"

namespace amp::cli {

/// A stream into a table, as the command line or a file of `run` asks for it.
struct StreamJob {
  std::string to, table;
  StreamArguments stream;
};

/// Follows it to its end; an error is one of the options. The result says how it ended.
Result<LoadResult> FollowStream(const Context& context, const StreamJob& job, StreamReport* report);

}  // namespace amp::cli
