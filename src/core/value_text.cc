#include "core/value_text.h"

#include <algorithm>
#include <charconv>

namespace amp {
namespace {

constexpr int64_t kNanosPerSecond = 1'000'000'000;

bool IsDigit(char c) { return c >= '0' && c <= '9'; }

// None where it has more digits than an Int128 can hold, or others.
std::optional<Int128> ParseInteger(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  Int128 value = 0;
  for (const char c : text) {
    if (!IsDigit(c)) return std::nullopt;
    // Towards the negative side, which reaches one further.
    if (__builtin_mul_overflow(value, Int128{10}, &value) ||
        __builtin_sub_overflow(value, Int128{c - '0'}, &value)) {
      return std::nullopt;
    }
  }
  if (negative) return value;
  Int128 positive = 0;
  if (__builtin_sub_overflow(Int128{0}, value, &positive)) return std::nullopt;
  return positive;
}

// A value that is in its simplest form: no zeros at the end of its fraction.
Hash128 HashSimple(Int128 integer, int32_t scale) {
  return HashInteger(integer, static_cast<uint64_t>(scale));
}

/// A text, read from its front.
class Scanner {
 public:
  explicit Scanner(std::string_view text) : text_(text) {}

  bool AtEnd() const { return text_.empty(); }
  bool Take(char c) {
    if (!text_.starts_with(c)) return false;
    text_.remove_prefix(1);
    return true;
  }
  void TakeBlanks() {
    while (Take(' ')) {
    }
  }
  char TakeAny() {
    const char c = text_.empty() ? '\0' : text_.front();
    if (!text_.empty()) text_.remove_prefix(1);
    return c;
  }
  /// The letters at the front.
  std::string_view TakeWord() {
    size_t size = 0;
    while (size < text_.size() && text_[size] >= 'a' && text_[size] <= 'z') ++size;
    const std::string_view word = text_.substr(0, size);
    text_.remove_prefix(size);
    return word;
  }
  /// True where there is a minus sign; a plus sign is taken too.
  bool TakeSign() {
    if (Take('-')) return true;
    Take('+');
    return false;
  }
  std::optional<int64_t> TakeNumber() {
    int64_t value = 0;
    const auto [end, error] = std::from_chars(text_.data(), text_.data() + text_.size(), value);
    if (error != std::errc() || !IsDigit(text_.front())) return std::nullopt;
    text_.remove_prefix(static_cast<size_t>(end - text_.data()));
    return value;
  }
  /// ".25" in nanoseconds; 0 where there is no fraction.
  int64_t TakeFraction() {
    if (!Take('.')) return 0;
    int64_t nanos = 0;
    int64_t unit = kNanosPerSecond / 10;
    while (!text_.empty() && IsDigit(text_.front())) {
      nanos += (TakeAny() - '0') * unit;
      unit /= 10;
    }
    return nanos;
  }

