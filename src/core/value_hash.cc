#include "core/value_hash.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/extension_type.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <arrow/util/float16.h>
#include <arrow/visit_array_inline.h>
#include <fmt/format.h>

#include <bit>
#include <cmath>
#include <limits>

#include "core/json_hash.h"
#include "core/json_text.h"
#include "core/time_text.h"
#include "core/value_text.h"

namespace amp {
namespace {

using Kind = ValueForm::Kind;
using Hashes = std::vector<Hash128>;

constexpr int64_t kNanosPerSecond = 1'000'000'000;

int64_t NanosPer(arrow::TimeUnit::type unit) { return kNanosPerSecond / UnitsPerSecond(unit); }

Hash128 HashReal(double value) {
  if (value == 0) value = 0;  // no -0
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  return HashWords(std::bit_cast<uint64_t>(value), 0, 2);
}

// One visit a column; inside it a loop over the rows for just this type.
class ValueHasher {
 public:
  ValueHasher(const ValueForm& form, Hashes* out) : form_(form), out_(*out) {}

  Status Visit(const arrow::NullArray& array) {
    return Each(array, [](int64_t) { return kNullHash; });
  }
  Status Visit(const arrow::BooleanArray& array) {
    return Each(array, [&](int64_t i) { return HashWords(array.Value(i) ? 1 : 0, 0, 1); });
  }
  template <class T>
    requires arrow::is_integer_type<T>::value
  Status Visit(const arrow::NumericArray<T>& array) {
    return Each(array, [values = array.raw_values()](int64_t i) { return HashInteger(values[i]); });
  }
  Status Visit(const arrow::HalfFloatArray& array) {
    return Each(array, [&](int64_t i) {
      return HashReal(arrow::util::Float16::FromBits(array.Value(i)).ToFloat());
    });
  }
  Status Visit(const arrow::FloatArray& array) {
    return Each(array, [values = array.raw_values()](int64_t i) { return HashReal(values[i]); });
  }
  Status Visit(const arrow::DoubleArray& array) {
    return Each(array, [values = array.raw_values()](int64_t i) { return HashReal(values[i]); });
  }
  Status Visit(const arrow::Decimal32Array& array) { return Decimals<arrow::Decimal32>(array); }
  Status Visit(const arrow::Decimal64Array& array) { return Decimals<arrow::Decimal64>(array); }
  Status Visit(const arrow::Decimal128Array& array);
  Status Visit(const arrow::Decimal256Array& array) { return Decimals<arrow::Decimal256>(array); }

  Status Visit(const arrow::StringArray& array) { return Texts(array); }
  Status Visit(const arrow::LargeStringArray& array) { return Texts(array); }
  Status Visit(const arrow::BinaryArray& array) { return Bytes(array); }
  Status Visit(const arrow::LargeBinaryArray& array) { return Bytes(array); }
  Status Visit(const arrow::FixedSizeBinaryArray& array) { return Bytes(array); }

  Status Visit(const arrow::Date32Array& array) { return Scaled(array, 86'400'000); }
  Status Visit(const arrow::Date64Array& array) { return Scaled(array, 1); }
  Status Visit(const arrow::Time32Array& array) { return Times<arrow::Time32Type>(array); }
  Status Visit(const arrow::Time64Array& array) { return Times<arrow::Time64Type>(array); }
  Status Visit(const arrow::TimestampArray& array) { return Times<arrow::TimestampType>(array); }

  Status Visit(const arrow::DurationArray& array) {
    const Int128 nanos = NanosPer(static_cast<const arrow::DurationType&>(*array.type()).unit());
    return Each(array, [&](int64_t i) { return HashInterval({.nanos = array.Value(i) * nanos}); });
  }
  Status Visit(const arrow::MonthIntervalArray& array) {
    return Each(array, [&](int64_t i) { return HashInterval({.months = array.Value(i)}); });
  }
  Status Visit(const arrow::DayTimeIntervalArray& array) {
    return Each(array, [&](int64_t i) {
      const auto value = array.GetValue(i);
      return HashInterval({.days = value.days, .nanos = Int128{value.milliseconds} * 1'000'000});
    });
  }
  Status Visit(const arrow::MonthDayNanoIntervalArray& array) {
    return Each(array, [&](int64_t i) {
      const auto value = array.GetValue(i);
      return HashInterval({.months = value.months, .days = value.days, .nanos = value.nanoseconds});
    });
  }

