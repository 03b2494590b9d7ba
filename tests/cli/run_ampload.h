#pragma once

#include <string>
#include <vector>

/// Runs the real command, as a user would.
namespace amp::testing {

struct CommandResult {
  int exit_code = -1;
  std::string out;
  std::string err;
};

struct CommandOptions {
  std::string input = {};                     ///< goes to standard input
  std::vector<std::string> environment = {};  ///< NAME=value, on top of a bare environment
  long file_size_limit = -1;                  ///< in bytes (RLIMIT_FSIZE); negative: none
  int interrupt_after_ms = -1;                ///< sends SIGINT then; negative: never
  std::string directory = {};                 ///< to run in
  std::string input_path = {};                ///< standard input instead of `input`
};

/// `ampload ARGUMENTS…`, as the build made it.
CommandResult RunAmpload(const std::vector<std::string>& arguments,
                         const CommandOptions& options = {});

/// Writes a file; returns its path.
std::string WriteFile(const std::string& path, const std::string& content);

}  // namespace amp::testing
