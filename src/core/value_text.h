#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/hash128.h"

/// Values that a target gives back as text, because Arrow has no type for their column.
namespace amp {

/// integer × 10^-scale, hashed by value: "1200" with scale 2 as "12" with scale 0.
Hash128 HashDecimal(std::string integer, int32_t scale);
/// The same where the integer is at hand; `scale` may be negative.
Hash128 HashDecimal(Int128 integer, int32_t scale);
/// "-12.50"; text of another form, such as NaN, is hashed as it is.
Hash128 HashNumberText(std::string_view text);

struct IntervalParts {
  int64_t months = 0;
  int64_t days = 0;
  Int128 nanos = 0;
};
Hash128 HashInterval(const IntervalParts& parts);
/// PostgreSQL's interval styles `postgres` ("1 year -2 mons +3 days -04:05:06.7") and `iso_8601`
/// ("P1Y-2M3DT-4H-5M-6.7S"). None for other text.
std::optional<IntervalParts> ParseInterval(std::string_view text);

/// PostgreSQL's text of a one-dimensional array whose elements need no escapes: {1,NULL,"2 days"}.
/// None for other text.
std::optional<std::vector<std::optional<std::string_view>>> ParseArrayText(std::string_view text);

}  // namespace amp
