#include "cli/progress.h"

#include <unistd.h>

#include <cstdio>

#include "cli/json_log.h"
#include "core/text.h"

namespace amp::cli {

Progress::Progress(const CommonOptions& common, std::optional<int64_t> expected_rows)
    : quiet_(common.quiet),
      json_(common.log_format == "json"),
      terminal_(!json_ && isatty(STDERR_FILENO) == 1),
      expected_rows_(expected_rows) {}

Progress::~Progress() {
  if (drawn_ && terminal_) std::fputs("\r\033[K", stderr);
}

void Progress::Update(const LoadProgress& progress, const std::string& also) {
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  if (now - last_ < pause) return;
  last_ = now;
  drawn_ = true;
  std::string line = Line(progress, std::chrono::duration<double>(now - start_).count()) + also;
  if (json_) line = JsonLogLine(spdlog::log_clock::now(), "info", line);
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", line.c_str());
  std::fflush(stderr);
}

std::string Progress::Line(const LoadProgress& progress, double seconds) const {
  const double rows_per_second = static_cast<double>(progress.rows) / seconds;
  std::string line = fmt::format("{} rows, {} rows/s, {:.1f} MB/s", Grouped(progress.rows),
                                 Grouped(static_cast<int64_t>(rows_per_second)),
                                 static_cast<double>(progress.bytes) / 1e6 / seconds);
  if (expected_rows_ && *expected_rows_ > progress.rows && rows_per_second > 0) {
    const double left = static_cast<double>(*expected_rows_ - progress.rows) / rows_per_second;
    line += fmt::format(
        ", {:.0f} %, {:.0f} s left",
        100.0 * static_cast<double>(progress.rows) / static_cast<double>(*expected_rows_), left);
  }
  return line;
}

}  // namespace amp::cli
