#include "cli/run_ampload.h"

#include <chrono>
#include <csignal>
#include <fstream>
#include <thread>

#include "cli/ampload_process.h"

namespace amp::testing {

std::string WriteFile(const std::string& path, const std::string& content) {
  std::ofstream(path, std::ios::binary) << content;
  return path;
}

CommandResult RunAmpload(const std::vector<std::string>& arguments, const CommandOptions& options) {
  AmploadProcess process(arguments, options);
  if (options.interrupt_after_ms >= 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(options.interrupt_after_ms));
    process.Signal(SIGINT);
  }
  return process.Finish(std::chrono::minutes(10));
}

}  // namespace amp::testing
