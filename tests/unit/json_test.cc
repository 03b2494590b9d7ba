// Values as JSON text, and rows back from it.

#include "core/json_text.h"

#include <arrow/extension/json.h>
#include <arrow/extension/uuid.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/json_decoder.h"
#include "unit/examples.h"

namespace amp {
namespace {

using namespace arrow;  // NOLINT: type names only
using unit::ArrayOf;
using unit::ArrayPtr;
using unit::BatchOf;
using unit::BatchPtr;
using unit::Strings;

Strings TextsOf(const TextColumn& texts) {
  Strings out;
  for (size_t i = 0; i < texts.ends.size(); ++i) out.emplace_back(texts[i]);
  return out;
}

Strings Json(const ArrayPtr& column) { return TextsOf(RenderJson(*column).ValueOrDie()); }
Strings Json(const std::shared_ptr<DataType>& type, std::string_view json) {
  return Json(ArrayOf(type, json));
}

Result<BatchPtr> Decode(const std::shared_ptr<Schema>& schema, const Strings& rows) {
  ARROW_ASSIGN_OR_RAISE(auto decoder, JsonRowDecoder::Make(schema));
  for (const std::string& row : rows) ARROW_RETURN_NOT_OK(decoder.Append(row));
  return decoder.Finish();
}

TEST(JsonText, IntegersBeyondADoubleAreText) {
  EXPECT_EQ(Json(int64(),
                 "[0, -1, 9007199254740992, 9007199254740993, -9007199254740992, "
                 "-9007199254740993, -9223372036854775808, null]"),
            (Strings{"0", "-1", "9007199254740992", "\"9007199254740993\"", "-9007199254740992",
                     "\"-9007199254740993\"", "\"-9223372036854775808\"", "null"}));
  EXPECT_EQ(Json(uint64(), "[18446744073709551615, 9007199254740992]"),
            (Strings{"\"18446744073709551615\"", "9007199254740992"}));
  EXPECT_EQ(Json(int8(), "[-128, 65]"), (Strings{"-128", "65"}));
  EXPECT_EQ(Json(uint8(), "[255, 65]"), (Strings{"255", "65"}));
  EXPECT_EQ(Json(boolean(), "[true, false, null]"), (Strings{"true", "false", "null"}));
}

TEST(JsonText, Reals) {
  EXPECT_EQ(Json(float64(), "[1.5, 0.1, -0.0, 1e300, NaN, Inf, -Inf, null]"),
            (Strings{"1.5", "0.1", "-0.0", "1e+300", "\"NaN\"", "\"Infinity\"", "\"-Infinity\"",
                     "null"}));
  // The shortest text of the column's own width.
  EXPECT_EQ(Json(float32(), "[0.1, 16777216]"), (Strings{"0.1", "16777216"}));
  EXPECT_EQ(Json(float16(), "[1.5, -Inf]"), (Strings{"1.5", "\"-Infinity\""}));
}

TEST(JsonText, DecimalsAreTextInFull) {
  EXPECT_EQ(Json(decimal128(20, 2), R"(["12.50", "-0.01", "0.00", null])"),
            (Strings{"\"12.50\"", "\"-0.01\"", "\"0.00\"", "null"}));
  EXPECT_EQ(Json(decimal128(38, 18), R"(["0.000000000000000001", "0.000000000000000000"])"),
            (Strings{"\"0.000000000000000001\"", "\"0.000000000000000000\""}));
  EXPECT_EQ(Json(unit::DecimalsOf<Decimal256, Decimal256Builder>(decimal256(5, -2), {"-12", "0"})),
            (Strings{"\"-1200\"", "\"0\""}));
}

TEST(JsonText, BytesAreHex) {
  EXPECT_EQ(Json(binary(), R"(["", "\u0000az", null])"),
            (Strings{"\"0x\"", "\"0x00617a\"", "null"}));
  EXPECT_EQ(Json(fixed_size_binary(2), R"(["az"])"), (Strings{"\"0x617a\""}));
  EXPECT_EQ(Json(large_binary(), R"(["a"])"), (Strings{"\"0x61\""}));
}

TEST(JsonText, ControlCharactersAreEscaped) {
  EXPECT_EQ(
      Json(utf8(), R"(["a\"b\\c", "\n\r\t\b\f", "\u0000\u001f", "é東/\u007f"])"),
      (Strings{R"("a\"b\\c")", R"("\n\r\t\u0008\u000c")", R"("\u0000\u001f")", "\"é東/\x7f\""}));
  std::string every;
  for (int c = 0; c < 128; ++c) every.push_back(static_cast<char>(c));
  std::string quoted;
  AppendJsonString(every, &quoted);
  EXPECT_EQ(nlohmann::json::parse(quoted).get<std::string>(), every);
}

