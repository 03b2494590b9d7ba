#include "core/json_text.h"

#include <arrow/array.h>
#include <arrow/extension_type.h>
#include <arrow/record_batch.h>
#include <arrow/util/float16.h>
#include <arrow/visit_array_inline.h>
#include <fmt/format.h>

#include <cmath>
#include <iterator>

#include "core/decimal_text.h"
#include "core/text.h"
#include "core/time_text.h"

namespace amp {
namespace {

constexpr uint64_t kExactInDouble = uint64_t{1} << 53;

template <class Number>
void AppendNumber(Number value, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "{}", value);
}

template <class Number>
void AppendQuotedNumber(Number value, std::string* out) {
  fmt::format_to(std::back_inserter(*out), "\"{}\"", value);
}

template <class Real>
void AppendReal(Real value, std::string* out) {
  if (value == 0 && std::signbit(value)) {
    out->append("-0.0");  // -0 would be read as an integer, which has no such sign
  } else if (std::isfinite(value)) {
    AppendNumber(value, out);
  } else {
    out->append(std::isnan(value) ? "\"NaN\"" : value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  }
}

void AppendBytes(std::string_view bytes, std::string* out) {
  out->append("\"0x");
  AppendHex(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), out);
  out->push_back('"');
}

// One visit a column; inside it a loop over the rows for just this type.
class Renderer {
 public:
  explicit Renderer(TextColumn* out) : out_(out) {}

  Status Visit(const arrow::NullArray& array) {
    return Each(array, [](int64_t, std::string*) {});
  }
  Status Visit(const arrow::BooleanArray& array) {
    return Each(array, [&](int64_t i, std::string* out) {
      out->append(array.Value(i) ? "true" : "false");
    });
  }
  template <class T>
    requires arrow::is_integer_type<T>::value
  Status Visit(const arrow::NumericArray<T>& array) {
    return Each(array, [&](int64_t i, std::string* out) {
      const auto value = array.Value(i);
      if constexpr (sizeof(value) == 8) {
        const bool too_small = std::is_signed_v<decltype(value)> &&
                               static_cast<int64_t>(value) < -static_cast<int64_t>(kExactInDouble);
        const bool too_large = value > 0 && static_cast<uint64_t>(value) > kExactInDouble;
        if (too_small || too_large) return AppendQuotedNumber(value, out);
      }
      AppendNumber(value, out);
    });
  }
  Status Visit(const arrow::HalfFloatArray& array) {
    return Each(array, [&](int64_t i, std::string* out) {
      AppendReal(arrow::util::Float16::FromBits(array.Value(i)).ToFloat(), out);
    });
  }
  Status Visit(const arrow::FloatArray& array) {
    return Each(array, [&](int64_t i, std::string* out) { AppendReal(array.Value(i), out); });
  }
  Status Visit(const arrow::DoubleArray& array) {
    return Each(array, [&](int64_t i, std::string* out) { AppendReal(array.Value(i), out); });
  }
  Status Visit(const arrow::Decimal32Array& array) { return Decimals<arrow::Decimal32>(array); }
  Status Visit(const arrow::Decimal64Array& array) { return Decimals<arrow::Decimal64>(array); }
  Status Visit(const arrow::Decimal128Array& array) { return Decimals<arrow::Decimal128>(array); }
  Status Visit(const arrow::Decimal256Array& array) { return Decimals<arrow::Decimal256>(array); }
  Status Visit(const arrow::StringArray& array) { return Texts(array); }
  Status Visit(const arrow::LargeStringArray& array) { return Texts(array); }
  Status Visit(const arrow::BinaryArray& array) { return Bytes(array); }
  Status Visit(const arrow::LargeBinaryArray& array) { return Bytes(array); }
  Status Visit(const arrow::FixedSizeBinaryArray& array) { return Bytes(array); }

