#include <arrow/type.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "amp/testing/asserts.h"
#include "loaders/delta/protocol/convert.h"
#include "loaders/delta/protocol/schema_json.h"
#include "loaders/delta/protocol/type_plan.h"
#include "unit/examples.h"

namespace amp::delta {
namespace {

using unit::ArrayOf;
using unit::ArrayPtr;
using unit::BatchOf;
using unit::BatchPtr;

// From PROTOCOL.md, "Schema Serialization Format", without its white space.
constexpr std::string_view kExample =
    R"({"type":"struct","fields":[{"name":"a","type":"integer","nullable":false,"metadata":{}},)"
    R"({"name":"b","type":{"type":"struct","fields":[{"name":"d","type":"integer",)"
    R"("nullable":false,"metadata":{}}]},"nullable":true,"metadata":{}},)"
    R"({"name":"c","type":{"type":"array","elementType":"integer","containsNull":false},)"
    R"("nullable":true,"metadata":{}},{"name":"e","type":{"type":"array","elementType":)"
    R"({"type":"struct","fields":[{"name":"d","type":"integer","nullable":false,)"
    R"("metadata":{}}]},"containsNull":true},"nullable":true,"metadata":{}},)"
    R"({"name":"f","type":{"type":"map","keyType":"string","valueType":"string",)"
    R"("valueContainsNull":true},"nullable":true,"metadata":{}}]})";

TEST(DeltaSchema, TheProtocolsExampleComesBack) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto schema, SchemaFromJson(kExample));
  EXPECT_EQ(schema->field(1)->type()->ToString(), "struct<d: int32 not null>");
  AMP_ASSERT_OK_AND_ASSIGN(const std::string json, SchemaToJson(*schema));
  EXPECT_EQ(json, kExample);
  EXPECT_EQ(DeltaTypeName(*schema->field(3)->type()), "array<struct<d:integer>>");
  EXPECT_EQ(DeltaTypeName(*schema->field(4)->type()), "map<string,string>");
}

std::string OneColumn(std::string_view type, std::string_view metadata = "{}") {
  return fmt::format(
      R"({{"type":"struct","fields":[{{"name":"x","type":{},"nullable":true,"metadata":{}}}]}})",
      type, metadata);
}

TEST(DeltaSchema, EveryPrimitiveTypeComesBack) {
  for (const char* type :
       {"string", "long", "integer", "short", "byte", "float", "double", "boolean", "binary",
        "date", "timestamp", "timestamp_ntz", "decimal(38,18)", "decimal(1,1)", "void"}) {
    const std::string json = OneColumn(fmt::format("\"{}\"", type));
    AMP_ASSERT_OK_AND_ASSIGN(const auto schema, SchemaFromJson(json));
    AMP_ASSERT_OK_AND_ASSIGN(const std::string back, SchemaToJson(*schema));
    EXPECT_EQ(back, json);
    EXPECT_EQ(DeltaTypeName(*schema->field(0)->type()), type);
  }
}

TEST(DeltaSchema, ColumnMetadataIsKept) {
  const std::string json = OneColumn(
      "\"long\"", R"({"comment":"é \"q\"","delta.columnMapping.id":4,)"
                  R"("delta.columnMapping.physicalName":"col-1","delta.invariants":"{}"})");
  AMP_ASSERT_OK_AND_ASSIGN(const auto schema, SchemaFromJson(json));
  AMP_ASSERT_OK_AND_ASSIGN(const std::string back, SchemaToJson(*schema));
  EXPECT_EQ(back, json);
  EXPECT_EQ(ColumnWith(*schema, "delta.invariants"), "x");
  EXPECT_EQ(ColumnWith(*schema, "delta.generationExpression"), std::nullopt);

  const Metadata mapped{.id = "", .configuration = {{"delta.columnMapping.mode", "id"}}};
  AMP_ASSERT_OK_AND_ASSIGN(const auto physical, PhysicalSchema(*schema, mapped));
  EXPECT_EQ(physical->field(0)->name(), "col-1");
  EXPECT_EQ(physical->field(0)->metadata()->Get("PARQUET:field_id").ValueOrDie(), "4");
  EXPECT_EQ(PhysicalName(*schema->field(0), mapped), "col-1");
  EXPECT_EQ(PhysicalName(*schema->field(0), {}), "x");
}

