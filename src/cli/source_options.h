#pragma once

#include <string>
#include <vector>

#include "amp/source.h"
#include "cli/command.h"

namespace amp::cli {

/// The options that say what to read; `load` and `check` have them.
struct SourceArguments {
  std::vector<std::string> from;
  std::string format;
  std::string columns;
  std::string where;
};

void AddSourceOptions(CLI::App* command, SourceArguments* arguments);
Result<FileSource> OpenSource(const SourceArguments& arguments, const PipelineOptions& pipeline,
                              const std::atomic<bool>* stop);

Result<FileSourceOptions> MakeSourceOptions(const SourceArguments& arguments,
                                            const PipelineOptions& pipeline,
                                            const std::atomic<bool>* stop);

/// The options that say how rows meet the table.
struct ModeArguments {
  std::string mode = "append";
  std::string key;
};

void AddModeOptions(CLI::App* command, ModeArguments* arguments);
Result<LoadOptions> MakeLoadOptions(const ModeArguments& arguments);

}  // namespace amp::cli