  Status Visit(const arrow::Date32Array& array) {
    return Quoted(array, [&](int64_t i, std::string* out) { AppendDate(array.Value(i), out); });
  }
  Status Visit(const arrow::Date64Array& array) {
    return Quoted(array, [&](int64_t i, std::string* out) {
      AppendDate(FloorDivide(array.Value(i), 86'400'000).quotient, out);
    });
  }
  Status Visit(const arrow::Time32Array& array) { return TimesOfDay<arrow::Time32Type>(array); }
  Status Visit(const arrow::Time64Array& array) { return TimesOfDay<arrow::Time64Type>(array); }
  Status Visit(const arrow::TimestampArray& array) {
    const auto& type = static_cast<const arrow::TimestampType&>(*array.type());
    return Quoted(array, [&, unit = type.unit(), utc = !type.timezone().empty()](int64_t i,
                                                                                 std::string* out) {
      AppendTimestamp(array.Value(i), unit, utc, out);
    });
  }
  Status Visit(const arrow::DurationArray& array) {
    const auto unit = static_cast<const arrow::DurationType&>(*array.type()).unit();
    return Quoted(array,
                  [&](int64_t i, std::string* out) { AppendDuration(array.Value(i), unit, out); });
  }
  Status Visit(const arrow::MonthIntervalArray& array) {
    return Quoted(array, [&](int64_t i, std::string* out) {
      fmt::format_to(std::back_inserter(*out), "P{}M", array.Value(i));
    });
  }
  Status Visit(const arrow::DayTimeIntervalArray& array) {
    return Quoted(array, [&](int64_t i, std::string* out) {
      const auto value = array.GetValue(i);
      fmt::format_to(std::back_inserter(*out), "P{}D", value.days);
      std::string time;
      AppendDuration(value.milliseconds, arrow::TimeUnit::MILLI, &time);
      out->append(time, 1);
    });
  }
  Status Visit(const arrow::MonthDayNanoIntervalArray& array) {
    return Quoted(array, [&](int64_t i, std::string* out) {
      const auto value = array.GetValue(i);
      fmt::format_to(std::back_inserter(*out), "P{}M{}D", value.months, value.days);
      std::string time;
      AppendDuration(value.nanoseconds, arrow::TimeUnit::NANO, &time);
      out->append(time, 1);
    });
  }

  Status Visit(const arrow::ListArray& array) { return Lists(array); }
  Status Visit(const arrow::LargeListArray& array) { return Lists(array); }
  Status Visit(const arrow::FixedSizeListArray& array) { return Lists(array); }
  Status Visit(const arrow::MapArray& array);
  Status Visit(const arrow::StructArray& array);

  // JSON that is text already is taken as it is; other extensions show what they are made of.
  Status Visit(const arrow::ExtensionArray& array) {
    const auto& type = static_cast<const arrow::ExtensionType&>(*array.type());
    if (type.extension_name() != "arrow.json" ||
        array.storage()->type_id() != arrow::Type::STRING) {
      return arrow::VisitArrayInline(*array.storage(), this);
    }
    const auto& texts = static_cast<const arrow::StringArray&>(*array.storage());
    return Each(texts, [&](int64_t i, std::string* out) { out->append(texts.GetView(i)); });
  }

  Status Visit(const arrow::Array& array) {
    return MakeError(ErrorKind::kUnsupported,
                     fmt::format("type {} has no JSON form", array.type()->ToString()));
  }

 private:
  template <class Array, class Append>
  Status Each(const Array& array, Append append) {
    out_->ends.reserve(static_cast<size_t>(array.length()));
    for (int64_t i = 0; i < array.length(); ++i) {
      if (array.IsNull(i)) {
        out_->bytes.append("null");
      } else {
        append(i, &out_->bytes);
      }
      out_->End();
    }
    return Status::OK();
  }
  template <class Array, class Append>
  Status Quoted(const Array& array, Append append) {
    return Each(array, [&](int64_t i, std::string* out) {
      out->push_back('"');
      append(i, out);
      out->push_back('"');
    });
  }
  template <class Decimal, class Array>
  Status Decimals(const Array& array) {
    return Quoted(
        array, [&](int64_t i, std::string* out) { out->append(DecimalTextAt<Decimal>(array, i)); });
  }
  template <class Array>
  Status Texts(const Array& array) {
    return Each(array,
                [&](int64_t i, std::string* out) { AppendJsonString(array.GetView(i), out); });
  }
  template <class Array>
  Status Bytes(const Array& array) {
    return Each(array, [&](int64_t i, std::string* out) { AppendBytes(array.GetView(i), out); });
  }
  template <class T, class Array>
  Status TimesOfDay(const Array& array) {
    const auto unit = static_cast<const T&>(*array.type()).unit();
    return Quoted(array,
                  [&](int64_t i, std::string* out) { AppendTimeOfDay(array.Value(i), unit, out); });
  }