TEST(DeltaSchema, BrokenOnesAreRefused) {
  AMP_EXPECT_ERROR(SchemaFromJson("[]"), ErrorKind::kProtocol, "no JSON object");
  AMP_EXPECT_ERROR(SchemaFromJson(OneColumn("\"variant\"")), ErrorKind::kUnsupported,
                   "column 'x': type 'variant'");
  AMP_EXPECT_ERROR(SchemaFromJson(OneColumn("\"decimal(39,0)\"")), ErrorKind::kProtocol, "decimal");
  AMP_EXPECT_ERROR(SchemaFromJson(OneColumn("\"decimal(3,1)x\"")), ErrorKind::kProtocol, "decimal");
  std::string deep = "\"long\"";
  for (int i = 0; i < 100; ++i) deep = R"({"type":"array","elementType":)" + deep + "}";
  AMP_EXPECT_ERROR(SchemaFromJson(OneColumn(deep)), ErrorKind::kProtocol, "too deeply");
  const auto twice =
      arrow::schema({arrow::field("a", arrow::int8()), arrow::field("A", arrow::int8())});
  AMP_EXPECT_ERROR(SchemaToJson(*twice), ErrorKind::kSchemaMismatch, "'A' is there twice");
}

Result<BatchPtr> Converted(const ArrayPtr& array, const TypeOptions& options = {}) {
  const BatchPtr batch = BatchOf({{"x", array}});
  ARROW_ASSIGN_OR_RAISE(const SchemaPlan plan, PlanColumns(*batch->schema(), options));
  return ConvertBatch(*batch, plan);
}

struct Case {
  ArrayPtr given;
  std::string delta_type;
  ArrayPtr want;
};

void Check(const Case& one, const TypeOptions& options = {}) {
  SCOPED_TRACE(one.given->type()->ToString());
  const BatchPtr batch = BatchOf({{"x", one.given}});
  AMP_ASSERT_OK_AND_ASSIGN(const SchemaPlan plan, PlanColumns(*batch->schema(), options));
  EXPECT_EQ(plan.columns[0].delta_type, one.delta_type);
  AMP_ASSERT_OK(SchemaToJson(*plan.written));
  AMP_ASSERT_OK_AND_ASSIGN(const BatchPtr have, ConvertBatch(*batch, plan));
  EXPECT_TRUE(unit::SameValues(*have->column(0), *one.want));
  // The same from the middle of a longer one.
  AMP_ASSERT_OK_AND_ASSIGN(const auto padded,
                           arrow::Concatenate({one.given, one.given, one.given}));
  const auto slice = padded->Slice(one.given->length(), one.given->length());
  AMP_ASSERT_OK_AND_ASSIGN(const BatchPtr sliced, Converted(slice, options));
  EXPECT_TRUE(unit::SameValues(*sliced->column(0), *one.want));
}

