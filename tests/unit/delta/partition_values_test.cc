#include "loaders/delta/protocol/partition_values.h"

#include "amp/testing/asserts.h"
#include "unit/arrays.h"

namespace amp::delta {
namespace {

using unit::ArrayOf;
using unit::ArrayPtr;

struct Case {
  std::shared_ptr<arrow::DataType> type;
  std::string json;
  std::string text;
};

TEST(DeltaPartitions, ValuesBecomeTextAndComeBack) {
  using namespace arrow;
  const std::vector<Case> cases{
      {boolean(), "[true]", "true"},
      {int8(), "[-128]", "-128"},
      {int64(), "[9223372036854775807]", "9223372036854775807"},
      {float32(), "[0.1]", "0.1"},
      {float64(), "[3]", "3.0"},
      {float64(), "[NaN]", "NaN"},
      {float64(), "[-Inf]", "-Infinity"},
      {date32(), "[-1]", "1969-12-31"},
      {timestamp(TimeUnit::MICRO, "UTC"), "[1577934245000600]", "2020-01-02T03:04:05.000600Z"},
      {timestamp(TimeUnit::MICRO), "[1577934245000600]", "2020-01-02 03:04:05.000600"},
      {decimal128(38, 20), R"(["123456789012345678.12345678901234567890"])",
       "123456789012345678.12345678901234567890"},
      {utf8(), R"(["ö /=%"])", "ö /=%"},
      {binary(), R"(["\u0001\u0002\u0003"])", "\x01\x02\x03"},
  };
  for (const Case& one : cases) {
    SCOPED_TRACE(one.type->ToString());
    const ArrayPtr array = ArrayOf(one.type, one.json);
    AMP_ASSERT_OK_AND_ASSIGN(const auto text, PartitionValue(*array, 0));
    EXPECT_EQ(text, one.text);
    AMP_ASSERT_OK_AND_ASSIGN(const ArrayPtr back, ParsePartitionValue(text, one.type));
    EXPECT_TRUE(unit::SameValues(*back, *array));
    AMP_ASSERT_OK_AND_ASSIGN(const auto none, PartitionValue(*ArrayOf(one.type, "[null]"), 0));
    EXPECT_EQ(none, std::nullopt);
    AMP_ASSERT_OK_AND_ASSIGN(const ArrayPtr empty, ParsePartitionValue("", one.type));
    EXPECT_EQ(empty->null_count(), 1);
  }
}

TEST(DeltaPartitions, TimestampsOfOthersAreRead) {
  const auto type = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  for (const char* text : {"2020-01-02 03:04:05", "2020-01-02T03:04:05Z",
                           "2020-01-02 03:04:05.000000", "2020-01-02T03:04:05.000000Z"}) {
    AMP_ASSERT_OK_AND_ASSIGN(const ArrayPtr value, ParsePartitionValue(text, type));
    EXPECT_TRUE(unit::SameValues(*value, *ArrayOf(type, "[1577934245000000]"))) << text;
  }
  AMP_EXPECT_ERROR(ParsePartitionValue("soon", type), ErrorKind::kProtocol, "'soon'");
  AMP_EXPECT_ERROR(ParsePartitionValue("12x", arrow::int32()), ErrorKind::kProtocol, "'12x'");
}

TEST(DeltaPartitions, WhatNobodyCouldReadBackIsRefused) {
  const auto refused = [](const ArrayPtr& array) { return PartitionValue(*array, 0).status(); };
  AMP_EXPECT_ERROR(refused(ArrayOf(arrow::utf8(), R"([""])")), ErrorKind::kDataInvalid, "null");
  AMP_EXPECT_ERROR(refused(ArrayOf(arrow::date32(), "[-2000000]")), ErrorKind::kDataInvalid,
                   "year");
  AMP_EXPECT_ERROR(refused(ArrayOf(arrow::binary(), R"(["ö"])")), ErrorKind::kDataInvalid, "ASCII");
  AMP_EXPECT_ERROR(refused(ArrayOf(arrow::list(arrow::int8()), "[[1]]")), ErrorKind::kUnsupported,
                   "partitioned by");
}

TEST(DeltaPartitions, ColumnsAreChecked) {
  const auto schema = arrow::schema(
      {arrow::field("a", arrow::int8()), arrow::field("l", arrow::list(arrow::int8()))});
  AMP_ASSERT_OK(CheckPartitionColumns(*schema, {"a"}));
  AMP_ASSERT_OK(CheckPartitionColumns(*schema, {}));
  AMP_EXPECT_ERROR(CheckPartitionColumns(*schema, {"b"}), ErrorKind::kConfigInvalid, "'b'");
  AMP_EXPECT_ERROR(CheckPartitionColumns(*schema, {"a", "a"}), ErrorKind::kConfigInvalid, "twice");
  AMP_EXPECT_ERROR(CheckPartitionColumns(*schema, {"l"}), ErrorKind::kUnsupported, "'l'");
  const auto only = arrow::schema({arrow::field("a", arrow::int8())});
  AMP_EXPECT_ERROR(CheckPartitionColumns(*only, {"a"}), ErrorKind::kConfigInvalid, "every column");
}

TEST(DeltaPartitions, BatchesAreCutByValue) {
  const auto batch =
      unit::BatchOf({{"v", ArrayOf(arrow::int32(), "[0, 1, 2, 3, 4, 5]")},
                     {"p", ArrayOf(arrow::utf8(), R"(["x", "y", "x", null, null, "y"])")},
                     {"q", ArrayOf(arrow::date32(), "[0, 0, 0, 1, 1, 1]")}});
  AMP_ASSERT_OK_AND_ASSIGN(const auto pieces, SplitByPartition(batch, {"q", "p"}));
  ASSERT_EQ(pieces.size(), 4U);
  EXPECT_EQ(pieces[0].values, (NullableMap{{"p", "x"}, {"q", "1970-01-01"}}));
  EXPECT_EQ(pieces[2].values, (NullableMap{{"p", std::nullopt}, {"q", "1970-01-02"}}));
  EXPECT_EQ(pieces[0].rows->schema()->field_names(), (Strings{"v"}));
  const std::vector<std::string> want{"[0, 2]", "[1]", "[3, 4]", "[5]"};
  for (size_t i = 0; i < pieces.size(); ++i) {
    EXPECT_TRUE(unit::SameValues(*pieces[i].rows->column(0), *ArrayOf(arrow::int32(), want[i])));
  }
  AMP_ASSERT_OK_AND_ASSIGN(const auto slice, SplitByPartition(batch->Slice(3, 2), {"p"}));
  ASSERT_EQ(slice.size(), 1U);
  EXPECT_EQ(slice[0].rows->num_rows(), 2);
  AMP_ASSERT_OK_AND_ASSIGN(const auto whole, SplitByPartition(batch, {}));
  EXPECT_EQ(whole.at(0).rows->num_columns(), 3);
  AMP_ASSERT_OK_AND_ASSIGN(const auto none, SplitByPartition(batch->Slice(0, 0), {"p"}));
  EXPECT_TRUE(none.empty());
}

TEST(DeltaPartitions, EveryTypeCutsABatch) {
  using namespace arrow;
  for (const auto& [type, json] : std::vector<std::pair<std::shared_ptr<DataType>, std::string>>{
           {boolean(), "[true, false, null, true]"},
           {int8(), "[1, 2, null, 1]"},
           {float64(), "[NaN, 0.5, null, NaN]"},
           {date32(), "[1, 2, null, 1]"},
           {timestamp(TimeUnit::MICRO, "UTC"), "[1, 2, null, 1]"},
           {decimal128(5, 2), R"(["1.00", "2.00", null, "1.00"])"},
           {large_utf8(), R"(["a", "b", null, "a"])"},
           {binary(), R"(["a", "b", null, "a"])"}}) {
    SCOPED_TRACE(type->ToString());
    const auto batch =
        unit::BatchOf({{"v", ArrayOf(int32(), "[0, 1, 2, 3]")}, {"p", ArrayOf(type, json)}});
    AMP_ASSERT_OK_AND_ASSIGN(const auto pieces, SplitByPartition(batch, {"p"}));
    ASSERT_EQ(pieces.size(), 3U);
    EXPECT_EQ(pieces[0].rows->num_rows(), 2);
    EXPECT_EQ(pieces[2].values.at("p"), std::nullopt);
  }
}

TEST(DeltaPartitions, ErrorsNameColumnAndRow) {
  const auto batch = unit::BatchOf(
      {{"v", ArrayOf(arrow::int32(), "[0, 1]")}, {"p", ArrayOf(arrow::utf8(), R"(["x", ""])")}});
  AMP_EXPECT_ERROR(SplitByPartition(batch, {"p"}), ErrorKind::kDataInvalid, "column 'p', row 1");
}

}  // namespace
}  // namespace amp::delta
