#pragma once

#include <arrow/type.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "amp/export.h"

/// Dates and times as RFC 3339 text, with all the digits of their unit, and back.
namespace amp {

/// Units in a second: 1, 1'000, 1'000'000 or 1'000'000'000.
AMP_EXPORT int64_t UnitsPerSecond(arrow::TimeUnit::type unit);

/// Quotient rounded towards minus infinity, and the remainder that goes with it.
struct Floor {
  int64_t quotient;
  int64_t remainder;
};
constexpr Floor FloorDivide(int64_t value, int64_t by) {
  // Not value - quotient × by: near the least int64 the product is below it.
  const int64_t remainder = value % by;
  return remainder < 0 ? Floor{value / by - 1, remainder + by} : Floor{value / by, remainder};
}

/// Days since 1970-01-01 → 2023-07-11
AMP_EXPORT void AppendDate(int64_t days, std::string* out);
/// 12:34:56.123456
AMP_EXPORT void AppendTimeOfDay(int64_t value, arrow::TimeUnit::type unit, std::string* out);
/// 2023-07-11T12:34:56.123456789, with Z after it for an instant.
AMP_EXPORT void AppendTimestamp(int64_t value, arrow::TimeUnit::type unit, bool utc,
                                std::string* out);
/// ISO 8601: PT-12.345S
AMP_EXPORT void AppendDuration(int64_t value, arrow::TimeUnit::type unit, std::string* out);

AMP_EXPORT std::optional<int64_t> ParseDate(std::string_view text);
AMP_EXPORT std::optional<int64_t> ParseTimeOfDay(std::string_view text, arrow::TimeUnit::type unit);
AMP_EXPORT std::optional<int64_t> ParseTimestamp(std::string_view text, arrow::TimeUnit::type unit);
/// A moment by RFC 3339, with "Z", an offset, or neither (then UTC) → Unix milliseconds; what is
/// finer is cut off.
AMP_EXPORT std::optional<int64_t> ParseInstant(std::string_view text);
AMP_EXPORT std::optional<int64_t> ParseDuration(std::string_view text, arrow::TimeUnit::type unit);

}  // namespace amp