TEST(DeltaTypes, ArrowTypesBecomeDeltaTypesExactly) {
  using namespace arrow;
  const auto micros = timestamp(TimeUnit::MICRO);
  const auto instants = timestamp(TimeUnit::MICRO, "UTC");
  const auto element = [](const std::shared_ptr<DataType>& type) {
    return list(field("element", type));
  };
  const std::vector<Case> cases{
      {ArrayOf(uint8(), "[255, null]"), "short", ArrayOf(int16(), "[255, null]")},
      {ArrayOf(uint16(), "[65535, null]"), "integer", ArrayOf(int32(), "[65535, null]")},
      {ArrayOf(uint32(), "[4294967295, null]"), "long", ArrayOf(int64(), "[4294967295, null]")},
      {ArrayOf(uint64(), "[18446744073709551615, null]"), "decimal(20,0)",
       ArrayOf(decimal128(20, 0), R"(["18446744073709551615", null])")},
      {ArrayOf(float16(), "[1.5, null, NaN]"), "float", ArrayOf(float32(), "[1.5, null, NaN]")},
      {ArrayOf(large_utf8(), R"(["a", null])"), "string", ArrayOf(large_utf8(), R"(["a", null])")},
      {ArrayOf(utf8_view(), R"(["a", null])"), "string", ArrayOf(utf8(), R"(["a", null])")},
      {ArrayOf(fixed_size_binary(2), R"(["ab", null])"), "binary",
       ArrayOf(binary(), R"(["ab", null])")},
      {ArrayOf(date64(), "[-86400000, null]"), "date", ArrayOf(date32(), "[-1, null]")},
      {ArrayOf(decimal32(5, 2), R"(["123.45", null])"), "decimal(5,2)",
       ArrayOf(decimal128(5, 2), R"(["123.45", null])")},
      {ArrayOf(decimal256(38, 2), R"(["123.45", null])"), "decimal(38,2)",
       ArrayOf(decimal128(38, 2), R"(["123.45", null])")},
      {ArrayOf(timestamp(TimeUnit::SECOND), "[-1, null]"), "timestamp_ntz",
       ArrayOf(micros, "[-1000000, null]")},
      {ArrayOf(timestamp(TimeUnit::NANO, "Europe/Zurich"), "[-1000, null, 2000]"), "timestamp",
       ArrayOf(instants, "[-1, null, 2]")},
      {ArrayOf(dictionary(int8(), utf8()), R"(["a", null, "a"])"), "string",
       ArrayOf(utf8(), R"(["a", null, "a"])")},
      {ArrayOf(large_list(uint8()), "[[1, null], null, []]"), "array<short>",
       ArrayOf(element(int16()), "[[1, null], null, []]")},
      {ArrayOf(fixed_size_list(uint8(), 2), "[[1, 2], null, [3, null]]"), "array<short>",
       ArrayOf(element(int16()), "[[1, 2], null, [3, null]]")},
      {ArrayOf(map(utf8(), uint64()), R"([[["a", 1]], null, []])"), "map<string,decimal(20,0)>",
       ArrayOf(map(utf8(), decimal128(20, 0)), R"([[["a", "1"]], null, []])")},
      {ArrayOf(struct_({field("u", uint8()), field("t", list(uint16()))}),
               R"([{"u": 1, "t": [2]}, null, {"u": null, "t": null}])"),
       "struct<u:short,t:array<integer>>",
       ArrayOf(struct_({field("u", int16()), field("t", element(int32()))}),
               R"([{"u": 1, "t": [2]}, null, {"u": null, "t": null}])")},
  };
  for (const Case& one : cases) Check(one);
}

TEST(DeltaTypes, DecimalsOfOddScalesKeepTheirValue) {
  const auto thousands = unit::DecimalsOf<arrow::Decimal128, arrow::Decimal128Builder>(
      arrow::decimal128(4, -3), {"12", "-9999"});
  Check({thousands, "decimal(7,0)", ArrayOf(arrow::decimal128(7, 0), R"(["12000", "-9999000"])")});
  const auto small = unit::DecimalsOf<arrow::Decimal128, arrow::Decimal128Builder>(
      arrow::decimal128(2, 4), {"12"});
  Check({small, "decimal(4,4)", ArrayOf(arrow::decimal128(4, 4), R"(["0.0012"])")});
}

