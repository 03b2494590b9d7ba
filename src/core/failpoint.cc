#include "core/failpoint.h"

#include <fmt/format.h>

#include <charconv>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

#include "core/text.h"

namespace amp {
namespace {

struct Armed {
  std::string action;
  int count = 1;  ///< happens when it has gone down to 0
};

struct Failpoints {
  std::mutex mutex;
  std::map<std::string, Armed, std::less<>> armed;

  Failpoints() {
    const char* text = std::getenv("AMPLOAD_FAILPOINTS");
    for (const std::string& entry : SplitList(text == nullptr ? "" : text)) Arm(entry);
  }
  void Arm(const std::string& entry) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos) return;
    Armed point{.action = entry.substr(equals + 1)};
    if (const size_t at = point.action.find('@'); at != std::string::npos) {
      const char* end = point.action.data() + point.action.size();
      std::from_chars(point.action.data() + at + 1, end, point.count);
      point.action.resize(at);
    }
    armed[entry.substr(0, equals)] = std::move(point);
  }
};

Failpoints& Global() {
  static auto* failpoints = new Failpoints();
  return *failpoints;
}

bool AnyArmed() {
  static const bool any = !Global().armed.empty();
  return any;
}

}  // namespace

FailpointAction FailpointAt(std::string_view name) {
  if (!AnyArmed()) return FailpointAction::kNone;
  const std::lock_guard lock(Global().mutex);
  const auto found = Global().armed.find(name);
  if (found == Global().armed.end() || --found->second.count != 0) return FailpointAction::kNone;
  if (found->second.action == "kill") {
    raise(SIGKILL);
  }
  return found->second.action == "lost" ? FailpointAction::kLost : FailpointAction::kError;
}

Status Failpoint(std::string_view name) {
  if (FailpointAt(name) == FailpointAction::kNone) return Status::OK();
  return MakeError({.kind = ErrorKind::kUnavailable, .side = ErrorSide::kTarget, .retryable = true},
                   fmt::format("failpoint {}", name));
}

}  // namespace amp
