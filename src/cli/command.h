#pragma once

#include <CLI/CLI.hpp>
#include <atomic>
#include <csignal>
#include <functional>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/loader.h"

namespace amp {
class Metrics;
}  // namespace amp

/// What the commands have in common. Each command is one file with one `Add…` function.
namespace amp::cli {

struct CommonOptions {
  std::vector<std::string> set;  ///< option=value
  std::string config;
  std::string output = "text";
  std::string log_format = "text";
  std::string metrics;  ///< HOST:PORT
  bool quiet = false;
  int verbose = 0;

  bool json() const { return output == "json"; }
};

struct Context {
  CLI::App* app = nullptr;
  CommonOptions common;
  int exit_code = 0;
  /// Set by the first Ctrl-C or SIGTERM.
  const std::atomic<bool>* stop = nullptr;
  /// Which signal that was; 0 before.
  const std::atomic<int>* stop_signal = nullptr;
  /// Null without --metrics.
  Metrics* metrics = nullptr;

  /// Was it Ctrl-C? A stream that SIGTERM ended has ended in order.
  bool interrupted() const { return stop_signal != nullptr && stop_signal->load() == SIGINT; }
};

/// Adds a command whose work is `run`; its error decides the exit code.
CLI::App* AddCommand(Context* context, const std::string& name, const std::string& doc,
                     std::function<Status()> run);

/// `ampload: error: …` on stderr, or the same as --log-format has it.
void PrintError(const Status& status);
/// One line on stdout.
void PrintLine(std::string_view line);

void AddLoad(Context* context);
void AddStream(Context* context);
void AddRun(Context* context);
void AddUndo(Context* context);
void AddReset(Context* context);
void AddCheck(Context* context);
void AddInfo(Context* context);
void AddShow(Context* context);
void AddMaintain(Context* context);
void AddVerify(Context* context);
void AddLoaders(Context* context);
void AddSimulate(Context* context);
void AddDemo(Context* context);
void AddInit(Context* context);
void AddCompletion(Context* context);

}  // namespace amp::cli