TEST(DeltaTypes, WhatHasNoTypeIsRefusedOrKeptAsToldTo) {
  using namespace arrow;
  AMP_EXPECT_ERROR(Converted(ArrayOf(time64(TimeUnit::NANO), "[1]")), ErrorKind::kUnsupported,
                   "column 'x': Delta has no type for time64[ns]; set on_time");
  AMP_EXPECT_ERROR(Converted(ArrayOf(decimal256(39, 0), R"(["1"])")), ErrorKind::kUnsupported,
                   "set on_wide_decimal");
  AMP_EXPECT_ERROR(Converted(ArrayOf(null(), "[null]")), ErrorKind::kUnsupported, "null");
  AMP_EXPECT_ERROR(Converted(ArrayOf(list(null()), "[[null]]")), ErrorKind::kUnsupported, "null");
  const TypeOptions text{.on_time = OnTime::kText, .on_wide_decimal = OnWideDecimal::kText};
  Check({ArrayOf(time64(TimeUnit::NANO), "[1, null]"), "string",
         ArrayOf(utf8(), R"(["00:00:00.000000001", null])")},
        text);
  Check({ArrayOf(duration(TimeUnit::MILLI), "[-1500, null]"), "string",
         ArrayOf(utf8(), R"(["PT-1.500S", null])")},
        text);
  Check({ArrayOf(decimal256(40, 1), R"(["-1.5", null])"), "string",
         ArrayOf(utf8(), R"(["-1.5", null])")},
        text);
  const TypeOptions number{.on_time = OnTime::kNumber};
  Check({ArrayOf(time32(TimeUnit::MILLI), "[7, null]"), "long", ArrayOf(int64(), "[7, null]")},
        number);
  AMP_EXPECT_ERROR(Converted(ArrayOf(month_interval(), "[1]"), number), ErrorKind::kUnsupported,
                   "set on_time to text");
}

TEST(DeltaTypes, NanosecondsAreCheckedOneByOne) {
  using namespace arrow;
  const auto nanos = timestamp(TimeUnit::NANO, "UTC");
  const auto micros = timestamp(TimeUnit::MICRO, "UTC");
  const ArrayPtr lossy = ArrayOf(nanos, "[1000, null, -1, 3000]");
  AMP_EXPECT_ERROR(Converted(lossy), ErrorKind::kDataInvalid,
                   "column 'x', row 2: value \"1969-12-31T23:59:59.999999999Z\" does not fit");
  EXPECT_EQ(ErrorInfoOf(Converted(lossy).status()).row, 2);
  AMP_ASSERT_OK_AND_ASSIGN(const auto cut, Converted(lossy, {.on_lossy = OnLossy::kTruncate}));
  EXPECT_TRUE(unit::SameValues(*cut->column(0), *ArrayOf(micros, "[1, null, -1, 3]")));
  AMP_ASSERT_OK_AND_ASSIGN(const auto nulled, Converted(lossy, {.on_lossy = OnLossy::kNull}));
  EXPECT_TRUE(unit::SameValues(*nulled->column(0), *ArrayOf(micros, "[1, null, null, 3]")));
  const ArrayPtr far = ArrayOf(timestamp(TimeUnit::SECOND), "[9223372036854775807]");
  AMP_EXPECT_ERROR(Converted(far, {.on_lossy = OnLossy::kTruncate}), ErrorKind::kDataInvalid,
                   "out of range");
}

TEST(DeltaTypes, MisfitsInsideOthersNameRowAndPlace) {
  using namespace arrow;
  const auto nanos = timestamp(TimeUnit::NANO);
  const auto type = list(struct_({field("t", map(utf8(), nanos))}));
  const ArrayPtr array = ArrayOf(
      type, R"([[{"t": [["a", 1000]]}], null, [], [{"t": null}, {"t": [["b", 2000], ["c", 7]]}]])");
  AMP_EXPECT_ERROR(Converted(array), ErrorKind::kDataInvalid, "column 'x[].t.value', row 3: value");
}

