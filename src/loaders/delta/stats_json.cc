#include "loaders/delta/stats_json.h"

#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <string_view>
#include <utility>

#include "core/decimal_text.h"
#include "core/json_text.h"
#include "core/time_text.h"

namespace amp::delta {
namespace {

using arrow::Type;
using parquet_files::ColumnStatistics;
using parquet_files::DataFile;
using Columns = std::vector<const ColumnStatistics*>;
using Json = std::optional<std::string>;

constexpr size_t kMostCodePoints = 32;

enum class Side { kLower, kUpper };

// The bytes of the character that begins with `lead`; 0 where none does.
size_t CharacterBytes(unsigned char lead) {
  if (lead < 0x80) return 1;
  if (lead >= 0xC2 && lead < 0xE0) return 2;
  if (lead >= 0xE0 && lead < 0xF0) return 3;
  return lead >= 0xF0 && lead < 0xF5 ? 4 : 0;
}

// Where each of the first characters ends, at most one more than may stay. None for text that is
// not UTF-8.
std::optional<std::vector<size_t>> CharacterEnds(std::string_view text) {
  std::vector<size_t> ends;
  for (size_t at = 0; at < text.size() && ends.size() <= kMostCodePoints;) {
    const size_t bytes = CharacterBytes(static_cast<unsigned char>(text[at]));
    if (bytes == 0 || at + bytes > text.size()) return std::nullopt;
    for (size_t i = 1; i < bytes; ++i) {
      if ((static_cast<unsigned char>(text[at + i]) & 0xC0) != 0x80) return std::nullopt;
    }
    at += bytes;
    ends.push_back(at);
  }
  return ends;
}

uint32_t CodePoint(std::string_view character) {
  constexpr uint32_t kLeadBits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
  uint32_t code = static_cast<unsigned char>(character[0]) & kLeadBits[character.size()];
  for (const char byte : character.substr(1)) {
    code = code << 6 | (static_cast<unsigned char>(byte) & 0x3F);
  }
  return code;
}

void AppendUtf8(uint32_t code, std::string* out) {
  const auto tail = [&](int shift) {
    out->push_back(static_cast<char>(0x80 | (code >> shift & 0x3F)));
  };
  if (code < 0x80) {
    out->push_back(static_cast<char>(code));
  } else if (code < 0x800) {
    out->push_back(static_cast<char>(0xC0 | code >> 6));
    tail(0);
  } else if (code < 0x10000) {
    out->push_back(static_cast<char>(0xE0 | code >> 12));
    tail(6);
    tail(0);
  } else {
    out->push_back(static_cast<char>(0xF0 | code >> 18));
    tail(12);
    tail(6);
    tail(0);
  }
}

// The next character; none where it would be before this one for readers that compare UTF-16.
std::optional<uint32_t> NextCharacter(uint32_t code) {
  constexpr uint32_t kBeforeSurrogates = 0xD7FF;
  constexpr uint32_t kAfterSurrogates = 0xE000;
  if (code == kBeforeSurrogates) return kAfterSurrogates;
  if (code == 0xFFFF || code >= 0x10FFFF) return std::nullopt;
  return code + 1;
}

// The least text of no more characters that is above all that begin with these.
Json RoundedUp(std::string_view text, const std::vector<size_t>& ends) {
  for (size_t i = kMostCodePoints; i-- > 0;) {
    const size_t start = i == 0 ? 0 : ends[i - 1];
    const auto next = NextCharacter(CodePoint(text.substr(start, ends[i] - start)));
    if (!next) continue;
    std::string rounded(text.substr(0, start));
    AppendUtf8(*next, &rounded);
    return rounded;
  }
  return std::nullopt;
}

Json Quoted(const Json& text) {
  if (!text) return std::nullopt;
  std::string json;
  AppendJsonString(*text, &json);
  return json;
}

Json TextBound(std::string_view text, Side side) {
  const auto ends = CharacterEnds(text);
  if (!ends) return std::nullopt;
  if (ends->size() <= kMostCodePoints) return Quoted(std::string(text));
  if (side == Side::kUpper) return Quoted(RoundedUp(text, *ends));
  return Quoted(std::string(text.substr(0, (*ends)[kMostCodePoints - 1])));
}

Json TimeBound(int64_t value, const arrow::TimestampType& type, Side side) {
  constexpr int64_t kMilliseconds = 1000;
  const int64_t units = UnitsPerSecond(type.unit());
  if (units < kMilliseconds) {
    constexpr int64_t kMost = std::numeric_limits<int64_t>::max() / kMilliseconds;
    if (value > kMost || value < -kMost) return std::nullopt;
    value *= kMilliseconds;
  } else {
    const Floor floor = FloorDivide(value, units / kMilliseconds);
    value = floor.quotient + (side == Side::kUpper && floor.remainder > 0 ? 1 : 0);
  }
  std::string text;
  AppendTimestamp(value, arrow::TimeUnit::MILLI, !type.timezone().empty(), &text);
  return Quoted(std::move(text));
}

Json DateBound(int64_t days) {
  std::string text;
  AppendDate(days, &text);
  return Quoted(std::move(text));
}

template <class Float>
Json FloatBound(Float value) {
  if (!std::isfinite(value)) return std::nullopt;
  std::string text = fmt::format("{}", value);
  // Of an integer, too, so that it reads as what it is.
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

template <class Scalar>
const auto& ValueOf(const arrow::Scalar& scalar) {
  return static_cast<const Scalar&>(scalar).value;
}

template <class Scalar>
Json DecimalBound(const arrow::Scalar& scalar) {
  const auto& type = static_cast<const arrow::DecimalType&>(*scalar.type);
  return DecimalText(ValueOf<Scalar>(scalar).ToIntegerString(), type.scale());
}

// None for a type that has none.
Json BoundJson(const arrow::Scalar& scalar, Side side) {
  switch (scalar.type->id()) {
    case Type::INT8:
      return std::to_string(ValueOf<arrow::Int8Scalar>(scalar));
    case Type::INT16:
      return std::to_string(ValueOf<arrow::Int16Scalar>(scalar));
    case Type::INT32:
      return std::to_string(ValueOf<arrow::Int32Scalar>(scalar));
    case Type::INT64:
      return std::to_string(ValueOf<arrow::Int64Scalar>(scalar));
    case Type::FLOAT:
      return FloatBound(ValueOf<arrow::FloatScalar>(scalar));
    case Type::DOUBLE:
      return FloatBound(ValueOf<arrow::DoubleScalar>(scalar));
    case Type::DECIMAL32:
      return DecimalBound<arrow::Decimal32Scalar>(scalar);
    case Type::DECIMAL64:
      return DecimalBound<arrow::Decimal64Scalar>(scalar);
    case Type::DECIMAL128:
      return DecimalBound<arrow::Decimal128Scalar>(scalar);
    case Type::DATE32:
      return DateBound(ValueOf<arrow::Date32Scalar>(scalar));
    case Type::TIMESTAMP:
      return TimeBound(ValueOf<arrow::TimestampScalar>(scalar),
                       static_cast<const arrow::TimestampType&>(*scalar.type), side);
    case Type::STRING:
    case Type::LARGE_STRING:
      return TextBound(static_cast<const arrow::BaseBinaryScalar&>(scalar).view(), side);
    default:
      return std::nullopt;
  }
}

Json LowerBound(const ColumnStatistics& column) {
  if (column.min == nullptr || column.nan_count > 0) return std::nullopt;
  return BoundJson(*column.min, Side::kLower);
}

Json UpperBound(const ColumnStatistics& column) {
  if (column.max == nullptr || column.nan_count > 0) return std::nullopt;
  return BoundJson(*column.max, Side::kUpper);
}

Json NullCount(const ColumnStatistics& column) {
  return column.null_count < 0 ? Json() : std::to_string(column.null_count);
}

bool IsNamed(const ColumnStatistics& column, const StatsColumns& columns) {
  if (columns.named.empty()) return true;
  const std::string path = fmt::format("{}", fmt::join(column.path, "."));
  for (const std::string& name : columns.named) {
    if (path == name || path.starts_with(name + ".")) return true;
  }
  return false;
}

// Those that statistics are wanted of, and can be had of.
Columns Select(const DataFile& file, const StatsColumns& columns) {
  Columns selected;
  int64_t left = columns.first < 0 || !columns.named.empty() ? std::numeric_limits<int64_t>::max()
                                                             : columns.first;
  const ColumnStatistics* list = nullptr;
  for (const ColumnStatistics& column : file.columns) {
    // Further leaves of a list that has been counted.
    if (list != nullptr && column.repeated && column.path[0] == list->path[0]) continue;
    list = column.repeated ? &column : nullptr;
    if (left-- <= 0) break;
    if (!column.repeated && IsNamed(column, columns)) selected.push_back(&column);
  }
  return selected;
}

using Render = Json (*)(const ColumnStatistics&);

// The columns from `begin` on that share the first `depth` names with it, as members of an object.
std::string Members(const Columns& columns, size_t begin, size_t end, size_t depth, Render render) {
  std::string members;
  for (size_t i = begin; i < end;) {
    const auto& path = columns[i]->path;
    size_t next = i + 1;
    Json value;
    if (path.size() == depth + 1) {
      value = render(*columns[i]);
    } else {
      while (next < end && columns[next]->path[depth] == path[depth]) ++next;
      const std::string inner = Members(columns, i, next, depth + 1, render);
      if (!inner.empty()) value = "{" + inner + "}";
    }
    i = next;
    if (!value) continue;
    if (!members.empty()) members += ',';
    AppendJsonString(path[depth], &members);
    members += ':' + *value;
  }
  return members;
}

}  // namespace

std::string StatsJson(const DataFile& file, const StatsColumns& columns) {
  const Columns selected = Select(file, columns);
  const auto members = [&](Render render) {
    return Members(selected, 0, selected.size(), 0, render);
  };
  return fmt::format(
      R"({{"numRecords":{},"minValues":{{{}}},"maxValues":{{{}}},"nullCount":{{{}}},)"
      R"("tightBounds":true}})",
      file.rows, members(LowerBound), members(UpperBound), members(NullCount));
}

}  // namespace amp::delta
