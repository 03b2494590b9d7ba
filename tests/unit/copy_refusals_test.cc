// What PostgreSQL cannot hold is refused by column, row and value.

#include "loaders/postgresql/copy_encoder.h"
#include "loaders/postgresql/type_map.h"
#include "unit/arrays.h"

namespace amp::postgresql {
namespace {

using namespace arrow;  // NOLINT: type names only
using unit::ArrayOf;
using unit::ArrayPtr;
using unit::BatchOf;
using unit::Fails;

Status EncodeAs(uint32_t oid, const ArrayPtr& column, int64_t first_row = 0) {
  const auto batch = BatchOf({{"amount", column}});
  ARROW_ASSIGN_OR_RAISE(auto encoder, MakeCopyEncoder(*batch->schema(), {oid}));
  return unit::EncodeRows(&encoder, *batch, first_row).status();
}

Status Encode(const ArrayPtr& column, int64_t first_row = 0) {
  return EncodeAs(TypeFor(*column->type()).ValueOrDie().oid, column, first_row);
}

Status Encode(const std::shared_ptr<DataType>& type, std::string_view json) {
  return Encode(ArrayOf(type, json));
}

constexpr auto kData = ErrorKind::kDataInvalid;

TEST(CopyRefusals, ZeroInText) {
  const auto column = ArrayOf(utf8(), R"(["fine", null, "a\u0000b", "also fine"])");
  EXPECT_TRUE(Fails(Encode(column, 40), kData,
                    {"column 'amount'", "row 42 of the load", "0x00 at byte 1", "binary"}));
  EXPECT_TRUE(Fails(Encode(large_utf8(), R"(["a\u0000"])"), kData, {"row 0 of the load"}));
  EXPECT_TRUE(Encode(column->Slice(0, 2)).ok());
  EXPECT_TRUE(Encode(column->Slice(3)).ok());
}

TEST(CopyRefusals, ZeroInTextOfAList) {
  const Status status = Encode(list(utf8()), R"([["a"], null, ["b", "c\u0000"]])");
  EXPECT_TRUE(Fails(status, kData, {"'amount'", "row 2 of the load", "element 1", "0x00"}));
}

TEST(CopyRefusals, ZeroInTextOfAStruct) {
  const auto type = struct_({field("t", utf8())});
  const Status status = Encode(type, R"([{"t": "a"}, {"t": "\\\u0000"}])");
  EXPECT_TRUE(Fails(status, kData, {"'amount'", "row 1 of the load", "0x00", "jsonb"}));
}

TEST(CopyRefusals, RowsAreCountedOverBatchesAndPieces) {
  Int64Builder builder;
  for (int64_t i = 0; i < 9'000; ++i) ASSERT_TRUE(builder.Append(i == 8'999 ? 40'000 : 1).ok());
  const auto column = builder.Finish().ValueOrDie();
  EXPECT_TRUE(Fails(EncodeAs(oid::kInt2, column, 100'000), kData,
                    {"row 108999 of the load", "40000", "-32768 to 32767"}));
  // The row is the slice's own, not that of the array behind it.
  EXPECT_TRUE(Fails(EncodeAs(oid::kInt2, column->Slice(8'990), 0), kData, {"row 9 of the load"}));
}

TEST(CopyRefusals, IntegersBeyondTheColumn) {
  EXPECT_TRUE(Fails(EncodeAs(oid::kInt8, ArrayOf(uint64(), "[1, 9223372036854775808]")), kData,
                    {"row 1", "9223372036854775808 is beyond the column's range",
                     "-9223372036854775808 to 9223372036854775807"}));
  EXPECT_TRUE(EncodeAs(oid::kInt8, ArrayOf(uint64(), "[9223372036854775807]")).ok());
  EXPECT_TRUE(
      Fails(EncodeAs(oid::kInt4, ArrayOf(int64(), "[-2147483649]")), kData, {"-2147483649"}));
  EXPECT_TRUE(Fails(EncodeAs(oid::kInt2, ArrayOf(uint16(), "[32768]")), kData, {"32768"}));
}

TEST(CopyRefusals, DigitsBelowTheMicrosecond) {
  EXPECT_TRUE(Fails(Encode(timestamp(TimeUnit::NANO), "[1000, 1689078896123456789]"), kData,
                    {"row 1", "2023-07-11T12:34:56.123456789 has digits below the microsecond"}));
  EXPECT_TRUE(Fails(Encode(timestamp(TimeUnit::NANO, "UTC"), "[-1]"), kData,
                    {"1969-12-31T23:59:59.999999999Z"}));
  EXPECT_TRUE(Fails(Encode(time64(TimeUnit::NANO), "[45296789012001]"), kData,
                    {"12:34:56.789012001 has digits below the microsecond"}));
  EXPECT_TRUE(Fails(Encode(duration(TimeUnit::NANO), "[-1]"), kData, {"PT-0.000000001S"}));
  EXPECT_TRUE(Fails(Encode(month_day_nano_interval(), "[[0, 0, 1001]]"), kData, {"1001 ns"}));
}

TEST(CopyRefusals, TimestampsOutOfRange) {
  // The moments around PostgreSQL's first and last.
  const auto micros = timestamp(TimeUnit::MICRO);
  EXPECT_TRUE(Encode(micros, "[-210866803200000000, 9223372036854775807]").ok());
  EXPECT_TRUE(Fails(Encode(micros, "[-210866803200000001]"), kData,
                    {"-4713-11-23T23:59:59.999999 is beyond"}));
  const auto millis = timestamp(TimeUnit::MILLI);
  EXPECT_TRUE(Encode(millis, "[-210866803200000, 9224318015999999]").ok());
  EXPECT_TRUE(
      Fails(Encode(millis, "[9224318016000000]"), kData, {"+294277-01-01T00:00:00.000 is beyond"}));
  EXPECT_TRUE(Fails(Encode(millis, "[-210866803200001]"), kData, {"range"}));
  for (const auto unit : {TimeUnit::SECOND, TimeUnit::MILLI}) {
    SCOPED_TRACE(unit);
    EXPECT_TRUE(Fails(Encode(timestamp(unit), "[9223372036854775807]"), kData, {"range"}));
    EXPECT_TRUE(Fails(Encode(timestamp(unit), "[-9223372036854775808]"), kData, {"range"}));
  }
}

TEST(CopyRefusals, DatesOutOfRange) {
  EXPECT_TRUE(Encode(date32(), "[-2440588, 2145042905]").ok());
  EXPECT_TRUE(Fails(Encode(date32(), "[0, -2440589]"), kData, {"row 1", "-4713-11-23"}));
  EXPECT_TRUE(Fails(Encode(date32(), "[2145042906]"), kData, {"+5874898-01-01"}));
  EXPECT_TRUE(
      Fails(Encode(date64(), "[86400001]"), kData, {"86400001 ms", "whole number of days"}));
}

TEST(CopyRefusals, TimesAndDurationsOutOfRange) {
  EXPECT_TRUE(Fails(Encode(time32(TimeUnit::SECOND), "[86401]"), kData, {"range"}));
  EXPECT_TRUE(Fails(Encode(time64(TimeUnit::MICRO), "[-1]"), kData, {"range"}));
  EXPECT_TRUE(Fails(Encode(duration(TimeUnit::SECOND), "[9223372036854775807]"), kData,
                    {"PT9223372036854775807S is beyond"}));
}

// Neither an instant nor a clock's reading becomes the other, and no number is rounded, unasked.
TEST(CopyRefusals, TypesThatDoNotFit) {
  const auto mismatch = [](uint32_t oid, const std::shared_ptr<DataType>& type) {
    return Fails(EncodeAs(oid, ArrayOf(type, "[]")), ErrorKind::kSchemaMismatch,
                 {"column 'amount'", type->ToString()});
  };
  EXPECT_TRUE(mismatch(oid::kTimestamp, timestamp(TimeUnit::MICRO, "UTC")));
  EXPECT_TRUE(mismatch(oid::kTimestamptz, timestamp(TimeUnit::MICRO)));
  EXPECT_TRUE(mismatch(oid::kFloat4, float64()));
  EXPECT_TRUE(mismatch(oid::kInt8, decimal128(10, 0)));
  EXPECT_TRUE(mismatch(oid::kText, binary()));
  EXPECT_TRUE(mismatch(oid::kBytea, utf8()));
  EXPECT_TRUE(mismatch(oid::kDate, timestamp(TimeUnit::SECOND)));
  EXPECT_TRUE(mismatch(oid::kText, struct_({field("x", int8())})));
  EXPECT_TRUE(mismatch(oid::kInt4, list(int32())));
  EXPECT_TRUE(mismatch(1007, list(utf8())));  // integer[]
}

TEST(CopyRefusals, TypesWithoutAPlace) {
  const auto types = {sparse_union({field("a", int8())}), dense_union({field("a", int8())})};
  for (const auto& type : types) {
    EXPECT_TRUE(Fails(TypeFor(*type).status(), ErrorKind::kUnsupported, {type->ToString()}));
  }
}

TEST(TypeMap, NamesOfNewColumns) {
  const auto sql = [](const std::shared_ptr<DataType>& type) {
    return TypeFor(*type).ValueOrDie().sql;
  };
  EXPECT_EQ(sql(uint64()), "numeric(20,0)");
  EXPECT_EQ(sql(decimal256(76, 40)), "numeric(76,40)");
  EXPECT_EQ(sql(uint32()), "bigint");
  EXPECT_EQ(sql(float16()), "real");
  EXPECT_EQ(sql(timestamp(TimeUnit::NANO, "UTC")), "timestamp with time zone");
  EXPECT_EQ(sql(timestamp(TimeUnit::NANO)), "timestamp without time zone");
  EXPECT_EQ(sql(list(fixed_size_binary(20))), "bytea[]");
  EXPECT_EQ(sql(list(decimal128(5, 1))), "numeric(5,1)[]");
  EXPECT_EQ(sql(list(list(int8()))), "jsonb");
  EXPECT_EQ(sql(map(utf8(), int8())), "jsonb");
}

}  // namespace
}  // namespace amp::postgresql