TEST(DeltaTypes, ValuesBelowANullAreNone) {
  using namespace arrow;
  const auto nanos = ArrayOf(timestamp(TimeUnit::NANO), "[1000, 7, 2000]");
  const auto valid = AllocateBitmap(3).ValueOrDie();
  valid->mutable_data()[0] = 0b101;
  const auto structs =
      StructArray::Make({nanos}, std::vector<std::string>{"t"}, std::shared_ptr<Buffer>(valid))
          .ValueOrDie();
  AMP_ASSERT_OK(Converted(structs));
  const auto offsets = ArrayOf(int32(), "[0, 1, 2, 3]");
  const auto lists =
      ListArray::FromArrays(*offsets, *nanos, default_memory_pool(), std::shared_ptr<Buffer>(valid))
          .ValueOrDie();
  AMP_ASSERT_OK_AND_ASSIGN(const auto converted, Converted(lists));
  AMP_ASSERT_OK(converted->ValidateFull());
  EXPECT_TRUE(converted->column(0)->IsNull(1));
}

TEST(DeltaTypes, EveryExampleIsConvertedOrRefusedByColumn) {
  const TypeOptions options{.on_time = OnTime::kText,
                            .on_wide_decimal = OnWideDecimal::kText,
                            .on_lossy = OnLossy::kNull};
  for (const ArrayPtr& example : unit::AllExamples()) {
    SCOPED_TRACE(example->type()->ToString());
    const auto converted = Converted(example, options);
    if (!converted.ok()) {
      EXPECT_TRUE(unit::Fails(converted.status(), ErrorKind::kUnsupported, {"column 'x'"}));
      continue;
    }
    AMP_ASSERT_OK((*converted)->ValidateFull());
    EXPECT_EQ((*converted)->num_rows(), example->length());
    AMP_ASSERT_OK(SchemaToJson(*(*converted)->schema()));
  }
}

TEST(DeltaTypes, NullsAreRefusedWhereNoneMayBe) {
  const auto required = arrow::schema({arrow::field("x", arrow::int8(), /*nullable=*/false)});
  AMP_ASSERT_OK_AND_ASSIGN(const SchemaPlan plan, PlanColumns(*required, {}));
  const auto batch = arrow::RecordBatch::Make(required, 2, {ArrayOf(arrow::int8(), "[1, null]")});
  AMP_EXPECT_ERROR(ConvertBatch(*batch, plan), ErrorKind::kDataInvalid, "column 'x', row 1");
}

TEST(DeltaTypes, DataIsFittedToATableThatIsThere) {
  using namespace arrow;
  const auto table =
      schema({field("b", int64()), field("d", float64()),
              field("l", list(field("element", decimal128(20, 2)))), field("s", utf8())});
  const BatchPtr batch = BatchOf({{"s", ArrayOf(large_utf8(), R"(["x"])")},
                                  {"d", ArrayOf(float32(), "[1.5]")},
                                  {"b", ArrayOf(uint8(), "[7]")},
                                  {"l", ArrayOf(list(decimal128(5, 1)), R"([["1.5"]])")}});
  AMP_ASSERT_OK_AND_ASSIGN(const SchemaPlan plan, PlanColumnsFor(*table, *batch->schema(), {}));
  AMP_ASSERT_OK_AND_ASSIGN(const BatchPtr have, ConvertBatch(*batch, plan));
  EXPECT_EQ(have->schema()->field_names(), (std::vector<std::string>{"b", "d", "l", "s"}));
  EXPECT_TRUE(unit::SameValues(*have->column(0), *ArrayOf(int64(), "[7]")));
  EXPECT_TRUE(unit::SameValues(*have->column(1), *ArrayOf(float64(), "[1.5]")));
  EXPECT_EQ(have->column(2)->ToString().find("1.50") == std::string::npos, false);

  const auto other = schema({field("b", int16()), field("n", int8()), field("s", utf8())});
  const Status status = PlanColumnsFor(*other, *batch->schema(), {}).status();
  AMP_ASSERT_OK(PlanColumnsFor(
      *other, *schema({field("b", int8()), field("n", int8()), field("s", utf8())}), {}));
  EXPECT_TRUE(unit::Fails(status, ErrorKind::kSchemaMismatch,
                          {"column 'n' is missing", "column 'd' is not in the table"}));
}

}  // namespace
}  // namespace amp::delta
