// --where: what is parsed, which rows it keeps, and where it says a text goes wrong.

#include "core/where.h"

#include <arrow/compute/api.h>
#include <arrow/compute/initialize.h>

#include "unit/arrays.h"

namespace amp {
namespace {

using namespace arrow;  // NOLINT: type names only
using unit::ArrayOf;
using unit::BatchOf;
using unit::BatchPtr;
using unit::Fails;
using unit::Strings;
using Rows = std::vector<int64_t>;

BatchPtr Sample() {
  static const BatchPtr batch = BatchOf(
      {{"id", ArrayOf(int64(), "[0, 1, 2, 3, 4]")},
       {"text", ArrayOf(utf8(), R"(["a", "it's", null, "", "AND"])")},
       {"big", ArrayOf(uint64(), "[18446744073709551615, 0, 1, null, 9223372036854775808]")},
       {"real", ArrayOf(float32(), "[0.1, -1.5, null, 1e10, 2]")},
       {"price", ArrayOf(decimal128(10, 2), R"(["1.50", "-0.01", null, "100.00", "2.00"])")},
       {"hash", ArrayOf(binary(), R"(["\u0001\u00022", "", null, "ab", "zz"])")},
       {"topic", ArrayOf(fixed_size_binary(2), R"(["ab", "cd", null, "ef", "ab"])")},
       {"flag", ArrayOf(boolean(), "[true, false, null, true, false]")},
       {"day", ArrayOf(date32(), "[0, 19549, null, -1, 1]")},
       {"at", ArrayOf(timestamp(TimeUnit::MICRO, "UTC"), "[0, 1689078896789012, null, -1, 1]")},
       {"local", ArrayOf(timestamp(TimeUnit::NANO), "[0, 1689078896789012345, null, -1, 1]")},
       {"clock", ArrayOf(time64(TimeUnit::MICRO), "[0, 45296789012, null, 1, 2]")},
       {"od\"d.na me", ArrayOf(int8(), "[1, 2, 3, 4, 5]")}});
  return batch;
}

/// The numbers of the rows that are kept.
Result<Rows> Kept(std::string_view text, const BatchPtr& batch = Sample()) {
  ARROW_RETURN_NOT_OK(compute::Initialize());
  ARROW_ASSIGN_OR_RAISE(const Where where, ParseWhere(text, *batch->schema()));
  ARROW_ASSIGN_OR_RAISE(const auto bound, where.expression.Bind(*batch->schema()));
  ARROW_ASSIGN_OR_RAISE(Datum mask,
                        compute::ExecuteScalarExpression(bound, compute::ExecBatch(*batch)));
  if (mask.is_scalar()) {
    ARROW_ASSIGN_OR_RAISE(mask, MakeArrayFromScalar(*mask.scalar(), batch->num_rows()));
  }
  const auto kept = mask.array_as<BooleanArray>();
  Rows rows;
  for (int64_t i = 0; i < kept->length(); ++i) {
    if (kept->IsValid(i) && kept->Value(i)) rows.push_back(i);
  }
  return rows;
}
Rows Must(std::string_view text) {
  const auto rows = Kept(text);
  EXPECT_TRUE(rows.ok()) << text << ": " << rows.status().ToString();
  return rows.ok() ? *rows : Rows{-1};
}
auto Refused(std::string_view text, const Strings& parts) {
  return Fails(ParseWhere(text, *Sample()->schema()).status(), ErrorKind::kConfigInvalid, parts);
}

TEST(Where, Operators) {
  EXPECT_EQ(Must("id = 2"), (Rows{2}));
  EXPECT_EQ(Must("id != 2"), (Rows{0, 1, 3, 4}));
  EXPECT_EQ(Must("id <> 2"), (Rows{0, 1, 3, 4}));
  EXPECT_EQ(Must("id<2"), (Rows{0, 1}));
  EXPECT_EQ(Must("id<=2"), (Rows{0, 1, 2}));
  EXPECT_EQ(Must("id > 2"), (Rows{3, 4}));
  EXPECT_EQ(Must("id >= 2"), (Rows{2, 3, 4}));
  EXPECT_EQ(Must("id > -1"), (Rows{0, 1, 2, 3, 4}));
}

TEST(Where, AndInAndNulls) {
  EXPECT_EQ(Must("id > 0 AND id < 4 and flag = true"), (Rows{3}));
  EXPECT_EQ(Must("id IN (4, 1,99)"), (Rows{1, 4}));
  EXPECT_EQ(Must("text in ('a')"), (Rows{0}));
  EXPECT_EQ(Must("text IS NULL"), (Rows{2}));
  EXPECT_EQ(Must("text is not null AND id < 3"), (Rows{0, 1}));
  // A null is neither equal nor different.
  EXPECT_EQ(Must("text != 'a'"), (Rows{1, 3, 4}));
}

TEST(Where, TextsAndNames) {
  EXPECT_EQ(Must("text = 'it''s'"), (Rows{1}));
  EXPECT_EQ(Must("text = ''"), (Rows{3}));
  EXPECT_EQ(Must("text='AND'"), (Rows{4}));
  EXPECT_EQ(Must("\"text\" = 'a'"), (Rows{0}));
  EXPECT_EQ(Must("\"od\"\"d.na me\" = 3"), (Rows{2}));
  const Where where =
      ParseWhere("id = 1 AND \"od\"\"d.na me\" = 3", *Sample()->schema()).ValueOrDie();
  EXPECT_EQ(where.columns, (Strings{"id", "od\"d.na me"}));
}

TEST(Where, NumbersMeanWhatTheColumnMeans) {
  EXPECT_EQ(Must("big = 18446744073709551615"), (Rows{0}));
  EXPECT_EQ(Must("big >= 9223372036854775808"), (Rows{0, 4}));
  EXPECT_EQ(Must("real = 0.1"), (Rows{0}));
  EXPECT_EQ(Must("real < -1e0"), (Rows{1}));
  EXPECT_EQ(Must("price = 1.50"), (Rows{0}));
  EXPECT_EQ(Must("price = 1.5"), (Rows{0}));
  EXPECT_EQ(Must("price >= 2"), (Rows{3, 4}));
  EXPECT_EQ(Must("price < 0"), (Rows{1}));
  EXPECT_EQ(Must("flag = FALSE"), (Rows{1, 4}));
}

TEST(Where, BytesInHex) {
  EXPECT_EQ(Must("hash = 0x010232"), (Rows{0}));
  EXPECT_EQ(Must("hash = '0x6162'"), (Rows{3}));
  EXPECT_EQ(Must("hash = 0x"), (Rows{1}));
  EXPECT_EQ(Must("topic = 0x6162"), (Rows{0, 4}));
  EXPECT_EQ(Must("topic IN (0x6162, 0x6364)"), (Rows{0, 1, 4}));
}

TEST(Where, Times) {
  EXPECT_EQ(Must("day = '2023-07-11'"), (Rows{1}));
  EXPECT_EQ(Must("day < '1970-01-01'"), (Rows{3}));
  EXPECT_EQ(Must("at = '2023-07-11T12:34:56.789012Z'"), (Rows{1}));
  EXPECT_EQ(Must("at >= '2023-07-11'"), (Rows{1}));
  EXPECT_EQ(Must("at < '1970-01-01 00:00:00.000001'"), (Rows{0, 3}));
  EXPECT_EQ(Must("local = '2023-07-11 12:34:56.789012345'"), (Rows{1}));
  EXPECT_EQ(Must("clock = '12:34:56.789012'"), (Rows{1}));
}

TEST(Where, OtherLayouts) {
  const auto batch = BatchOf({{"large", ArrayOf(large_utf8(), R"(["a", "b"])")},
                              {"view", ArrayOf(utf8_view(), R"(["a", "b"])")},
                              {"dict", ArrayOf(dictionary(int8(), utf8()), R"(["b", "a"])")},
                              {"bytes", ArrayOf(large_binary(), R"(["a", "b"])")},
                              {"small", ArrayOf(decimal64(5, 1), R"(["1.5", "-1.5"])")},
                              {"wide", ArrayOf(decimal256(50, 3), R"(["1.500", "-1.500"])")}});
  EXPECT_EQ(Kept("large = 'b'", batch).ValueOrDie(), (Rows{1}));
  EXPECT_EQ(Kept("view = 'b'", batch).ValueOrDie(), (Rows{1}));
  EXPECT_EQ(Kept("dict = 'b'", batch).ValueOrDie(), (Rows{0}));
  EXPECT_EQ(Kept("bytes = 0x62", batch).ValueOrDie(), (Rows{1}));
  EXPECT_EQ(Kept("small = 1.5", batch).ValueOrDie(), (Rows{0}));
  EXPECT_EQ(Kept("wide < 0", batch).ValueOrDie(), (Rows{1}));
}

TEST(Where, ErrorsSayTheCharacter) {
  EXPECT_TRUE(Refused("", {"expected a column at character 1, found the end"}));
  EXPECT_TRUE(Refused("id", {"one of = != < <= > >= IN", "character 3", "the end"}));
  EXPECT_TRUE(Refused("id =", {"a number", "character 5", "the end"}));
  EXPECT_TRUE(Refused("id = 1 OR id = 2", {"AND or the end", "character 8", "'OR'"}));
  EXPECT_TRUE(Refused("id = 1 AND", {"a column", "character 11"}));
  EXPECT_TRUE(Refused("id = text", {"a number", "character 6", "'text'"}));
  EXPECT_TRUE(Refused("id ~ 1", {"unexpected '~' at character 4"}));
  EXPECT_TRUE(Refused("text = 'open", {"the ' at character 8 has no end"}));
  EXPECT_TRUE(Refused("\"open = 1", {"the \" at character 1 has no end"}));
  EXPECT_TRUE(Refused("id IN 1", {"expected (", "character 7"}));
  EXPECT_TRUE(Refused("id IN (1 2)", {"expected , or )", "character 10"}));
  EXPECT_TRUE(Refused("id IN ()", {"a number", "character 8", "')'"}));
  EXPECT_TRUE(Refused("id IS 1", {"expected NULL", "character 7"}));
  EXPECT_TRUE(Refused("1 = id", {"a column", "character 1"}));
}

TEST(Where, UnknownColumns) {
  EXPECT_TRUE(Refused("txet = 'a'", {"no column 'txet'", "did you mean 'text'?"}));
  EXPECT_TRUE(Refused("something_long = 1", {"no column 'something_long'", "there are: id, text"}));
}

TEST(Where, ValuesThatAreNone) {
  EXPECT_TRUE(Refused("id = 1.5", {"'1.5' is not a value of column 'id', which is int64"}));
  EXPECT_TRUE(Refused("id = 9223372036854775808", {"not a value of column 'id'"}));
  EXPECT_TRUE(Refused("big = -1", {"not a value of column 'big'"}));
  EXPECT_TRUE(Refused("big = 18446744073709551616", {"not a value of column 'big'"}));
  EXPECT_TRUE(Refused("price = 1.555", {"not a value of column 'price'"}));
  EXPECT_TRUE(Refused("price = 123456789.00", {"not a value of column 'price'"}));
  EXPECT_TRUE(Refused("hash = 'ab'", {"bytes are written as 0x"}));
  EXPECT_TRUE(Refused("hash = 0x123", {"bytes are written as 0x"}));
  EXPECT_TRUE(Refused("topic = 0x61", {"not a value of column 'topic'"}));
  EXPECT_TRUE(Refused("day = '2023-02-29'", {"not a value of column 'day'"}));
  EXPECT_TRUE(Refused("at = 'yesterday'", {"not a value of column 'at'"}));
  EXPECT_TRUE(Refused("flag = 7", {"not a value of column 'flag'"}));
}

}  // namespace
}  // namespace amp
