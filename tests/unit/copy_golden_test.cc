// COPY BINARY cells against the bytes that PostgreSQL itself sends for the same values. The SQL
// above each expectation makes them: run as SELECT encode(…, 'hex').

#include "core/cell_encoder.h"
#include "loaders/postgresql/copy_encoder.h"
#include "loaders/postgresql/type_map.h"
#include "unit/arrays.h"

namespace amp::postgresql {
namespace {

using namespace arrow;  // NOLINT: type names only
using unit::ArrayOf;
using unit::ArrayPtr;
using unit::BatchOf;
using unit::Strings;

/// What follows a row's count of columns and a cell's length; "NULL" for a null.
std::string CellOf(const std::string& row) {
  const auto* bytes = reinterpret_cast<const uint8_t*>(row.data());
  EXPECT_EQ(Get<int16_t>(bytes), 1);
  const auto length = Get<int32_t>(bytes + 2);
  EXPECT_EQ(row.size(), 6 + static_cast<size_t>(std::max(length, 0)));
  return length == -1 ? "NULL" : unit::Hex(std::string_view(row).substr(6));
}

/// Each value's bytes as hex, for the column type that a new table gets.
Strings Cells(const ArrayPtr& column) {
  const auto batch = BatchOf({{"c", column}});
  const PgType type = TypeFor(*column->type()).ValueOrDie();
  auto encoder = MakeCopyEncoder(*batch->schema(), {type.oid}).ValueOrDie();
  Strings cells;
  for (const std::string& row : unit::EncodeRows(&encoder, *batch).ValueOrDie()) {
    cells.push_back(CellOf(row));
  }
  return cells;
}

Strings Cells(const std::shared_ptr<DataType>& type, std::string_view json) {
  return Cells(ArrayOf(type, json));
}

TEST(CopyGolden, StreamOfTwoColumns) {
  // PGCOPY\n\377\r\n\0, flags, no extension
  EXPECT_EQ(unit::Hex({reinterpret_cast<const char*>(CopyHeader().data()), CopyHeader().size()}),
            "5047434f50590aff0d0a000000000000000000");
  EXPECT_EQ(unit::Hex({reinterpret_cast<const char*>(CopyTrailer().data()), CopyTrailer().size()}),
            "ffff");
  const auto batch =
      BatchOf({{"id", ArrayOf(int32(), "[1, null]")}, {"name", ArrayOf(utf8(), R"(["ab", ""])")}});
  auto encoder = MakeCopyEncoder(*batch->schema(), {oid::kInt4, oid::kText}).ValueOrDie();
  const Strings rows = unit::EncodeRows(&encoder, *batch).ValueOrDie();
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(unit::Hex(rows[0]),
            "0002"
            "00000004"
            "00000001"
            "00000002"
            "6162");
  EXPECT_EQ(unit::Hex(rows[1]),
            "0002"
            "ffffffff"
            "00000000");
}

TEST(CopyGolden, BoolAndIntegers) {
  // -- SELECT boolsend(true), boolsend(false)
  EXPECT_EQ(Cells(boolean(), "[true, null, false]"), (Strings{"01", "NULL", "00"}));
  // -- SELECT int2send('-128'::int2), int2send('127'::int2)
  EXPECT_EQ(Cells(int8(), "[-128, 127, null]"), (Strings{"ff80", "007f", "NULL"}));
  // -- SELECT int2send('255'::int2)
  EXPECT_EQ(Cells(uint8(), "[255]"), (Strings{"00ff"}));
  // -- SELECT int2send('-32768'::int2), int2send('32767'::int2)
  EXPECT_EQ(Cells(int16(), "[-32768, 32767]"), (Strings{"8000", "7fff"}));
  // -- SELECT int4send('65535'::int4)
  EXPECT_EQ(Cells(uint16(), "[65535]"), (Strings{"0000ffff"}));
  // -- SELECT int4send('-2147483648'::int4), int4send('2147483647'::int4)
  EXPECT_EQ(Cells(int32(), "[-2147483648, 2147483647]"), (Strings{"80000000", "7fffffff"}));
  // -- SELECT int8send('4294967295'::int8)
  EXPECT_EQ(Cells(uint32(), "[4294967295]"), (Strings{"00000000ffffffff"}));
  // -- SELECT int8send('-9223372036854775808'::int8), int8send('9223372036854775807'::int8)
  EXPECT_EQ(Cells(int64(), "[-9223372036854775808, 9223372036854775807]"),
            (Strings{"8000000000000000", "7fffffffffffffff"}));
}

TEST(CopyGolden, Uint64AsNumeric) {
  // -- SELECT numeric_send('0'::numeric), numeric_send('1'::numeric),
  //    numeric_send('9999'::numeric), numeric_send('10000'::numeric),
  //    numeric_send('123456789'::numeric), numeric_send('18446744073709551615'::numeric)
  EXPECT_EQ(Cells(uint64(), "[0, 1, 9999, 10000, 123456789, 18446744073709551615, null]"),
            (Strings{"0000000000000000", "00010000000000000001", "0001000000000000270f",
                     "00010001000000000001", "0003000200000000000109291a85",
                     "000500040000000007341a5802e103bb064f", "NULL"}));
}

TEST(CopyGolden, DecimalsWithAFraction) {
  // -- SELECT numeric_send('1.50'::numeric(10,2)), numeric_send('-0.01'::numeric(10,2)),
  //    numeric_send('0.00'::numeric(10,2)), numeric_send('-12.34'::numeric(10,2))
  EXPECT_EQ(Cells(decimal128(10, 2), R"(["1.50", null, "-0.01", "0.00", "-12.34"])"),
            (Strings{"000200000000000200011388", "NULL", "0001ffff400000020064", "0000000000000002",
                     "0002000040000002000c0d48"}));
  // -- SELECT numeric_send('-12345.678'::numeric(10,3))
  EXPECT_EQ(Cells(decimal64(10, 3), R"(["-12345.678"])"),
            (Strings{"0003000140000003000109291a7c"}));
  // -- SELECT numeric_send('-12.34'::numeric(9,2))
  EXPECT_EQ(Cells(decimal32(9, 2), R"(["-12.34"])"), (Strings{"0002000040000002000c0d48"}));
  // -- SELECT numeric_send('123456.789012'::numeric(18,6)),
  //    numeric_send('-1.000001'::numeric(18,6))
  EXPECT_EQ(Cells(decimal128(18, 6), R"(["123456.789012", "-1.000001"])"),
            (Strings{"0004000100000006000c0d801ed204b0",
                     "00030000400000060001000000"
                     "64"}));
  // -- SELECT numeric_send('0.0000000001'::numeric(20,10))
  EXPECT_EQ(Cells(decimal128(20, 10), R"(["0.0000000001"])"), (Strings{"0001fffd0000000a0064"}));
  // -- SELECT numeric_send('1234567890.1234567890123456789012345678901234567890'::numeric(76,40))
  EXPECT_EQ(Cells(decimal256(76, 40), R"(["1234567890.1234567890123456789012345678901234567890"])"),
            (Strings{"000d000200000028000c0d801ed204d2162e23340d801ed204d2162e23340d801ed2"}));
}

TEST(CopyGolden, DecimalsWithoutAFraction) {
  // -- SELECT numeric_send('99999999999999999999999999999999999999'::numeric(38,0)),
  //    numeric_send('10000'::numeric(38,0)), numeric_send('-1'::numeric(38,0))
  EXPECT_EQ(
      Cells(decimal128(38, 0), R"(["99999999999999999999999999999999999999", "10000", "-1"])"),
      (Strings{"000a0009000000000063270f270f270f270f270f270f270f270f270f", "00010001000000000001",
               "00010000400000000001"}));
  const std::string nines(76, '9');
  // -- SELECT numeric_send(('-' || repeat('9', 76))::numeric(76,0))
  EXPECT_EQ(Cells(decimal256(76, 0), "[\"-" + nines + "\"]"),
            (Strings{"0013001240000000270f270f270f270f270f270f270f270f270f270f270f270f270f270f270f"
                     "270f270f270f270f"}));
}

TEST(CopyGolden, DecimalsOfNegativeScale) {
  // -- SELECT numeric_send('12300'::numeric(5,-2)), numeric_send('-100'::numeric(5,-2)),
  //    numeric_send('0'::numeric(5,-2))
  EXPECT_EQ(
      Cells(unit::DecimalsOf<Decimal128, Decimal128Builder>(decimal128(5, -2), {"123", "-1", "0"})),
      (Strings{"0002000100000000000108fc", "00010000400000000064", "0000000000000000"}));
  // -- SELECT numeric_send('12000'::numeric(5,-3))
  EXPECT_EQ(Cells(unit::DecimalsOf<Decimal256, Decimal256Builder>(decimal256(5, -3), {"12"})),
            (Strings{"0002000100000000000107d0"}));
  // -- SELECT numeric_send('120000'::numeric(5,-4)), numeric_send('-1200000'::numeric(5,-5))
  const Strings four =
      Cells(unit::DecimalsOf<Decimal128, Decimal128Builder>(decimal128(5, -4), {"12"}));
  const Strings five =
      Cells(unit::DecimalsOf<Decimal128, Decimal128Builder>(decimal128(5, -5), {"-12"}));
  EXPECT_EQ((Strings{four[0], five[0]}), (Strings{"0001000100000000000c", "00010001400000000078"}));
}

TEST(CopyGolden, Reals) {
  // -- SELECT float4send('1.5'::real), float4send('-65504'::real), float4send('NaN'::real),
  //    float4send('Infinity'::real), float4send('-0'::real)
  EXPECT_EQ(Cells(float16(), "[1.5, -65504, NaN, Inf, -0.0]"),
            (Strings{"3fc00000", "c77fe000", "7fc00000", "7f800000", "80000000"}));
  // -- SELECT float4send('3.4028235e38'::real), float4send('NaN'::real),
  //    float4send('-Infinity'::real), float4send('0.1'::real)
  EXPECT_EQ(Cells(float32(), "[3.4028235e38, NaN, -Inf, null, 0.1]"),
            (Strings{"7f7fffff", "7fc00000", "ff800000", "NULL", "3dcccccd"}));
  // -- SELECT float8send('1.5'::float8), float8send('NaN'::float8),
  //    float8send('Infinity'::float8), float8send('-Infinity'::float8),
  //    float8send('2.2250738585072014e-308'::float8), float8send('-0'::float8)
  EXPECT_EQ(Cells(float64(), "[1.5, NaN, Inf, -Inf, 2.2250738585072014e-308, -0.0]"),
            (Strings{"3ff8000000000000", "7ff8000000000000", "7ff0000000000000", "fff0000000000000",
                     "0010000000000000", "8000000000000000"}));
}

TEST(CopyGolden, TextAndBytes) {
  for (const auto& type : {utf8(), large_utf8()}) {
    // -- SELECT textsend(''), textsend('Zoë')
    EXPECT_EQ(Cells(type, R"(["", null, "Zoë"])"), (Strings{"", "NULL", "5a6fc3ab"}));
  }
  for (const auto& type : {binary(), large_binary()}) {
    // -- SELECT byteasend('\x'::bytea), byteasend('\x000110'::bytea)
    EXPECT_EQ(Cells(type, R"(["", null, "\u0000\u0001\u0010"])"), (Strings{"", "NULL", "000110"}));
  }
  // -- SELECT byteasend('\x6162'::bytea), byteasend('\x0001'::bytea)
  EXPECT_EQ(Cells(fixed_size_binary(2), R"(["ab", null, "\u0000\u0001"])"),
            (Strings{"6162", "NULL", "0001"}));
}

TEST(CopyGolden, DatesAndTimes) {
  // -- SELECT date_send('1970-01-01'::date), date_send('1969-12-31'::date),
  //    date_send('2000-01-01'::date), date_send('4714-11-24 BC'::date),
  //    date_send('5874897-12-31'::date)
  EXPECT_EQ(Cells(date32(), "[0, -1, 10957, -2440588, 2145042905, null]"),
            (Strings{"ffffd533", "ffffd532", "00000000", "ffda97a7", "7fda970c", "NULL"}));
  // -- SELECT date_send('2023-07-11'::date), date_send('1969-12-31'::date)
  EXPECT_EQ(Cells(date64(), "[1689033600000, -86400000]"), (Strings{"00002190", "ffffd532"}));
  // -- SELECT time_send('12:34:56'::time), time_send('00:00'::time), time_send('24:00'::time)
  EXPECT_EQ(Cells(time32(TimeUnit::SECOND), "[45296, 0, 86400]"),
            (Strings{"0000000a8bda1c00", "0000000000000000", "000000141dd76000"}));
  // -- SELECT time_send('12:34:56.789'::time)
  EXPECT_EQ(Cells(time32(TimeUnit::MILLI), "[45296789]"), (Strings{"0000000a8be62608"}));
  // -- SELECT time_send('12:34:56.789012'::time)
  EXPECT_EQ(Cells(time64(TimeUnit::MICRO), "[45296789012]"), (Strings{"0000000a8be62614"}));
  // -- SELECT time_send('12:34:56.789012'::time)
  EXPECT_EQ(Cells(time64(TimeUnit::NANO), "[45296789012000]"), (Strings{"0000000a8be62614"}));
}

TEST(CopyGolden, Timestamps) {
  // -- SELECT timestamp_send('2023-07-11 12:34:56'), timestamp_send('1970-01-01'),
  //    timestamp_send('1969-12-31 23:59:59')
  EXPECT_EQ(Cells(timestamp(TimeUnit::SECOND), "[1689078896, 0, -1, null]"),
            (Strings{"0002a33418601c00", "fffca2fec4c82000", "fffca2fec4b8ddc0", "NULL"}));
  // -- SELECT timestamp_send('2023-07-11 12:34:56.789'),
  //    timestamp_send('1999-12-31 23:59:59.999'), timestamp_send('294276-12-31 23:59:59.999')
  EXPECT_EQ(Cells(timestamp(TimeUnit::MILLI), "[1689078896789, 946684799999, 9224318015999999]"),
            (Strings{"0002a334186c2608", "fffffffffffffc18", "7fffff5bb3b29c18"}));
  // -- SELECT timestamp_send('2023-07-11 12:34:56.789012'),
  //    timestamp_send('4714-11-24 BC'), timestamp_send('294247-01-10 04:00:54.775807')
  EXPECT_EQ(Cells(timestamp(TimeUnit::MICRO),
                  "[1689078896789012, -210866803200000000, 9223372036854775807]"),
            (Strings{"0002a334186c2614", "fd0f7cc1411fa000", "7ffca2fec4c81fff"}));
  // -- SELECT timestamp_send('2023-07-11 12:34:56.789012'),
  //    timestamp_send('1969-12-31 23:59:59.999999'), timestamp_send('1677-09-21 00:12:43.145225')
  EXPECT_EQ(Cells(timestamp(TimeUnit::NANO), "[1689078896789012000, -1000, -9223372036854775000]"),
            (Strings{"0002a334186c2614", "fffca2fec4c81fff", "ffdbde631ee4cc09"}));
}

TEST(CopyGolden, TimestampsWithZone) {
  // -- SELECT timestamptz_send('2023-07-11 12:34:56Z')
  EXPECT_EQ(Cells(timestamp(TimeUnit::SECOND, "UTC"), "[1689078896]"),
            (Strings{"0002a33418601c00"}));
  // -- SELECT timestamptz_send('2023-07-11 12:34:56.789Z')
  EXPECT_EQ(Cells(timestamp(TimeUnit::MILLI, "Europe/Berlin"), "[1689078896789]"),
            (Strings{"0002a334186c2608"}));
  // -- SELECT timestamptz_send('2023-07-11 12:34:56.789012Z')
  EXPECT_EQ(Cells(timestamp(TimeUnit::MICRO, "+02:00"), "[1689078896789012]"),
            (Strings{"0002a334186c2614"}));
  // -- SELECT timestamptz_send('1969-12-31 23:59:59.999999Z')
  EXPECT_EQ(Cells(timestamp(TimeUnit::NANO, "UTC"), "[-1000, null]"),
            (Strings{"fffca2fec4c81fff", "NULL"}));
}

TEST(CopyGolden, DurationsAndIntervals) {
  // -- SELECT interval_send('90 seconds'), interval_send('-1 second')
  EXPECT_EQ(Cells(duration(TimeUnit::SECOND), "[90, -1]"),
            (Strings{"00000000055d4a800000000000000000", "fffffffffff0bdc00000000000000000"}));
  // -- SELECT interval_send('-1500 milliseconds')
  EXPECT_EQ(Cells(duration(TimeUnit::MILLI), "[-1500]"),
            (Strings{"ffffffffffe91ca00000000000000000"}));
  // -- SELECT interval_send('-1 microsecond')
  EXPECT_EQ(Cells(duration(TimeUnit::MICRO), "[-1]"),
            (Strings{"ffffffffffffffff0000000000000000"}));
  // -- SELECT interval_send('-1 microsecond')
  EXPECT_EQ(Cells(duration(TimeUnit::NANO), "[-1000, null]"),
            (Strings{"ffffffffffffffff0000000000000000", "NULL"}));
  // -- SELECT interval_send('14 months'), interval_send('-1 month')
  EXPECT_EQ(Cells(month_interval(), "[14, -1]"),
            (Strings{"0000000000000000000000000000000e", "000000000000000000000000ffffffff"}));
  // -- SELECT interval_send('-3 days 1500 milliseconds')
  EXPECT_EQ(Cells(day_time_interval(), "[[-3, 1500]]"),
            (Strings{"000000000016e360fffffffd00000000"}));
  // -- SELECT interval_send('1 month -2 days 0.003 seconds')
  EXPECT_EQ(Cells(month_day_nano_interval(), "[[1, -2, 3000000], null]"),
            (Strings{"0000000000000bb8fffffffe00000001", "NULL"}));
}

TEST(CopyGolden, NullType) { EXPECT_EQ(Cells(null(), "[null, null]"), (Strings{"NULL", "NULL"})); }

}  // namespace
}  // namespace amp::postgresql