 private:
  std::string_view text_;
};

Int128 Signed(bool negative, Int128 value) { return negative ? -value : value; }

// After "P": 1Y-2M3DT-4H-5M-6.7S
std::optional<IntervalParts> ParseIso(Scanner scan) {
  IntervalParts parts;
  bool time = false;
  while (!scan.AtEnd()) {
    if (scan.Take('T')) time = true;
    const bool negative = scan.TakeSign();
    const auto number = scan.TakeNumber();
    if (!number) return std::nullopt;
    const int64_t fraction = scan.TakeFraction();
    const Int128 value = Signed(negative, *number);
    switch (scan.TakeAny()) {
      case 'Y':
        parts.months += static_cast<int64_t>(value) * 12;
        break;
      case 'W':
        parts.days += static_cast<int64_t>(value) * 7;
        break;
      case 'D':
        parts.days += static_cast<int64_t>(value);
        break;
      case 'H':
        parts.nanos += value * 3600 * kNanosPerSecond;
        break;
      case 'M':
        if (time) {
          parts.nanos += value * 60 * kNanosPerSecond;
        } else {
          parts.months += static_cast<int64_t>(value);
        }
        break;
      case 'S':
        parts.nanos += value * kNanosPerSecond + Signed(negative, fraction);
        break;
      default:
        return std::nullopt;
    }
  }
  return parts;
}

// After the hours: :05:06.7
std::optional<Int128> ParseClock(int64_t hours, Scanner* scan) {
  const auto minutes = scan->Take(':') ? scan->TakeNumber() : std::nullopt;
  const auto seconds = minutes && scan->Take(':') ? scan->TakeNumber() : std::nullopt;
  if (!seconds) return std::nullopt;
  const Int128 whole = (Int128{hours} * 60 + *minutes) * 60 + *seconds;
  return whole * kNanosPerSecond + scan->TakeFraction();
}

// 1 year -2 mons +3 days -04:05:06.7
std::optional<IntervalParts> ParsePostgres(Scanner scan) {
  IntervalParts parts;
  while (!scan.AtEnd()) {
    const bool negative = scan.TakeSign();
    const auto number = scan.TakeNumber();
    if (!number) return std::nullopt;
    if (!scan.Take(' ')) {
      const auto clock = ParseClock(*number, &scan);
      if (!clock || !scan.AtEnd()) return std::nullopt;
      parts.nanos = Signed(negative, *clock);
      return parts;
    }
    const auto value = static_cast<int64_t>(Signed(negative, *number));
    const std::string_view unit = scan.TakeWord();
    if (unit == "year" || unit == "years") {
      parts.months += value * 12;
    } else if (unit == "mon" || unit == "mons") {
      parts.months += value;
    } else if (unit == "day" || unit == "days") {
      parts.days += value;
    } else {
      return std::nullopt;
    }
    scan.TakeBlanks();
  }
  return parts;
}

}  // namespace

Hash128 HashDecimal(std::string integer, int32_t scale) {
  if (scale < 0 && integer != "0") integer.append(static_cast<size_t>(-scale), '0');
  scale = std::max(scale, 0);
  const size_t sign = integer.starts_with('-') ? 1 : 0;
  while (scale > 0 && integer.size() > sign + 1 && integer.back() == '0') {
    integer.pop_back();
    --scale;
  }
  if (const auto value = ParseInteger(integer)) {
    return HashSimple(*value, *value == 0 ? 0 : scale);
  }
  return Chain(HashBytes(integer), HashInteger(scale));
}

Hash128 HashDecimal(Int128 integer, int32_t scale) {
  if (integer == 0) return HashSimple(0, 0);
  for (; scale > 0 && integer % 10 == 0; --scale) integer /= 10;
  for (; scale < 0; ++scale) {
    Int128 larger = 0;
    if (__builtin_mul_overflow(integer, Int128{10}, &larger)) break;
    integer = larger;
  }
  if (scale >= 0) return HashSimple(integer, scale);
  std::string digits;
  for (Int128 rest = integer; rest != 0; rest /= 10) {
    const int digit = static_cast<int>(rest % 10);
    digits.push_back(static_cast<char>('0' + (digit < 0 ? -digit : digit)));
  }
  if (integer < 0) digits.push_back('-');
  std::reverse(digits.begin(), digits.end());
  return HashDecimal(digits, scale);
}

Hash128 HashNumberText(std::string_view text) {
  const size_t sign = text.starts_with('-') ? 1 : 0;
  const size_t point = std::min(text.find('.'), text.size());
  std::string integer(text.substr(0, point));
  if (point < text.size()) integer.append(text.substr(point + 1));
  const bool number =
      integer.size() > sign &&
      std::all_of(integer.begin() + static_cast<ptrdiff_t>(sign), integer.end(), IsDigit);
  if (!number) return HashBytes(text);
  // Zeros in front count for nothing.
  const size_t first = std::min(integer.find_first_not_of('0', sign), integer.size() - 1);
  integer.erase(sign, first - sign);
  const size_t fraction = point < text.size() ? text.size() - point - 1 : 0;
  return HashDecimal(std::move(integer), static_cast<int32_t>(fraction));
}

Hash128 HashInterval(const IntervalParts& parts) {
  const Hash128 dates =
      HashWords(static_cast<uint64_t>(parts.months), static_cast<uint64_t>(parts.days), 1);
  return Chain(dates, HashInteger(parts.nanos));
}

std::optional<IntervalParts> ParseInterval(std::string_view text) {
  if (text.empty()) return std::nullopt;
  Scanner scan(text);
  return scan.Take('P') ? ParseIso(scan) : ParsePostgres(scan);
}

std::optional<std::vector<std::optional<std::string_view>>> ParseArrayText(std::string_view text) {
  if (text.size() < 2 || text.front() != '{' || text.back() != '}') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::vector<std::optional<std::string_view>> items;
  if (text.find_first_of("{\\") != std::string_view::npos) return std::nullopt;
  while (!text.empty()) {
    const size_t end = std::min(text.find(',', 0), text.size());
    std::string_view item = text.substr(0, end);
    if (item.size() >= 2 && item.front() == '"' && item.back() == '"') {
      item = item.substr(1, item.size() - 2);
      items.emplace_back(item);
    } else if (item == "NULL") {
      items.emplace_back(std::nullopt);
    } else {
      items.emplace_back(item);
    }
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return items;
}

}  // namespace amp
