#pragma once

#include <arrow/type.h>
#include <arrow/util/decimal.h>

#include <string>
#include <string_view>

#include "amp/error.h"
#include "amp/export.h"

/// Decimals as text with all their digits: 0.0000000001 and 1200, never 1E-10 or 12E+2.
namespace amp {

/// The integer "-125" with scale 2 → "-1.25"
AMP_EXPORT std::string DecimalText(std::string integer, int32_t scale);

/// "-1.25" with scale 2 → "-125"; some other text that is no integer where it has another scale.
AMP_EXPORT std::string UnscaledText(std::string_view text, int32_t scale);

/// DecimalText of one value of an array.
template <class Decimal, class Array>
std::string DecimalTextAt(const Array& array, int64_t row) {
  const auto& type = static_cast<const arrow::DecimalType&>(*array.type());
  return DecimalText(Decimal(array.GetValue(row)).ToIntegerString(), type.scale());
}

/// DecimalText back to a value of `type`. DataInvalid for text of another form or scale.
template <class Decimal>
Result<Decimal> ParseDecimal(std::string_view text, const arrow::DataType& type) {
  Decimal value;
  int32_t precision = 0;
  int32_t scale = 0;
  // Read as an integer: with its zeros, a decimal may have more digits than a decimal can.
  const Status status =
      Decimal::FromString(UnscaledText(text, static_cast<const arrow::DecimalType&>(type).scale()),
                          &value, &precision, &scale);
  if (status.ok() && scale == 0) return value;
  return MakeError(ErrorKind::kDataInvalid, "no decimal of its column's scale");
}

}  // namespace amp
