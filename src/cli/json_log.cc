#include "cli/json_log.h"

#include <spdlog/details/log_msg.h>

#include <chrono>
#include <nlohmann/json.hpp>

#include "core/time_text.h"

namespace amp::cli {
namespace {

class JsonFormatter final : public spdlog::formatter {
 public:
  void format(const spdlog::details::log_msg& entry, spdlog::memory_buf_t& out) override {
    const auto level = spdlog::level::to_string_view(entry.level);
    const std::string line = JsonLogLine(entry.time, {level.data(), level.size()},
                                         {entry.payload.data(), entry.payload.size()});
    out.append(line.data(), line.data() + line.size());
    out.push_back('\n');
  }
  std::unique_ptr<spdlog::formatter> clone() const override {
    return std::make_unique<JsonFormatter>();
  }
};

}  // namespace

std::string JsonLogLine(spdlog::log_clock::time_point time, std::string_view level,
                        std::string_view message) {
  using std::chrono::duration_cast, std::chrono::milliseconds;
  std::string when;
  AppendTimestamp(duration_cast<milliseconds>(time.time_since_epoch()).count(),
                  arrow::TimeUnit::MILLI, true, &when);
  const nlohmann::ordered_json line{{"time", when}, {"level", level}, {"message", message}};
  return line.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

std::unique_ptr<spdlog::formatter> MakeJsonFormatter() { return std::make_unique<JsonFormatter>(); }

}  // namespace amp::cli