  Status Visit(const arrow::ListArray& array) { return Lists(array); }
  Status Visit(const arrow::LargeListArray& array) { return Lists(array); }
  Status Visit(const arrow::FixedSizeListArray& array) { return Lists(array); }
  Status Visit(const arrow::MapArray& array);
  Status Visit(const arrow::StructArray& array);

  Status Visit(const arrow::Array& array) {
    return MakeError(ErrorKind::kInternal,
                     fmt::format("type {} is not plain", array.type()->ToString()));
  }

 private:
  template <class Array, class Hash>
  Status Each(const Array& array, Hash hash) {
    const int64_t rows = array.length();
    if (array.null_count() == 0) {
      for (int64_t i = 0; i < rows; ++i) out_[static_cast<size_t>(i)] = hash(i);
      return Status::OK();
    }
    for (int64_t i = 0; i < rows; ++i) {
      out_[static_cast<size_t>(i)] = array.IsNull(i) ? kNullHash : hash(i);
    }
    return Status::OK();
  }
  template <class Array>
  Status Bytes(const Array& array) {
    return Each(array, [&](int64_t i) { return HashBytes(array.GetView(i)); });
  }
  template <class Array>
  Status Texts(const Array& array);
  template <class Array>
  Status ArrayTexts(const Array& array);
  template <class Decimal, class Array>
  Status Decimals(const Array& array) {
    const int32_t scale = static_cast<const arrow::DecimalType&>(*array.type()).scale();
    return Each(array, [&](int64_t i) {
      return HashDecimal(Decimal(array.GetValue(i)).ToIntegerString(), scale);
    });
  }
  template <class Array>
  Status Scaled(const Array& array, Int128 by) {
    return Each(array, [&](int64_t i) { return HashInteger(array.Value(i) * by); });
  }
  template <class T, class Array>
  Status Times(const Array& array) {
    return Scaled(array, NanosPer(static_cast<const T&>(*array.type()).unit()));
  }
  template <class Array>
  Status Lists(const Array& array);

