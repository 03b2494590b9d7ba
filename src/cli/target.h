#pragma once

#include <memory>
#include <string>

#include "amp/loader.h"
#include "cli/command.h"

namespace amp::cli {

/// The target of a command, made but not connected yet, and the pipeline's options.
struct Target {
  std::unique_ptr<Loader> loader;
  PipelineOptions pipeline;
};

/// `to` is a URL or a name from the config file; empty: the embedded default.
Result<Target> ResolveTarget(const CommonOptions& common, const std::string& to);

/// Adds --to and --table to a command.
void AddTargetOptions(CLI::App* command, std::string* to, std::string* table);

inline constexpr std::string_view kDefaultTarget = "delta:./amp-data";

}  // namespace amp::cli
