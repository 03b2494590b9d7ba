#include "loaders/delta/stats_json.h"

#include <nlohmann/json.hpp>

#include "parquet/written_files.h"

namespace amp::parquet_tests {
namespace {

using delta::StatsColumns;
using delta::StatsJson;
using nlohmann::json;

class DeltaStatsJson : public WrittenFiles {
 protected:
  std::string Text(const Batch& batch, const StatsColumns& columns = {}) {
    Plan(batch->schema());
    const auto files = WriteAll({batch});
    EXPECT_TRUE(files.ok()) << files.status().ToString();
    return files.ok() ? StatsJson((*files)[0], columns) : "";
  }
  json Of(const unit::ArrayPtr& column) { return json::parse(Text(BatchOf({{"c", column}}))); }
};

std::string Repeat(std::string_view text, int times) {
  std::string all;
  for (int i = 0; i < times; ++i) all += text;
  return all;
}

unit::ArrayPtr Texts(const std::vector<std::string>& values) {
  arrow::StringBuilder builder;
  EXPECT_TRUE(builder.AppendValues(values).ok());
  return builder.Finish().ValueOrDie();
}

TEST_F(DeltaStatsJson, HasCountsAndBounds) {
  const Batch batch = BatchOf(
      {{"n", ArrayOf(arrow::int64(), "[3, null, -1]")},
       {"quo\"te", ArrayOf(arrow::utf8(), R"(["b", "a\"", null])")},
       {"d", ArrayOf(arrow::decimal128(20, 3), R"(["-1.250", "12345678901234567.890", null])")}});
  EXPECT_EQ(Text(batch), R"({"numRecords":3,"minValues":{"n":-1,"quo\"te":"a\"","d":-1.250},)"
                         R"("maxValues":{"n":3,"quo\"te":"b","d":12345678901234567.890},)"
                         R"("nullCount":{"n":1,"quo\"te":1,"d":1},"tightBounds":true})");
}

TEST_F(DeltaStatsJson, RoundsTimesToMilliseconds) {
  const auto micro = arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
  json have = Of(ArrayOf(micro, "[-1, 1000001, null]"));
  EXPECT_EQ(have["minValues"]["c"], "1969-12-31T23:59:59.999Z");
  EXPECT_EQ(have["maxValues"]["c"], "1970-01-01T00:00:01.001Z");
  have = Of(ArrayOf(micro, "[-2000, 1000000]"));
  EXPECT_EQ(have["minValues"]["c"], "1969-12-31T23:59:59.998Z");
  EXPECT_EQ(have["maxValues"]["c"], "1970-01-01T00:00:01.000Z");
  have = Of(ArrayOf(arrow::timestamp(arrow::TimeUnit::MICRO), "[0]"));
  EXPECT_EQ(have["minValues"]["c"], "1970-01-01T00:00:00.000");
  have = Of(ArrayOf(arrow::date32(), "[0, 19000]"));
  EXPECT_EQ(have["maxValues"]["c"], "2022-01-08");
}

TEST_F(DeltaStatsJson, CutsTextsByCodePoints) {
  const std::string fits = Repeat("ä", 32);
  json have = Of(Texts({fits}));
  EXPECT_EQ(have["minValues"]["c"], fits);
  EXPECT_EQ(have["maxValues"]["c"], fits);
  have = Of(Texts({fits + "z"}));
  EXPECT_EQ(have["minValues"]["c"], fits);
  EXPECT_EQ(have["maxValues"]["c"], Repeat("ä", 31) + "å");
  const std::string top = "\xF4\x8F\xBF\xBF";  // U+10FFFF
  have = Of(Texts({"a" + Repeat(top, 40)}));
  EXPECT_EQ(have["minValues"]["c"], "a" + Repeat(top, 31));
  EXPECT_EQ(have["maxValues"]["c"], "b");
  have = Of(Texts({Repeat(top, 40)}));
  EXPECT_FALSE(have["maxValues"].contains("c"));
  EXPECT_EQ(have["nullCount"]["c"], 0);
  have = Of(Texts({Repeat("a", 31) + "\xED\x9F\xBF" + "z"}));  // U+D7FF
  EXPECT_EQ(have["maxValues"]["c"], Repeat("a", 31) + "\xEE\x80\x80");
  have = Of(Texts({Repeat("a", 31) + "\xEF\xBF\xBF" + "z"}));  // U+FFFF
  EXPECT_EQ(have["maxValues"]["c"], Repeat("a", 30) + "b");
}