TEST(JsonText, TimesHaveAllDigitsOfTheirUnit) {
  EXPECT_EQ(Json(date32(), "[0, -1, null]"), (Strings{"\"1970-01-01\"", "\"1969-12-31\"", "null"}));
  EXPECT_EQ(Json(date64(), "[1689033600000]"), (Strings{"\"2023-07-11\""}));
  EXPECT_EQ(Json(timestamp(TimeUnit::NANO, "UTC"), "[1689078896000000001]"),
            (Strings{"\"2023-07-11T12:34:56.000000001Z\""}));
  EXPECT_EQ(Json(timestamp(TimeUnit::MILLI), "[-1]"), (Strings{"\"1969-12-31T23:59:59.999\""}));
  EXPECT_EQ(Json(timestamp(TimeUnit::SECOND), "[0]"), (Strings{"\"1970-01-01T00:00:00\""}));
  EXPECT_EQ(Json(time64(TimeUnit::MICRO), "[45296789012]"), (Strings{"\"12:34:56.789012\""}));
  EXPECT_EQ(Json(duration(TimeUnit::MILLI), "[-1500]"), (Strings{"\"PT-1.500S\""}));
  EXPECT_EQ(Json(month_interval(), "[14]"), (Strings{"\"P14M\""}));
  EXPECT_EQ(Json(day_time_interval(), "[[-3, 1500]]"), (Strings{"\"P-3DT1.500S\""}));
  EXPECT_EQ(Json(month_day_nano_interval(), "[[1, -2, 3]]"), (Strings{"\"P1M-2DT0.000000003S\""}));
}

TEST(JsonText, Nested) {
  EXPECT_EQ(Json(list(int8()), "[[1, null], [], null]"), (Strings{"[1,null]", "[]", "null"}));
  EXPECT_EQ(Json(struct_({field("x", int8()), field("a\"b", utf8())}),
                 R"([{"x": 1, "a\"b": "y"}, null])"),
            (Strings{R"({"x":1,"a\"b":"y"})", "null"}));
  EXPECT_EQ(Json(map(utf8(), int8()), R"([[["b", 1], ["a", null]], []])"),
            (Strings{R"({"b":1,"a":null})", "{}"}));
  EXPECT_EQ(Json(map(int8(), utf8()), R"([[[2, "x"]], null])"),
            (Strings{R"([{"key":2,"value":"x"}])", "null"}));
  EXPECT_EQ(Json(unit::NullListOverValues()), (Strings{R"(["a","b"])", "null", "[null]"}));
}

TEST(JsonText, SlicesAreTheirRowsOnly) {
  for (const ArrayPtr& example : unit::AllExamples()) {
    SCOPED_TRACE(example->type()->ToString());
    const Strings all = Json(example);
    EXPECT_EQ(Json(example->Slice(1)), Strings(all.begin() + 1, all.end()));
    EXPECT_EQ(Json(example->Slice(0, 0)), Strings{});
  }
}

TEST(JsonText, ExtensionsShowWhatTheyAreMadeOf) {
  const auto json =
      ExtensionType::WrapArray(extension::json(), ArrayOf(utf8(), R"(["{\"a\": 1}", null])"));
  EXPECT_EQ(Json(json), (Strings{R"({"a": 1})", "null"}));
  const auto uuid = ExtensionType::WrapArray(
      extension::uuid(), ArrayOf(fixed_size_binary(16), R"(["0123456789abcdef"])"));
  EXPECT_EQ(Json(uuid), (Strings{"\"0x30313233343536373839616263646566\""}));
}

TEST(JsonText, RowsHaveEveryColumn) {
  const auto batch = BatchOf({{"id", ArrayOf(int32(), "[1, null]")},
                              {"na\"me", ArrayOf(utf8(), R"(["x", null])")},
                              {"nothing", ArrayOf(null(), "[null, null]")}});
  EXPECT_EQ(TextsOf(RenderJsonRows(*batch).ValueOrDie()),
            (Strings{R"({"id":1,"na\"me":"x","nothing":null})",
                     R"({"id":null,"na\"me":null,"nothing":null})"}));
}

TEST(JsonDecoder, EveryTypeThereAndBack) {
  for (const ArrayPtr& example : unit::AllExamples()) {
    SCOPED_TRACE(example->type()->ToString());
    const auto batch = BatchOf({{"c", example}});
    const auto back = Decode(batch->schema(), TextsOf(RenderJsonRows(*batch).ValueOrDie()));
    ASSERT_TRUE(back.ok()) << back.status().ToString();
    EXPECT_TRUE(unit::SameRows(**back, *batch));
  }
}

