#pragma once

#include <spdlog/formatter.h>

#include <memory>
#include <string>
#include <string_view>

namespace amp::cli {

/// {"time":"2026-01-31T12:00:00.123Z","level":"warning","message":"…"}, without a line end. Bytes
/// that are no UTF-8 are replaced.
std::string JsonLogLine(spdlog::log_clock::time_point time, std::string_view level,
                        std::string_view message);

/// Writes each log entry as such a line.
std::unique_ptr<spdlog::formatter> MakeJsonFormatter();

}  // namespace amp::cli