TEST_F(DeltaStatsJson, RoundedTextsAreAboveTheirOwn) {
  for (const char* last : {"z", "\x7F", "\xDF\xBF", "\xEF\xBF\xBE", "\xF0\x9F\xBF\xBF"}) {
    const std::string text = Repeat("m", 31) + last + Repeat("\xF4\x8F\xBF\xBF", 3);
    const json have = Of(Texts({text}));
    EXPECT_GT(have["maxValues"]["c"].get<std::string>(), text);
    EXPECT_LT(have["minValues"]["c"].get<std::string>(), text);
  }
}

TEST_F(DeltaStatsJson, LeavesOutWhatHasNoBounds) {
  json have = Of(ArrayOf(arrow::binary(), R"(["a", null])"));
  EXPECT_TRUE(have["minValues"].empty());
  EXPECT_EQ(have["nullCount"]["c"], 1);
  EXPECT_TRUE(Of(ArrayOf(arrow::boolean(), "[true]"))["minValues"].empty());
  have = Of(ArrayOf(arrow::int32(), "[null, null]"));
  EXPECT_TRUE(have["maxValues"].empty());
  EXPECT_EQ(have["nullCount"]["c"], 2);
}

TEST_F(DeltaStatsJson, HasNoBoundsOfColumnsWithNan) {
  EXPECT_TRUE(Of(ArrayOf(arrow::float64(), "[1.5, NaN]"))["maxValues"].empty());
  const json have = Of(ArrayOf(arrow::float64(), "[1, -Inf, 0.1]"));
  EXPECT_FALSE(have["minValues"].contains("c"));
  EXPECT_EQ(have["maxValues"]["c"], 1.0);
}

TEST_F(DeltaStatsJson, NestsStructsAndCountsListsOnce) {
  const auto point =
      arrow::struct_({arrow::field("x", arrow::int32()),
                      arrow::field("in", arrow::struct_({arrow::field("y", arrow::int32())}))});
  const Batch batch =
      BatchOf({{"a", ArrayOf(point, R"([{"x": 1, "in": {"y": 2}}, null])")},
               {"m", ArrayOf(arrow::map(arrow::utf8(), arrow::int32()), R"([[["k", 1]], null])")},
               {"z", ArrayOf(arrow::int32(), "[5, 6]")}});
  json have = json::parse(Text(batch));
  EXPECT_EQ(have["minValues"], json::parse(R"({"a": {"x": 1, "in": {"y": 2}}, "z": 5})"));
  EXPECT_EQ(have["nullCount"], json::parse(R"({"a": {"x": 1, "in": {"y": 1}}, "z": 0})"));
  have = json::parse(Text(batch, {.first = 3}));
  EXPECT_FALSE(have["minValues"].contains("z"));
  have = json::parse(Text(batch, {.first = 4}));
  EXPECT_TRUE(have["minValues"].contains("z"));
  have = json::parse(Text(batch, {.first = 0}));
  EXPECT_TRUE(have["nullCount"].empty());
  have = json::parse(Text(batch, {.first = 0, .named = {"a.in", "z"}}));
  EXPECT_EQ(have["minValues"], json::parse(R"({"a": {"in": {"y": 2}}, "z": 5})"));
}

}  // namespace
}  // namespace amp::parquet_tests
