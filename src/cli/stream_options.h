#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/loader.h"
#include "amp/stream_source.h"
#include "cli/command.h"
#include "cli/source_options.h"

namespace amp::cli {

/// The options that say what stream to read and how; `stream` and the streams of `run` have them.
struct StreamArguments {
  std::string from;
  std::string query;
  std::vector<std::string> source_set;  ///< option=value
  std::string stream = "main";
  std::string mode = "append";
  std::string key;
  std::string until = "never";
  std::string idle = "2s";
  std::optional<int64_t> max_undo;
  int64_t finality = 0;
  bool adopt = false;
  bool accept_query = false;
};

void AddStreamOptions(CLI::App* command, StreamArguments* arguments);
/// --query and --source-set alone, for commands whose --from may be something else.
void AddQueryOptions(CLI::App* command, StreamArguments* arguments);

/// Is this the URL of a streaming server, or a source's name in the config file?
bool IsStreamSource(const CommonOptions& common, const std::string& from);
/// The source; nothing is connected yet.
Result<std::unique_ptr<StreamSource>> OpenStreamSource(const CommonOptions& common,
                                                       const StreamArguments& arguments);
/// The same, for commands whose --from may be files too: refuses what goes with files only.
Result<std::unique_ptr<StreamSource>> OpenQuerySource(const CommonOptions& common,
                                                      const SourceArguments& source,
                                                      StreamArguments stream);
Result<StreamOptions> MakeStreamOptions(const StreamArguments& arguments,
                                        const PipelineOptions& pipeline);

}  // namespace amp::cli
