#pragma once

#include <optional>
#include <string>

#include "amp/loader.h"
#include "cli/command.h"
#include "cli/source_options.h"

namespace amp::cli {

/// Files into a table, as the command line or a file of `run` asks for it.
struct FilesJob {
  std::string to, table;
  std::optional<std::string> job;
  bool adopt = false;
  SourceArguments source;
  ModeArguments mode;
};

/// Loads them. The result says how it ended, also where it did not come to a load.
LoadResult LoadFiles(const Context& context, const FilesJob& arguments);
/// One JSON object, or a line of text where there is something to say.
void PrintLoaded(const Context& context, const FilesJob& arguments, const LoadResult& result);

}  // namespace amp::cli
