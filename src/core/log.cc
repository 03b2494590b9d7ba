#include "core/log.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

namespace amp {
namespace {

std::shared_ptr<spdlog::logger> FindOrMake() {
  if (auto made_by_program = spdlog::get("ampload")) return made_by_program;
  auto logger = spdlog::stderr_logger_mt("ampload");
  logger->set_level(spdlog::level::warn);
  return logger;
}

}  // namespace

spdlog::logger& Log() {
  static const std::shared_ptr<spdlog::logger> logger = FindOrMake();
  return *logger;
}

}  // namespace amp
