#include <arrow/compute/initialize.h>

#include <cmath>

#include "parquet/written_files.h"

namespace amp::parquet_tests {
namespace {

using parquet_files::ColumnStatistics;
using unit::ArrayPtr;

class ParquetStatistics : public WrittenFiles {
 protected:
  void SetUp() override { AMP_ASSERT_OK(arrow::compute::Initialize()); }

  /// Those of the only leaf of a file with this column; row groups of two rows where `many`.
  ColumnStatistics Of(const ArrayPtr& column, bool many = false) {
    const Batch batch = BatchOf({{"c", column}});
    Plan(batch->schema(), {.row_group_rows = many ? 2 : 1000});
    const auto files = WriteAll({batch});
    EXPECT_TRUE(files.ok()) << files.status().ToString();
    return files.ok() && files->size() == 1 ? (*files)[0].columns.back() : ColumnStatistics{};
  }
  void ExpectAsArrowHasThem(const ArrayPtr& column) {
    for (const bool many : {false, true}) {
      const ColumnStatistics have = Of(column, many);
      EXPECT_EQ(have.value_count, column->length());
      EXPECT_EQ(have.null_count, column->null_count());
      AMP_ASSERT_OK_AND_ASSIGN(const auto bounds, arrow::compute::MinMax(column));
      const auto& both = static_cast<const arrow::StructScalar&>(*bounds.scalar());
      ASSERT_NE(have.min, nullptr) << column->type()->ToString();
      ASSERT_NE(have.max, nullptr) << column->type()->ToString();
      EXPECT_TRUE(have.min->Equals(*both.value[0])) << have.min->ToString();
      EXPECT_TRUE(have.max->Equals(*both.value[1])) << have.max->ToString();
      EXPECT_GT(have.bytes, 0);
    }
  }
};

TEST_F(ParquetStatistics, AreThoseThatArrowComputes) {
  ExpectAsArrowHasThem(ArrayOf(arrow::boolean(), "[true, null, false, true]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::int8(), "[3, null, -128, 127]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::int16(), "[3, null, -32768, 5]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::int32(), "[3, 2147483647, null, -2147483648]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::int64(), "[3, 9223372036854775807, -5, null]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::uint8(), "[3, null, 200, 255]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::uint16(), "[3, null, 40000, 65535]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::uint32(), "[3, null, 4000000000, 7]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::uint64(), "[3, null, 18446744073709551615, 7]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::float32(), "[3.5, null, -1.25, 7]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::float64(), "[3.5, null, -Inf, Inf]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::utf8(), R"(["b", null, "", "ä"])"));
  ExpectAsArrowHasThem(ArrayOf(arrow::binary(), R"(["b", null, "ab", "zz"])"));
  ExpectAsArrowHasThem(ArrayOf(arrow::fixed_size_binary(2), R"(["bb", null, "ab", "zz"])"));
  ExpectAsArrowHasThem(ArrayOf(arrow::date32(), "[5, null, -700000, 19000]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::time32(arrow::TimeUnit::MILLI), "[5, null, 1, 86399999]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::time64(arrow::TimeUnit::NANO), "[5, null, 1, 86399999]"));
  ExpectAsArrowHasThem(
      ArrayOf(arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"), "[5, null, -1, 99]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::timestamp(arrow::TimeUnit::NANO), "[5, null, -1, 99]"));
  ExpectAsArrowHasThem(ArrayOf(arrow::decimal128(5, 2), R"(["1.25", null, "-9.99", "0.00"])"));
  ExpectAsArrowHasThem(ArrayOf(arrow::decimal128(15, 2), R"(["1.25", null, "-9.99", "0.00"])"));
  ExpectAsArrowHasThem(ArrayOf(arrow::decimal128(38, 2), R"(["1.25", null, "-9.99", "0.00"])"));
  ExpectAsArrowHasThem(ArrayOf(arrow::decimal256(60, 2), R"(["1.25", null, "-9.99", "0.00"])"));
}

TEST_F(ParquetStatistics, HaveNoBoundsWhereAllIsNull) {
  for (const auto& type : {arrow::int64(), arrow::utf8(), arrow::float64()}) {
    const ColumnStatistics have = Of(ArrayOf(type, "[null, null, null]"));
    EXPECT_EQ(have.null_count, 3);
    EXPECT_EQ(have.min, nullptr);
    EXPECT_EQ(have.max, nullptr);
  }
  const ColumnStatistics partly = Of(ArrayOf(arrow::int64(), "[null, null, 4, null]"), true);
  EXPECT_EQ(partly.null_count, 3);
  EXPECT_EQ(partly.min->ToString(), "4");
}

TEST_F(ParquetStatistics, CountNanAndLeaveItOut) {
  for (const auto& type : {arrow::float16(), arrow::float32(), arrow::float64()}) {
    for (const bool many : {false, true}) {
      const ColumnStatistics have = Of(ArrayOf(type, "[NaN, 1, null, 2, NaN]"), many);
      EXPECT_EQ(have.nan_count, 2);
      EXPECT_EQ(have.null_count, 1);
      // A row group of nothing but NaN has no bounds, and what it has is not known to be less.
      EXPECT_EQ(have.min == nullptr, many);
    }
    EXPECT_EQ(Of(ArrayOf(type, "[NaN, NaN]")).max, nullptr);
  }
}

TEST_F(ParquetStatistics, HaveNegativeZeroBelowAndZeroAbove) {
  const ColumnStatistics have = Of(ArrayOf(arrow::float64(), "[-0.0, 0.0]"));
  const auto value = [](const auto& scalar) {
    return static_cast<const arrow::DoubleScalar&>(*scalar).value;
  };
  EXPECT_TRUE(std::signbit(value(have.min)));
  EXPECT_FALSE(std::signbit(value(have.max)));
}

TEST_F(ParquetStatistics, KnowNoBoundsOfLongValues) {
  arrow::StringBuilder builder;
  AMP_ASSERT_OK(builder.AppendValues({"a", "b", std::string(5000, 'c')}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto column, builder.Finish());
  EXPECT_EQ(Of(column).max, nullptr);
  EXPECT_EQ(Of(column).null_count, 0);
}

TEST_F(ParquetStatistics, TellLeavesOfNestedColumns) {
  const auto type = arrow::struct_(
      {arrow::field("x", arrow::int32()), arrow::field("l", arrow::list(arrow::float64()))});
  const Batch batch = BatchOf(
      {{"s", ArrayOf(type, R"([{"x": 1, "l": [NaN, 1]}, null, {"x": null, "l": [NaN]}])")}});
  for (const int64_t copies : {3, 90'000}) {
    const Batch rows = copies == 3 ? batch : Repeated(batch, copies);
    Plan(batch->schema());
    AMP_ASSERT_OK_AND_ASSIGN(const auto files, WriteAll({rows}));
    const auto& columns = files[0].columns;
    ASSERT_EQ(columns.size(), 2U);
    EXPECT_EQ(columns[0].path, (std::vector<std::string>{"s", "x"}));
    EXPECT_EQ(columns[1].path, (std::vector<std::string>{"s", "l", "list", "element"}));
    EXPECT_FALSE(columns[0].repeated);
    EXPECT_TRUE(columns[1].repeated);
    EXPECT_EQ(columns[0].value_count, copies);
    const auto& structs = static_cast<const arrow::StructArray&>(*rows->column(0));
    AMP_ASSERT_OK_AND_ASSIGN(const auto x, structs.GetFlattenedField(0));
    EXPECT_EQ(columns[0].null_count, x->null_count());
    // One in the list of every struct.
    EXPECT_EQ(columns[1].nan_count, copies - structs.null_count());
  }
}

}  // namespace
}  // namespace amp::parquet_tests
