#pragma once

#include <fmt/format.h>
#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>

#include <charconv>
#include <cstdint>
#include <cstdio>
#include <map>
#include <string>

#include "amp/error.h"

namespace amp::bench {

/// A command line of `--name value` pairs.
class Arguments {
 public:
  static Result<Arguments> Parse(int argc, char** argv) {
    Arguments arguments;
    for (int i = 1; i < argc; i += 2) {
      const std::string name = argv[i];
      if (!name.starts_with("--") || i + 1 == argc) {
        return Status::Invalid("expected --name value, got '", name, "'");
      }
      arguments.values_[name.substr(2)] = argv[i + 1];
    }
    return arguments;
  }

  Result<std::string> Text(const std::string& name) const {
    const auto found = values_.find(name);
    if (found == values_.end()) return Status::Invalid("--", name, " is missing");
    return found->second;
  }

  Result<int64_t> Count(const std::string& name) const {
    ARROW_ASSIGN_OR_RAISE(const std::string text, Text(name));
    int64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc() || end != text.data() + text.size() || count < 1) {
      return Status::Invalid("--", name, ": '", text, "' is no count");
    }
    return count;
  }

 private:
  std::map<std::string, std::string> values_;
};

/// Runs `run(Arguments)`; its error and logs go to stderr, and an error makes the exit code 1.
template <class Function>
int RunProgram(int argc, char** argv, Function run) {
  spdlog::set_default_logger(spdlog::stderr_color_mt("bench"));
  spdlog::set_level(spdlog::level::warn);
  const auto arguments = Arguments::Parse(argc, argv);
  const Status status = arguments.ok() ? run(*arguments) : arguments.status();
  if (!status.ok()) fmt::print(stderr, "{}: {}\n", argv[0], status.message());
  return status.ok() ? 0 : 1;
}

}  // namespace amp::bench