TEST(JsonDecoder, RefusesOtherTypesAndRanges) {
  const auto refused = [](const std::shared_ptr<DataType>& type, const std::string& value) {
    return unit::Fails(Decode(schema({field("c", type)}), {R"({"c":)" + value + "}"}).status(),
                       ErrorKind::kDataInvalid, {"a stored row is broken"});
  };
  EXPECT_TRUE(refused(boolean(), "1"));
  EXPECT_TRUE(refused(int8(), "128"));
  EXPECT_TRUE(refused(int32(), "1.5"));
  EXPECT_TRUE(refused(uint64(), "-1"));
  EXPECT_TRUE(refused(uint64(), "\"18446744073709551616\""));
  EXPECT_TRUE(refused(float64(), "\"nan\""));
  EXPECT_TRUE(refused(utf8(), "1"));
  EXPECT_TRUE(refused(binary(), "\"617a\""));
  EXPECT_TRUE(refused(binary(), "\"0x6\""));
  EXPECT_TRUE(refused(fixed_size_binary(2), "\"0x61\""));
  EXPECT_TRUE(refused(decimal128(5, 2), "\"1.5\""));
  EXPECT_TRUE(refused(decimal128(5, 2), "1.50"));
  EXPECT_TRUE(refused(date32(), "\"2023-02-29\""));
  EXPECT_TRUE(refused(date32(), "\"+5881580-07-12\""));  // a day after the last
  EXPECT_TRUE(refused(date64(), "\"+300000000000-01-01\""));
  EXPECT_TRUE(refused(time32(TimeUnit::SECOND), "\"12:00:00.5\""));
  EXPECT_TRUE(refused(day_time_interval(), "\"P0DT2147483.648S\""));
  EXPECT_TRUE(refused(month_interval(), "\"P1Y\""));
  EXPECT_TRUE(refused(list(int8()), "{}"));
  EXPECT_TRUE(refused(fixed_size_list(int8(), 2), "[1]"));
  EXPECT_TRUE(refused(map(int8(), int8()), R"([{"key":null,"value":1}])"));
  EXPECT_TRUE(refused(map(int8(), int8()), "[1]"));
  EXPECT_TRUE(refused(struct_({field("x", int8())}), "{}"));
  EXPECT_TRUE(refused(null(), "1"));
}

TEST(JsonDecoder, RefusesWhatIsNoRow) {
  const auto schema = arrow::schema({field("c", int8())});
  for (const std::string row : {"", "[1]", "{", R"({"d":1})", R"({"c":1}x)", "null"}) {
    EXPECT_TRUE(unit::Fails(Decode(schema, {row}).status(), ErrorKind::kDataInvalid, {"broken"}))
        << row;
  }
}

TEST(JsonDecoder, AColumnThatARowLacksIsNull) {
  const auto schema = arrow::schema({field("a", int8()), field("b", utf8())});
  const auto back = Decode(schema, {R"({"a":1})", R"({"a":2,"b":"x"})"});
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_TRUE((*back)->column(1)->IsNull(0));
  EXPECT_TRUE((*back)->column(1)->IsValid(1));
  const auto strict = arrow::schema({field("a", int8()), field("b", utf8(), false)});
  EXPECT_TRUE(unit::Fails(Decode(strict, {R"({"a":1})"}).status(), ErrorKind::kDataInvalid,
                          {"a column is missing"}));
}

TEST(JsonDecoder, PrefixesAndFlippedBytesNeverCrash) {
  const BatchPtr batch = unit::BatchOfExamples();
  const Strings rows = TextsOf(RenderJsonRows(*batch).ValueOrDie());
  for (size_t length = 0; length < rows[0].size(); length += 7) {
    EXPECT_FALSE(Decode(batch->schema(), {rows[0].substr(0, length)}).ok()) << length;
  }
  std::mt19937 random(20'230'711);
  for (int i = 0; i < 3'000; ++i) {
    std::string row = rows[random() % rows.size()];
    row[random() % row.size()] = static_cast<char>(random());
    const auto back = Decode(batch->schema(), {row});
    if (back.ok()) {
      ASSERT_TRUE((*back)->Validate().ok()) << row;
    } else {
      ASSERT_EQ(KindOf(back.status()), ErrorKind::kDataInvalid) << back.status().ToString();
    }
  }
}

}  // namespace
}  // namespace amp
