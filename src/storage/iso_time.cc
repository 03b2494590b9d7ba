#include "storage/iso_time.h"

#include <cstdio>
#include <ctime>

namespace amp::storage {

std::optional<int64_t> ParseIsoMillis(const std::string& text) {
  std::tm time{};
  int read = 0;
  // NOLINTNEXTLINE(cert-err34-c): widths bound the numbers, and how many there are is looked at
  const int fields =
      std::sscanf(text.c_str(), "%4d-%2d-%2dT%2d:%2d:%2d%n", &time.tm_year, &time.tm_mon,
                  &time.tm_mday, &time.tm_hour, &time.tm_min, &time.tm_sec, &read);
  if (fields != 6) return std::nullopt;
  time.tm_year -= 1900;
  time.tm_mon -= 1;
  int64_t millis = static_cast<int64_t>(::timegm(&time)) * 1000;
  size_t at = static_cast<size_t>(read);
  if (at >= text.size() || text[at] != '.') return millis;
  for (int64_t unit = 100; ++at < text.size() && text[at] >= '0' && text[at] <= '9'; unit /= 10) {
    millis += unit * (text[at] - '0');
  }
  return millis;
}

}  // namespace amp::storage
