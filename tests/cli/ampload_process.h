#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <vector>

#include "amp/testing/servers.h"
#include "cli/run_ampload.h"

namespace amp::testing {

/// The real command while it runs, as a user would start it. Killed when it goes out of scope.
class AmploadProcess {
 public:
  explicit AmploadProcess(const std::vector<std::string>& arguments,
                          const CommandOptions& options = {});
  AmploadProcess(const AmploadProcess&) = delete;
  AmploadProcess& operator=(const AmploadProcess&) = delete;
  ~AmploadProcess();

  void Signal(int signal) const;
  /// Until stdout has `text` so many times; false when the process ends before, or after 30 s.
  bool WaitForOutput(const std::string& text, int times = 1);
  /// Until it ends; the exit code, 128 + N after signal N. Killed after `longest`, then -1.
  int Wait(std::chrono::milliseconds longest = std::chrono::seconds(60));
  /// Wait, and what it printed.
  CommandResult Finish(std::chrono::milliseconds longest = std::chrono::seconds(60));
  bool running();
  std::string out() const;
  std::string err() const;

 private:
  void Reap(int flags);

  TemporaryFolder folder_;
  pid_t pid_ = -1;
  std::optional<int> exit_code_;
};

/// How often `text` occurs.
int Occurrences(const std::string& in, const std::string& text);

}  // namespace amp::testing
