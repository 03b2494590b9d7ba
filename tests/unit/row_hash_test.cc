// Rows have one hash on both sides of a target's type table.

#include "core/row_hash.h"

#include <arrow/extension/json.h>
#include <arrow/extension_type.h>

#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "unit/arrays.h"

namespace amp {
namespace {

using unit::ArrayOf;
using unit::BatchOf;
using TypePtr = std::shared_ptr<arrow::DataType>;

struct Pair {
  TypePtr source;
  std::string source_json;
  TypePtr target;
  std::string target_json;
};

unit::ArrayPtr Make(const TypePtr& type, const std::string& json) {
  if (type->id() != arrow::Type::EXTENSION) return ArrayOf(type, json);
  return arrow::ExtensionType::WrapArray(type, ArrayOf(arrow::utf8(), json));
}

Result<std::vector<Hash128>> HashesOf(const unit::ArrayPtr& array, const RowForm& form) {
  return HashRows(*BatchOf({{"c", array}}), form);
}

Result<bool> SameHashes(const unit::ArrayPtr& source, const unit::ArrayPtr& target) {
  ARROW_ASSIGN_OR_RAISE(const RowForm form, MatchRows(*BatchOf({{"c", source}})->schema(),
                                                      *BatchOf({{"c", target}})->schema()));
  if (!form.differences.empty()) return Status::Invalid(form.differences.front());
  ARROW_ASSIGN_OR_RAISE(const auto a, HashesOf(source, form));
  ARROW_ASSIGN_OR_RAISE(const auto b, HashesOf(target, form));
  return a == b;
}

TEST(RowHash, PairsThatTargetsMake) {
  using arrow::TimeUnit;
  const auto point =
      arrow::struct_({arrow::field("x", arrow::uint64()), arrow::field("tag", arrow::binary())});
  const auto text_map = arrow::map(arrow::utf8(), arrow::int32());
  const auto json = arrow::extension::json();
  const std::vector<Pair> pairs{
      {arrow::uint8(), "[0, 255, null]", arrow::int16(), "[0, 255, null]"},
      {arrow::uint32(), "[4294967295]", arrow::int64(), "[4294967295]"},
      {arrow::uint64(), "[0, 18446744073709551615, null]", arrow::decimal128(20, 0),
       R"(["0", "18446744073709551615", null])"},
      {arrow::uint64(), "[0, 18446744073709551615]", arrow::utf8(),
       R"(["0", "18446744073709551615"])"},
      {arrow::decimal128(10, 2), R"(["-12.50", "0.00"])", arrow::decimal256(60, 5),
       R"(["-12.50000", "0.00000"])"},
      {arrow::decimal128(10, 2), R"(["-0.50", "100.00", "0.00"])", arrow::utf8(),
       R"(["-0.5", "100.0000", "0"])"},
      {arrow::decimal256(76, 1), R"(["12345678901234567890123456789012345678901234567890.0"])",
       arrow::utf8(), R"(["12345678901234567890123456789012345678901234567890"])"},
      {arrow::float16(), "[1.5, null]", arrow::float32(), "[1.5, null]"},
      {arrow::float32(), "[1.5, -0.0]", arrow::float64(), "[1.5, 0.0]"},
      {arrow::large_utf8(), R"(["a", ""])", arrow::utf8(), R"(["a", ""])"},
      {arrow::fixed_size_binary(3), R"(["abc"])", arrow::binary(), R"(["abc"])"},
      {arrow::date64(), "[86400000]", arrow::date32(), "[1]"},
      {arrow::time32(TimeUnit::SECOND), "[5]", arrow::time64(TimeUnit::MICRO), "[5000000]"},
      {arrow::timestamp(TimeUnit::NANO, "UTC"), "[1000, -1000, null]",
       arrow::timestamp(TimeUnit::MICRO, "UTC"), "[1, -1, null]"},
      {arrow::timestamp(TimeUnit::SECOND), "[253402300799]", arrow::timestamp(TimeUnit::MICRO),
       "[253402300799000000]"},
      {arrow::duration(TimeUnit::MILLI), "[-1500, 90061001]", arrow::utf8(),
       R"(["-00:00:01.5", "25:01:01.001"])"},
      {arrow::month_day_nano_interval(), "[[13, 2, 3000], [-1, -2, -3000], [0, 0, 0]]",
       arrow::utf8(),
       R"(["1 year 1 mon 2 days 00:00:00.000003", "P-1M-2DT-0.000003S", "00:00:00"])"},
      {arrow::null(), "[null]", arrow::utf8(), "[null]"},
      {arrow::large_list(arrow::int16()), "[[1, null], [], null]", arrow::list(arrow::int16()),
       "[[1, null], [], null]"},
      {arrow::fixed_size_list(arrow::int16(), 2), "[[1, 2], null]", arrow::list(arrow::int16()),
       "[[1, 2], null]"},
      {arrow::list(arrow::uint64()), "[[1, null], [], null]", arrow::utf8(),
       R"(["{1,NULL}", "{}", null])"},
      {arrow::list(arrow::duration(TimeUnit::SECOND)), "[[86400, 1]]", arrow::utf8(),
       R"(["{24:00:00,\"00:00:01\"}"])"},
      {point, R"([{"x": 18446744073709551615, "tag": "a"}, {"x": 1, "tag": null}, null])", json,
       R"(["{\"tag\": \"0x61\", \"x\": \"18446744073709551615\"}",
           "{\"tag\": null, \"x\": 1}", null])"},
      {arrow::list(arrow::struct_({arrow::field("v", arrow::float64())})),
       R"([[{"v": 1e20}, {"v": -0.0}]])", json,
       R"(["[{\"v\": 100000000000000000000}, {\"v\": 0.0}]"])"},
      {text_map, R"([[["b", 1], ["a", 2]]])", json, R"(["{\"a\": 2, \"b\": 1}"])"},
      {text_map, R"([[["b", 1], ["a", 2]]])", text_map, R"([[["a", 2], ["b", 1]]])"},
      {json, R"(["{\"a\":1,\"b\":[1]}"])", json, R"(["{ \"b\": [1.0], \"a\": 1 }"])"},
  };
  for (const Pair& pair : pairs) {
    SCOPED_TRACE(pair.source->ToString() + " and " + pair.target->ToString());
    const auto source = Make(pair.source, pair.source_json);
    const auto target = Make(pair.target, pair.target_json);
    AMP_ASSERT_OK_AND_ASSIGN(const bool same, SameHashes(source, target));
    EXPECT_TRUE(same);
    AMP_ASSERT_OK_AND_ASSIGN(const bool back, SameHashes(target, source));
    EXPECT_TRUE(back);
  }
}

TEST(RowHash, EveryCellCounts) {
  const auto batch = testing::AllTypesBatch();
  AMP_ASSERT_OK_AND_ASSIGN(const RowForm form, MatchRows(*batch->schema(), *batch->schema()));
  EXPECT_TRUE(form.differences.empty());
  AMP_ASSERT_OK_AND_ASSIGN(const auto whole, HashRows(*batch, form));
  AMP_ASSERT_OK_AND_ASSIGN(const auto slice, HashRows(*batch->Slice(1, 2), form));
  EXPECT_EQ(slice[0], whole[1]);
  EXPECT_EQ(slice[1], whole[2]);
  for (int i = 0; i < batch->num_columns(); ++i) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto nulls,
                             arrow::MakeArrayOfNull(batch->column(i)->type(), batch->num_rows()));
    AMP_ASSERT_OK_AND_ASSIGN(const auto changed,
                             batch->SetColumn(i, batch->schema()->field(i), nulls));
    AMP_ASSERT_OK_AND_ASSIGN(const auto hashes, HashRows(*changed, form));
    EXPECT_NE(hashes[0], whole[0]) << batch->schema()->field(i)->ToString();
    EXPECT_EQ(hashes[2], whole[2]) << "a row of nulls stays one";
  }
}

TEST(RowHash, SumsTellRowsButNotTheirOrder) {
  const auto sum = [](const std::string& a, const std::string& b) {
    const auto batch =
        BatchOf({{"a", ArrayOf(arrow::int64(), a)}, {"b", ArrayOf(arrow::int64(), b)}});
    RowSum total;
    const RowForm form = MatchRows(*batch->schema(), *batch->schema()).ValueOrDie();
    for (const Hash128& row : HashRows(*batch, form).ValueOrDie()) total.Add(row);
    return total;
  };
  const RowSum rows = sum("[1, 2, 3]", "[1, 1, 4]");
  EXPECT_EQ(sum("[3, 1, 2]", "[4, 1, 1]"), rows);
  EXPECT_NE(sum("[1, 2, 3]", "[1, 4, 1]"), rows) << "cells that changed places";
  EXPECT_NE(sum("[1, 1, 4]", "[1, 2, 3]"), rows) << "columns that changed places";
  EXPECT_NE(sum("[1, 2]", "[1, 1]"), rows);
  EXPECT_NE(sum("[1, 2, 2]", "[1, 1, 1]"), sum("[1, 1, 2]", "[1, 1, 1]"));
  EXPECT_NE(sum("[1, 2, 3]", "[1, 1, null]"), rows);
}

TEST(RowHash, ColumnsThatDiffer) {
  const auto source = arrow::schema({arrow::field("a", arrow::int64()),
                                     arrow::field("b", arrow::timestamp(arrow::TimeUnit::MICRO)),
                                     arrow::field("c", arrow::utf8())});
  const auto target =
      arrow::schema({arrow::field("more", arrow::int64()), arrow::field("c", arrow::utf8()),
                     arrow::field("b", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"))});
  AMP_ASSERT_OK_AND_ASSIGN(const RowForm form, MatchRows(*source, *target));
  ASSERT_EQ(form.differences.size(), 2U);
  EXPECT_EQ(form.differences[0], "column 'a' of the source is not in the table");
  EXPECT_NE(form.differences[1].find("'b' is timestamp[us] in the source"), std::string::npos);
  EXPECT_EQ(form.columns.size(), 1U);
}

}  // namespace
}  // namespace amp