  const ValueForm& form_;
  Hashes& out_;
};

Status ValueHasher::Visit(const arrow::Decimal128Array& array) {
  const int32_t scale = static_cast<const arrow::DecimalType&>(*array.type()).scale();
  return Each(array, [&](int64_t i) {
    const arrow::Decimal128 value(array.GetValue(i));
    const Uint128 bits =
        (Uint128{static_cast<uint64_t>(value.high_bits())} << 64) | Uint128{value.low_bits()};
    return HashDecimal(static_cast<Int128>(bits), scale);
  });
}

// Text stands for itself, or for what the other side has as another type.
template <class Array>
Status ValueHasher::Texts(const Array& array) {
  switch (form_.kind) {
    case Kind::kNumber:
      return Each(array, [&](int64_t i) { return HashNumberText(array.GetView(i)); });
    case Kind::kInterval:
      return Each(array, [&](int64_t i) {
        const auto parts = ParseInterval(array.GetView(i));
        return parts ? HashInterval(*parts) : HashBytes(array.GetView(i));
      });
    case Kind::kList:
      return ArrayTexts(array);
    default:
      return Bytes(array);
  }
}

template <class Array>
Status ValueHasher::ArrayTexts(const Array& array) {
  arrow::ListBuilder lists(arrow::default_memory_pool(), std::make_shared<arrow::StringBuilder>());
  auto* items = static_cast<arrow::StringBuilder*>(lists.value_builder());
  for (int64_t i = 0; i < array.length(); ++i) {
    const auto parsed = array.IsNull(i) ? std::nullopt : ParseArrayText(array.GetView(i));
    if (!parsed) {
      ARROW_RETURN_NOT_OK(lists.AppendNull());
      continue;
    }
    ARROW_RETURN_NOT_OK(lists.Append());
    for (const auto& item : *parsed) {
      ARROW_RETURN_NOT_OK(item ? items->Append(*item) : items->AppendNull());
    }
  }
  ARROW_ASSIGN_OR_RAISE(const auto parsed, lists.Finish());
  return Lists(static_cast<const arrow::ListArray&>(*parsed));
}

template <class Array>
Status ValueHasher::Lists(const Array& array) {
  if (array.length() == 0) return Status::OK();
  const int64_t first = array.value_offset(0);
  const int64_t end = array.value_offset(array.length());
  ARROW_ASSIGN_OR_RAISE(const Hashes items,
                        HashValues(*array.values()->Slice(first, end - first), form_.children[0]));
  return Each(array, [&](int64_t row) {
    const int64_t length = array.value_length(row);
    Hash128 hash = HashInteger(length, 4);
    for (int64_t i = array.value_offset(row) - first, left = length; left > 0; ++i, --left) {
      hash = Chain(hash, items[static_cast<size_t>(i)]);
    }
    return hash;
  });
}

Status ValueHasher::Visit(const arrow::MapArray& array) {
  if (array.length() == 0) return Status::OK();
  const int64_t first = array.value_offset(0);
  const int64_t count = array.value_offset(array.length()) - first;
  ARROW_ASSIGN_OR_RAISE(const Hashes keys,
                        HashValues(*array.keys()->Slice(first, count), form_.children[0]));
  ARROW_ASSIGN_OR_RAISE(const Hashes items,
                        HashValues(*array.items()->Slice(first, count), form_.children[1]));
  return Each(array, [&](int64_t row) {
    Uint128 sum = 0;
    for (int64_t i = array.value_offset(row); i < array.value_offset(row + 1); ++i) {
      const auto at = static_cast<size_t>(i - first);
      sum += Chain(keys[at], items[at]).number();
    }
    return Chain(HashInteger(array.value_length(row), 5), HashInteger(static_cast<Int128>(sum)));
  });
}

Status ValueHasher::Visit(const arrow::StructArray& array) {
  std::vector<Hashes> fields;
  for (size_t i = 0; i < form_.names.size(); ++i) {
    const auto field = array.GetFieldByName(form_.names[i]);
    if (field == nullptr) return MakeError(ErrorKind::kInternal, "a struct of another form");
    ARROW_ASSIGN_OR_RAISE(Hashes hashes, HashValues(*field, form_.children[i]));
    fields.push_back(std::move(hashes));
  }
  return Each(array, [&](int64_t row) {
    Hash128 hash = HashWords(fields.size(), 0, 6);
    for (const Hashes& field : fields) hash = Chain(hash, field[static_cast<size_t>(row)]);
    return hash;
  });
}

template <class Array>
void HashJsonTexts(const Array& array, Hashes* out) {
  for (int64_t i = 0; i < array.length(); ++i) {
    (*out)[static_cast<size_t>(i)] = array.IsNull(i) ? kNullHash : HashJson(array.GetView(i));
  }
}

Status HashAsJson(const arrow::Array& array, Hashes* out) {
  if (array.type_id() == arrow::Type::STRING) {
    HashJsonTexts(static_cast<const arrow::StringArray&>(array), out);
    return Status::OK();
  }
  if (array.type_id() == arrow::Type::LARGE_STRING) {
    HashJsonTexts(static_cast<const arrow::LargeStringArray&>(array), out);
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const TextColumn texts, RenderJson(array));
  for (size_t i = 0; i < out->size(); ++i) {
    (*out)[i] = array.IsNull(static_cast<int64_t>(i)) ? kNullHash : HashJson(texts[i]);
  }
  return Status::OK();
}

}  // namespace

Result<Hashes> HashValues(const arrow::Array& array, const ValueForm& form) {
  Hashes hashes(static_cast<size_t>(array.length()));
  if (form.kind == Kind::kJson) {
    ARROW_RETURN_NOT_OK(HashAsJson(array, &hashes));
    return hashes;
  }
  ValueHasher hasher(form, &hashes);
  ARROW_RETURN_NOT_OK(arrow::VisitArrayInline(array, &hasher));
  return hashes;
}

}  // namespace amp
