#include "core/decimal_text.h"

namespace amp {

std::string DecimalText(std::string integer, int32_t scale) {
  if (scale <= 0) {
    if (integer != "0") integer.append(static_cast<size_t>(-scale), '0');
    return integer;
  }
  const size_t sign = integer.starts_with('-') ? 1 : 0;
  const size_t digits = integer.size() - sign;
  const auto fraction = static_cast<size_t>(scale);
  if (digits <= fraction) integer.insert(sign, fraction + 1 - digits, '0');
  integer.insert(integer.size() - fraction, 1, '.');
  return integer;
}

std::string UnscaledText(std::string_view text, int32_t scale) {
  std::string integer(text);
  if (scale > 0) {
    const auto fraction = static_cast<size_t>(scale);
    const bool has_point = text.size() > fraction && text[text.size() - fraction - 1] == '.';
    return has_point ? integer.erase(text.size() - fraction - 1, 1) : "of another scale";
  }
  if (scale == 0 || text == "0") return integer;
  const auto zeros = static_cast<size_t>(-scale);
  const bool has_zeros = text.size() > zeros && text.find_last_not_of('0') < text.size() - zeros;
  return has_zeros ? integer.substr(0, text.size() - zeros) : "of another scale";
}

}  // namespace amp