  // Elements of the rows' lists are rendered at once, from the first row's first to the last's
  // last.
  template <class Array>
  Status Lists(const Array& array) {
    if (array.length() == 0) return Status::OK();
    const int64_t first = array.value_offset(0);
    const int64_t last = array.value_offset(array.length());
    ARROW_ASSIGN_OR_RAISE(const TextColumn elements,
                          RenderJson(*array.values()->Slice(first, last - first)));
    return Each(array, [&](int64_t row, std::string* out) {
      out->push_back('[');
      const int64_t end = array.value_offset(row) + array.value_length(row);
      for (int64_t i = array.value_offset(row); i < end; ++i) {
        if (i > array.value_offset(row)) out->push_back(',');
        out->append(elements[static_cast<size_t>(i - first)]);
      }
      out->push_back(']');
    });
  }

  TextColumn* out_;
};

Status Renderer::Visit(const arrow::StructArray& array) {
  std::vector<TextColumn> fields;
  std::vector<std::string> names;
  for (int i = 0; i < array.num_fields(); ++i) {
    ARROW_ASSIGN_OR_RAISE(TextColumn field, RenderJson(*array.field(i)));
    fields.push_back(std::move(field));
    std::string name;
    AppendJsonString(array.type()->field(i)->name(), &name);
    names.push_back(name + ":");
  }
  return Each(array, [&](int64_t row, std::string* out) {
    out->push_back('{');
    for (size_t i = 0; i < fields.size(); ++i) {
      if (i > 0) out->push_back(',');
      out->append(names[i]).append(fields[i][static_cast<size_t>(row)]);
    }
    out->push_back('}');
  });
}

Status Renderer::Visit(const arrow::MapArray& array) {
  if (array.length() == 0) return Status::OK();
  const int64_t first = array.value_offset(0);
  const int64_t count = array.value_offset(array.length()) - first;
  ARROW_ASSIGN_OR_RAISE(const TextColumn keys, RenderJson(*array.keys()->Slice(first, count)));
  ARROW_ASSIGN_OR_RAISE(const TextColumn items, RenderJson(*array.items()->Slice(first, count)));
  const bool text_keys = arrow::is_base_binary_like(array.keys()->type_id()) &&
                         arrow::is_string(array.keys()->type_id());
  return Each(array, [&](int64_t row, std::string* out) {
    out->push_back(text_keys ? '{' : '[');
    const int64_t end = array.value_offset(row + 1) - first;
    for (int64_t i = array.value_offset(row) - first; i < end; ++i) {
      if (i > array.value_offset(row) - first) out->push_back(',');
      const auto at = static_cast<size_t>(i);
      if (text_keys) {
        out->append(keys[at]).append(":").append(items[at]);
      } else {
        out->append("{\"key\":").append(keys[at]).append(",\"value\":").append(items[at]);
        out->push_back('}');
      }
    }
    out->push_back(text_keys ? '}' : ']');
  });
}

}  // namespace

void AppendJsonString(std::string_view text, std::string* out) {
  out->push_back('"');
  for (const char c : text) {
    switch (c) {
      case '"':
        out->append("\\\"");
        break;
      case '\\':
        out->append("\\\\");
        break;
      case '\n':
        out->append("\\n");
        break;
      case '\r':
        out->append("\\r");
        break;
      case '\t':
        out->append("\\t");
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          fmt::format_to(std::back_inserter(*out), "\\u{:04x}", static_cast<unsigned>(c));
        } else {
          out->push_back(c);
        }
    }
  }
  out->push_back('"');
}

Result<TextColumn> RenderJson(const arrow::Array& column) {
  TextColumn out;
  Renderer renderer(&out);
  ARROW_RETURN_NOT_OK(arrow::VisitArrayInline(column, &renderer));
  return out;
}

Result<TextColumn> RenderJsonRows(const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, batch.ToStructArray());
  return RenderJson(*rows);
}

std::string JsonQuoted(std::string_view text) {
  std::string quoted;
  AppendJsonString(text, &quoted);
  return quoted;
}

}  // namespace amp
