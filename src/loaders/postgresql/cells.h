#pragma once

#include <arrow/array.h>
#include <arrow/type.h>
#include <arrow/util/float16.h>
#include <fmt/format.h>

#include <cmath>
#include <cstring>
#include <limits>
#include <span>
#include <string>
#include <utility>

#include "core/cell_encoder.h"
#include "core/time_text.h"
#include "loaders/postgresql/numeric.h"

/// How PostgreSQL's binary form has each kind of value; see core/cell_encoder.h.
namespace amp::postgresql {

/// Days from 1970-01-01 to 2000-01-01, from where PostgreSQL counts.
inline constexpr int64_t kEpochDays = 10'957;
inline constexpr int64_t kMicrosPerSecond = 1'000'000;
inline constexpr int64_t kMicrosPerDay = 86'400 * kMicrosPerSecond;
inline constexpr int64_t kEpochMicros = kEpochDays * kMicrosPerDay;

// Limits after src/include/datatype/timestamp.h, in PostgreSQL's own counting.
inline constexpr int64_t kMinTimestamp = -211'813'488'000'000'000;
inline constexpr int64_t kEndTimestamp = 9'223'371'331'200'000'000;
inline constexpr int64_t kMinDate = -2'451'545;
inline constexpr int64_t kEndDate = 2'145'031'949;

template <class In, class Wire>
struct RealCell : FixedWidth<In> {
  static constexpr uint32_t kSize = sizeof(Wire);
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return Put(static_cast<Wire>(this->values[row]), out);
  }
};

template <class In, class Wire>
struct IntegerCell : FixedWidth<In> {
  static constexpr uint32_t kSize = sizeof(Wire);
  static constexpr bool kChecked = !std::in_range<Wire>(std::numeric_limits<In>::max()) ||
                                   !std::in_range<Wire>(std::numeric_limits<In>::min());

  bool Fits(int64_t row) const {
    if constexpr (kChecked) return std::in_range<Wire>(this->values[row]);
    return true;
  }
  std::string Why(int64_t row) const {
    return fmt::format("{} is beyond the column's range, {} to {}", this->values[row],
                       std::numeric_limits<Wire>::min(), std::numeric_limits<Wire>::max());
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return Put(static_cast<Wire>(this->values[row]), out);
  }
};

template <class Wire>
struct HalfCell : FixedWidth<uint16_t> {
  static constexpr uint32_t kSize = sizeof(Wire);
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return Put(static_cast<Wire>(arrow::util::Float16::FromBits(values[row]).ToFloat()), out);
  }
};

struct BoolCell : BoolValues {
  static constexpr uint32_t kSize = 1;
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return Put(static_cast<uint8_t>(column->Value(row)), out);
  }
};

/// date: int32 days since 2000-01-01.
template <class In, int64_t kPerDay>
struct DateCell : FixedWidth<In> {
  static constexpr uint32_t kSize = 4;
  static constexpr bool kChecked = true;
  bool Fits(int64_t row) const {
    const auto [days, rest] = FloorDivide(this->values[row], kPerDay);
    return rest == 0 && days - kEpochDays >= kMinDate && days - kEpochDays < kEndDate;
  }
  std::string Why(int64_t row) const {
    const auto [days, rest] = FloorDivide(this->values[row], kPerDay);
    if (rest != 0) return fmt::format("{} ms is not a whole number of days", this->values[row]);
    std::string text;
    AppendDate(days, &text);
    return text + " is beyond PostgreSQL's dates, 4713 BC to 5874897 AD";
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    const int64_t days = FloorDivide(this->values[row], kPerDay).quotient;
    return Put(static_cast<int32_t>(days - kEpochDays), out);
  }
};

/// Arrow's unit to PostgreSQL's microseconds: ×1,000,000, ×1,000, ×1 or ÷1,000.
struct Micros {
  int64_t multiply = 1;
  int64_t divide = 1;

