#include "core/time_text.h"

#include <fmt/format.h>

#include <charconv>
#include <iterator>

namespace amp {
namespace {

constexpr int64_t kSecondsPerDay = 86'400;
// Beyond every int64 of seconds, and far from where counting days overflows.
constexpr int64_t kMaxYear = 400'000'000'000;

struct CivilDate {
  int64_t year;
  int month;
  int day;
};

// Proleptic Gregorian calendar; eras of 400 years (146,097 days) that start on 1 March.
// The algorithm is Howard Hinnant's "civil_from_days".
CivilDate CivilFromDays(int64_t days) {
  const auto [era, day_of_era] = FloorDivide(days + 719'468, 146'097);
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  const int day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  const int month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  return {year_of_era + era * 400 + (month <= 2 ? 1 : 0), month, day};
}

int64_t DaysFromCivil(int64_t year, int64_t month, int64_t day) {
  if (month <= 2) --year;
  const auto [era, year_of_era] = FloorDivide(year, 400);
  const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

int Digits(arrow::TimeUnit::type unit) { return static_cast<int>(unit) * 3; }

// .123 for a remainder of 123 milliseconds; nothing for seconds.
void AppendFraction(int64_t remainder, arrow::TimeUnit::type unit, std::string* out) {
  if (unit == arrow::TimeUnit::SECOND) return;
  fmt::format_to(std::back_inserter(*out), ".{:0{}}", remainder, Digits(unit));
}

// Reads from the front of a text.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool StartsWith(char c) const { return text_.starts_with(c); }
  bool Skip(char c) {
    if (!StartsWith(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  bool Number(int64_t* out) {
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), *out);
    if (error != std::errc()) return false;
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return true;
  }
  // .5 in milliseconds → 500. Digits beyond the unit must be 0.
  bool Fraction(arrow::TimeUnit::type unit, int64_t* out) {
    *out = 0;
    if (!Skip('.')) return true;
    int digits = 0;
    while (!text_.empty() && text_[0] >= '0' && text_[0] <= '9') {
      if (++digits > Digits(unit)) {
        if (text_[0] != '0') return false;
      } else {
        *out = *out * 10 + (text_[0] - '0');
      }
      text_.remove_prefix(1);
    }
    for (int i = digits; i < Digits(unit); ++i) *out *= 10;
    return digits > 0;
  }
  bool Date(int64_t* days) {
    int64_t year = 0, month = 0, day = 0;
    Skip('+');
    if (!Number(&year) || !Skip('-') || !Number(&month) || !Skip('-') || !Number(&day)) {
      return false;
    }
    if (month < 1 || month > 12 || day < 1 || day > 31) return false;
    if (year < -kMaxYear || year > kMaxYear) return false;
    *days = DaysFromCivil(year, month, day);
    const CivilDate back = CivilFromDays(*days);
    return back.month == month && back.day == day;
  }
  bool Time(arrow::TimeUnit::type unit, int64_t* value) {
    int64_t hours = 0, minutes = 0, seconds = 0, fraction = 0;
    if (!Number(&hours) || !Skip(':') || !Number(&minutes)) return false;
    if (Skip(':') && !Number(&seconds)) return false;
    if (!Fraction(unit, &fraction)) return false;
    if (hours < 0 || hours > 24 || minutes < 0 || minutes > 59 || seconds < 0 || seconds > 59) {
      return false;
    }
    *value = (hours * 3600 + minutes * 60 + seconds) * UnitsPerSecond(unit) + fraction;
    return true;
  }
  bool empty() const { return text_.empty(); }

 private:
  std::string_view text_;
};

}  // namespace

int64_t UnitsPerSecond(arrow::TimeUnit::type unit) {
  constexpr int64_t kUnits[] = {1, 1'000, 1'000'000, 1'000'000'000};
  return kUnits[static_cast<int>(unit)];
}

void AppendDate(int64_t days, std::string* out) {
  const CivilDate date = CivilFromDays(days);
  // RFC 3339 years have four digits; others get a sign, as in ISO 8601.
  if (date.year < 0 || date.year > 9999) {
    fmt::format_to(std::back_inserter(*out), "{:+05}-{:02}-{:02}", date.year, date.month, date.day);
  } else {
    fmt::format_to(std::back_inserter(*out), "{:04}-{:02}-{:02}", date.year, date.month, date.day);
  }
}

void AppendTimeOfDay(int64_t value, arrow::TimeUnit::type unit, std::string* out) {
  const auto [seconds, remainder] = FloorDivide(value, UnitsPerSecond(unit));
  fmt::format_to(std::back_inserter(*out), "{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60,
                 seconds % 60);
  AppendFraction(remainder, unit, out);
}

void AppendTimestamp(int64_t value, arrow::TimeUnit::type unit, bool utc, std::string* out) {
  const auto [seconds, remainder] = FloorDivide(value, UnitsPerSecond(unit));
  const auto [days, second_of_day] = FloorDivide(seconds, kSecondsPerDay);
  AppendDate(days, out);
  out->push_back('T');
  AppendTimeOfDay(second_of_day, arrow::TimeUnit::SECOND, out);
  AppendFraction(remainder, unit, out);
  if (utc) out->push_back('Z');
}

void AppendDuration(int64_t value, arrow::TimeUnit::type unit, std::string* out) {
  const int64_t units = UnitsPerSecond(unit);
  // Quotient and remainder have the value's sign here: -1.5 s is -1 and -500 ms.
  const int64_t remainder = value % units;
  fmt::format_to(std::back_inserter(*out), "PT{}{}", value < 0 ? "-" : "",
                 value < 0 ? 0ULL - static_cast<uint64_t>(value / units)
                           : static_cast<uint64_t>(value / units));
  AppendFraction(remainder < 0 ? -remainder : remainder, unit, out);
  out->push_back('S');
}

std::optional<int64_t> ParseDate(std::string_view text) {
  Scanner scan(text);
  int64_t days = 0;
  if (!scan.Date(&days) || !scan.empty()) return std::nullopt;
  return days;
}

std::optional<int64_t> ParseTimeOfDay(std::string_view text, arrow::TimeUnit::type unit) {
  Scanner scan(text);
  int64_t value = 0;
  if (!scan.Time(unit, &value) || !scan.empty()) return std::nullopt;
  return value;
}

std::optional<int64_t> ParseTimestamp(std::string_view text, arrow::TimeUnit::type unit) {
  Scanner scan(text);
  int64_t days = 0, time = 0, value = 0;
  if (!scan.Date(&days)) return std::nullopt;
  if (scan.Skip('T') || scan.Skip(' ')) {
    if (!scan.Time(unit, &time)) return std::nullopt;
  }
  scan.Skip('Z');
  const int64_t units_per_day = kSecondsPerDay * UnitsPerSecond(unit);
  // The first moments of the range lie in a day that starts before it: count from the day's end.
  if (days < 0 && time > 0) {
    ++days;
    time -= units_per_day;
  }
  if (!scan.empty() || __builtin_mul_overflow(days, units_per_day, &value) ||
      __builtin_add_overflow(value, time, &value)) {
    return std::nullopt;
  }
  return value;
}

std::optional<int64_t> ParseInstant(std::string_view text) {
  constexpr size_t kOffset = 6;  // +02:00
  int64_t offset_minutes = 0;
  // Before the time of day, a '-' is part of the date.
  const size_t time = text.find_first_of("Tt ");
  const size_t sign = text.find_last_of("+-");
  if (time != std::string_view::npos && sign != std::string_view::npos && sign > time) {
    if (text.size() - sign != kOffset) return std::nullopt;
    const auto minutes = ParseTimeOfDay(text.substr(sign + 1), arrow::TimeUnit::SECOND);
    if (!minutes) return std::nullopt;
    offset_minutes = (text[sign] == '-' ? -1 : 1) * *minutes / 60;
    text = text.substr(0, sign);
    if (text.ends_with('Z')) return std::nullopt;
  }
  const auto nanos = ParseTimestamp(text, arrow::TimeUnit::NANO);
  if (!nanos) return std::nullopt;
  return FloorDivide(*nanos, 1'000'000).quotient - offset_minutes * 60'000;
}

std::optional<int64_t> ParseDuration(std::string_view text, arrow::TimeUnit::type unit) {
  Scanner scan(text);
  int64_t seconds = 0, fraction = 0, value = 0;
  if (!scan.Skip('P') || !scan.Skip('T')) return std::nullopt;
  // The sign is read with the number, so that the least int64 fits; -0 has lost it.
  const bool negative = scan.StartsWith('-');
  if (!scan.Number(&seconds) || !scan.Fraction(unit, &fraction) || !scan.Skip('S') ||
      !scan.empty()) {
    return std::nullopt;
  }
  if (negative) fraction = -fraction;
  if (__builtin_mul_overflow(seconds, UnitsPerSecond(unit), &value) ||
      __builtin_add_overflow(value, fraction, &value)) {
    return std::nullopt;
  }
  return value;
}

}  // namespace amp