  static Micros From(arrow::TimeUnit::type unit) {
    if (unit == arrow::TimeUnit::NANO) return {1, 1000};
    return {kMicrosPerSecond / UnitsPerSecond(unit), 1};
  }
  bool Convert(int64_t value, int64_t* out) const {
    if (divide == 1) return !__builtin_mul_overflow(value, multiply, out);
    *out = value / divide;
    return *out * divide == value;
  }
  std::string Why(int64_t value, std::string_view shown) const {
    if (divide != 1 && value % divide != 0) {
      return fmt::format("{} has digits below the microsecond, which PostgreSQL cannot hold",
                         shown);
    }
    return fmt::format("{} is beyond PostgreSQL's range", shown);
  }
};

/// timestamp, timestamptz: int64 microseconds since 2000-01-01.
struct TimestampCell : FixedWidth<int64_t> {
  static constexpr uint32_t kSize = 8;
  static constexpr bool kChecked = true;
  arrow::TimeUnit::type unit;
  bool utc;
  Micros micros;

  explicit TimestampCell(const arrow::DataType& type)
      : unit(static_cast<const arrow::TimestampType&>(type).unit()),
        utc(!static_cast<const arrow::TimestampType&>(type).timezone().empty()),
        micros(Micros::From(unit)) {}

  // The epoch is taken off in the coarser unit: after year 294247 the microseconds since 1970 are
  // beyond an int64, those since 2000 are not yet.
  bool Convert(int64_t value, int64_t* out) const {
    const bool converted =
        micros.divide == 1
            ? !__builtin_sub_overflow(value, kEpochMicros / micros.multiply, out) &&
                  micros.Convert(*out, out)
            : micros.Convert(value, out) && !__builtin_sub_overflow(*out, kEpochMicros, out);
    return converted && *out >= kMinTimestamp && *out < kEndTimestamp;
  }
  bool Fits(int64_t row) const {
    int64_t wire;
    return Convert(values[row], &wire);
  }
  std::string Why(int64_t row) const {
    std::string text;
    AppendTimestamp(values[row], unit, utc, &text);
    return micros.Why(values[row], text);
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    int64_t wire = 0;
    Convert(values[row], &wire);
    return Put(wire, out);
  }
};

/// time: int64 microseconds since midnight, up to 24:00.
template <class In>
struct TimeCell : FixedWidth<In> {
  static constexpr uint32_t kSize = 8;
  static constexpr bool kChecked = true;
  arrow::TimeUnit::type unit;
  Micros micros;

  explicit TimeCell(const arrow::DataType& type)
      : unit(static_cast<const arrow::TimeType&>(type).unit()), micros(Micros::From(unit)) {}

  bool Fits(int64_t row) const {
    int64_t wire;
    return micros.Convert(this->values[row], &wire) && wire >= 0 && wire <= kMicrosPerDay;
  }
  std::string Why(int64_t row) const {
    std::string text;
    AppendTimeOfDay(this->values[row], unit, &text);
    return micros.Why(this->values[row], text);
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    int64_t wire = 0;
    micros.Convert(this->values[row], &wire);
    return Put(wire, out);
  }
};

/// interval: int64 microseconds, int32 days, int32 months.
inline uint8_t* PutInterval(int64_t micros, int32_t days, int32_t months, uint8_t* out) {
  return Put(months, Put(days, Put(micros, out)));
}

struct DurationCell : FixedWidth<int64_t> {
  static constexpr uint32_t kSize = 16;
  static constexpr bool kChecked = true;
  arrow::TimeUnit::type unit;
  Micros micros;

  explicit DurationCell(const arrow::DataType& type)
      : unit(static_cast<const arrow::DurationType&>(type).unit()), micros(Micros::From(unit)) {}

  bool Fits(int64_t row) const {
    int64_t wire;
    return micros.Convert(values[row], &wire);
  }
  std::string Why(int64_t row) const {
    std::string text;
    AppendDuration(values[row], unit, &text);
    return micros.Why(values[row], text);
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    int64_t wire = 0;
    micros.Convert(values[row], &wire);
    return PutInterval(wire, 0, 0, out);
  }
};

struct MonthsCell : FixedWidth<int32_t> {
  static constexpr uint32_t kSize = 16;
  uint8_t* Write(int64_t row, uint8_t* out) const { return PutInterval(0, 0, values[row], out); }
};

struct DayTimeCell : FixedWidth<arrow::DayTimeIntervalType::DayMilliseconds> {
  static constexpr uint32_t kSize = 16;
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return PutInterval(int64_t{values[row].milliseconds} * 1000, values[row].days, 0, out);
  }
};

struct MonthDayNanoCell : FixedWidth<arrow::MonthDayNanoIntervalType::MonthDayNanos> {
  static constexpr uint32_t kSize = 16;
  static constexpr bool kChecked = true;
  bool Fits(int64_t row) const { return values[row].nanoseconds % 1000 == 0; }
  std::string Why(int64_t row) const {
    return fmt::format("{} ns has digits below the microsecond, which PostgreSQL cannot hold",
                       values[row].nanoseconds);
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return PutInterval(values[row].nanoseconds / 1000, values[row].days, values[row].months, out);
  }
};

/// PostgreSQL allocates no more than this for one value.
inline constexpr int64_t kMaxValueBytes = (int64_t{1} << 30) - 64;

/// bytea: the bytes themselves.
template <class Values>
struct BinaryCell : Values {
  using Values::Values;
  static constexpr bool kChecked = true;

  bool Fits(int64_t row) const { return this->Length(row) <= kMaxValueBytes; }
  std::string Why(int64_t row) const {
    return fmt::format("a value of {} bytes; PostgreSQL holds less than 1 GiB", this->Length(row));
  }
  uint32_t Size(int64_t row) const { return static_cast<uint32_t>(this->Length(row)); }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return PutBytes(this->At(row), Size(row), out);
  }
};

/// text: no 0x00. One search over the values of a whole run finds that there is none.
template <class Offset>
struct TextCell : BinaryCell<Binary<Offset>> {
  using Base = BinaryCell<Binary<Offset>>;
  bool has_zero = false;

  void Bind(const arrow::Array& column, int64_t start, int64_t count) {
    Base::Bind(column, start, count);
    has_zero = false;
    if (count == 0) return;  // an array without rows may come without offsets
    const auto size = static_cast<size_t>(this->offsets[start + count] - this->offsets[start]);
    has_zero = size > 0 && std::memchr(this->At(start), 0, size) != nullptr;
  }
  bool Fits(int64_t row) const { return Base::Fits(row) && (!has_zero || Zero(row) == nullptr); }
  std::string Why(int64_t row) const {
    if (!Base::Fits(row)) return Base::Why(row);
    return fmt::format(
        "the text has a 0x00 at byte {}, which PostgreSQL's text cannot hold; "
        "store it as binary",
        Zero(row) - this->At(row));
  }
  const uint8_t* Zero(int64_t row) const {
    const uint32_t size = this->Size(row);
    return size == 0 ? nullptr : static_cast<const uint8_t*>(std::memchr(this->At(row), 0, size));
  }
};

struct Uint64NumericCell : FixedWidth<uint64_t> {
  Numeric Make(int64_t row) const { return Numeric({&values[row], 1}, false, 0); }
};

template <int kBits>
struct DecimalCell : Cell {
  static constexpr size_t kWords = kBits <= 64 ? 1 : kBits / 64;
  const uint8_t* bytes = nullptr;
  int scale;

  explicit DecimalCell(const arrow::DataType& type)
      : scale(static_cast<const arrow::DecimalType&>(type).scale()) {}
  void Bind(const arrow::Array& column, int64_t, int64_t) {
    bytes = static_cast<const arrow::FixedSizeBinaryArray&>(column).raw_values();
  }
  // Two's complement, the lowest word first.
  Numeric Make(int64_t row) const {
    std::array<uint64_t, kWords> words;
    if constexpr (kBits == 32) {
      int32_t narrow;
      std::memcpy(&narrow, bytes + row * 4, 4);
      words[0] = static_cast<uint64_t>(int64_t{narrow});
    } else {
      std::memcpy(words.data(), bytes + row * static_cast<int64_t>(sizeof(words)), sizeof(words));
    }
    const bool negative = (words.back() >> 63) != 0;
    if (negative) {
      uint64_t carry = 1;
      for (uint64_t& word : words) carry = __builtin_add_overflow(~word, carry, &word) ? 1 : 0;
    }
    return Numeric(words, negative, scale);
  }
};

}  // namespace amp::postgresql
