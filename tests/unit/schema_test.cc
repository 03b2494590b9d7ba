// Plain schemas and batches, and the matching of columns.

#include "core/schema.h"

#include <arrow/compute/api.h>
#include <arrow/extension/json.h>
#include <arrow/extension/uuid.h>

#include "unit/arrays.h"

namespace amp {
namespace {

using namespace arrow;  // NOLINT: type names only
using unit::ArrayOf;
using unit::ArrayPtr;
using unit::BatchOf;
using unit::Fails;
using unit::SameValues;

ArrayPtr Plain(const ArrayPtr& column) {
  const auto batch = BatchOf({{"c", column}});
  const auto schema = PlainSchema(*batch->schema()).ValueOrDie();
  const auto plain = ToPlain(*batch, schema).ValueOrDie();
  EXPECT_TRUE(plain->ValidateFull().ok());
  EXPECT_TRUE(plain->schema()->Equals(*schema));
  return plain->column(0);
}

/// The whole column and every slice of it come out as `want` and its slices.
void ExpectPlain(const ArrayPtr& column, const ArrayPtr& want) {
  SCOPED_TRACE(column->type()->ToString());
  ASSERT_EQ(column->length(), want->length());
  for (int64_t start = 0; start <= column->length(); ++start) {
    for (int64_t count = 0; start + count <= column->length(); ++count) {
      ASSERT_TRUE(SameValues(*Plain(column->Slice(start, count)), *want->Slice(start, count)))
          << start << " + " << count;
    }
  }
}

ArrayPtr Dictionary(std::string_view indices, const ArrayPtr& values) {
  const auto type = dictionary(int8(), values->type());
  return DictionaryArray::FromArrays(type, ArrayOf(int8(), indices), values).ValueOrDie();
}

ArrayPtr RunEndEncoded(std::string_view ends, const ArrayPtr& values, int64_t length) {
  return RunEndEncodedArray::Make(length, ArrayOf(int32(), ends), values).ValueOrDie();
}

const char* const kTexts = R"(["a", "b", "a", null, null])";

TEST(PlainSchema, TypesAndMetadata) {
  const auto meta = key_value_metadata({"k"}, {"v"});
  const Schema schema(
      {field("dict", dictionary(int32(), large_utf8()), false, meta),
       field("ree", run_end_encoded(int16(), int64())), field("view", utf8_view()),
       field("bytes", binary_view()), field("uuid", extension::uuid()),
       field("json", extension::json()), field("lists", list_view(dictionary(int8(), utf8()))),
       field("large", large_list_view(int8())),
       field("map", map(utf8(), dictionary(int8(), utf8()))),
       field("fixed", fixed_size_list(utf8_view(), 2)), field("empty", struct_(FieldVector{})),
       field("plain", decimal128(5, 2))},
      meta);
  const auto plain = PlainSchema(schema).ValueOrDie();
  const Schema want({field("dict", large_utf8(), false), field("ree", int64()),
                     field("view", utf8()), field("bytes", binary()),
                     field("uuid", fixed_size_binary(16)), field("json", utf8()),
                     field("lists", list(utf8())), field("large", large_list(int8())),
                     field("map", map(utf8(), utf8())), field("fixed", fixed_size_list(utf8(), 2)),
                     field("empty", struct_(FieldVector{})), field("plain", decimal128(5, 2))});
  EXPECT_TRUE(plain->Equals(want, /*check_metadata=*/true)) << plain->ToString();
  EXPECT_FALSE(plain->HasMetadata() || plain->field(0)->HasMetadata());
}

TEST(PlainSchema, UnionsAreRefusedByColumn) {
  const Schema schema(
      {field("fine", int8()),
       field("deep", list(struct_({field("u", dense_union({field("a", int8())}))})))});
  EXPECT_TRUE(Fails(PlainSchema(schema).status(), ErrorKind::kUnsupported,
                    {"column 'deep'", "dense_union", "cannot be stored"}));
}

TEST(ToPlain, PlainColumnsStayWhatTheyAre) {
  const auto column = ArrayOf(list(int8()), "[[1], null]");
  EXPECT_EQ(Plain(column).get(), column.get());
}

TEST(ToPlain, Dictionaries) {
  const auto want = ArrayOf(utf8(), kTexts);
  // A null may be in the indices or in the values.
  ExpectPlain(Dictionary("[0, 1, 0, null, 2]", ArrayOf(utf8(), R"(["a", "b", null])")), want);
  ExpectPlain(Dictionary("[0, 1, 0, null, 2]", ArrayOf(utf8_view(), R"(["a", "b", null])")), want);
  ExpectPlain(Dictionary("[1, null, 0]", ArrayOf(fixed_size_binary(1), R"(["x", "y"])")),
              ArrayOf(fixed_size_binary(1), R"(["y", null, "x"])"));
}

TEST(ToPlain, RunEndEncoded) {
  ExpectPlain(RunEndEncoded("[2, 3, 5]", ArrayOf(int64(), "[7, null, 9]"), 5),
              ArrayOf(int64(), "[7, 7, null, 9, 9]"));
  ExpectPlain(RunEndEncoded("[1, 4]", ArrayOf(utf8_view(), R"([null, "a"])"), 4),
              ArrayOf(utf8(), R"([null, "a", "a", "a"])"));
  ExpectPlain(RunEndEncoded("[2, 3]", Dictionary("[1, 0]", ArrayOf(utf8(), R"(["a", "b"])")), 3),
              ArrayOf(utf8(), R"(["b", "b", "a"])"));
}

TEST(ToPlain, Views) {
  const char* texts = R"(["a", null, "longer than the twelve bytes inside", ""])";
  ExpectPlain(ArrayOf(utf8_view(), texts), ArrayOf(utf8(), texts));
  ExpectPlain(ArrayOf(binary_view(), texts), ArrayOf(binary(), texts));
  const char* lists = "[[1, 2], null, [], [3]]";
  ExpectPlain(ArrayOf(list_view(int8()), lists), ArrayOf(list(int8()), lists));
  ExpectPlain(ArrayOf(large_list_view(int8()), lists), ArrayOf(large_list(int8()), lists));
}

// The lists of a view may lie in any order, overlap, and have values that no list has.
TEST(ToPlain, ViewsInAnyOrder) {
  const auto values = Dictionary("[0, 1, 0, null, 2]", ArrayOf(utf8(), R"(["a", "b", null])"));
  const auto view = ListViewArray::FromArrays(*ArrayOf(int32(), "[3, 0, 1, 2]"),
                                              *ArrayOf(int32(), "[2, 2, 2, 0]"), *values);
  ExpectPlain(*view, ArrayOf(list(utf8()), R"([[null, null], ["a", "b"], ["b", "a"], []])"));
}

TEST(ToPlain, Extensions) {
  const auto uuids = ArrayOf(fixed_size_binary(16), R"(["0123456789abcdef", null])");
  ExpectPlain(ExtensionType::WrapArray(extension::uuid(), uuids), uuids);
  const auto texts = ArrayOf(utf8(), R"(["{}", null, "[1]"])");
  ExpectPlain(ExtensionType::WrapArray(extension::json(), texts), texts);
  // An extension over a view is plain only inside.
  ExpectPlain(ExtensionType::WrapArray(extension::json(utf8_view()),
                                       ArrayOf(utf8_view(), R"(["{}", null, "[1]"])")),
              texts);
}

TEST(ToPlain, DictionariesInsideStructs) {
  const auto names = Dictionary("[0, 1, 0, null, 2]", ArrayOf(utf8(), R"(["a", "b", null])"));
  const auto numbers = ArrayOf(int8(), "[1, 2, 3, 4, 5]");
  const std::shared_ptr<Buffer> valid = AllocateBitmap(5).ValueOrDie();
  valid->mutable_data()[0] = 0b11101;
  const auto make = [&](const ArrayPtr& texts) {
    return StructArray::Make({texts, numbers}, std::vector<std::string>{"t", "n"}, valid)
        .ValueOrDie();
  };
  ExpectPlain(make(names), make(ArrayOf(utf8(), kTexts)));
}

TEST(ToPlain, DictionariesInsideLists) {
  const auto names = Dictionary("[0, 1, 0, null, 2]", ArrayOf(utf8(), R"(["a", "b", null])"));
  const auto texts = ArrayOf(utf8(), kTexts);
  const auto offsets = ArrayOf(int32(), "[0, 2, null, 2, 5]");
  ExpectPlain(ListArray::FromArrays(*offsets, *names).ValueOrDie(),
              ListArray::FromArrays(*offsets, *texts).ValueOrDie());
  // The list's values may be a slice themselves.
  const auto short_offsets = ArrayOf(int32(), "[0, 1, 3]");
  ExpectPlain(ListArray::FromArrays(*short_offsets, *names->Slice(1, 3)).ValueOrDie(),
              ListArray::FromArrays(*short_offsets, *texts->Slice(1, 3)).ValueOrDie());
  ExpectPlain(FixedSizeListArray::FromArrays(names->Slice(1), 2).ValueOrDie(),
              FixedSizeListArray::FromArrays(texts->Slice(1), 2).ValueOrDie());
}

TEST(ToPlain, DictionariesAndRunsInsideMaps) {
  const auto offsets = ArrayOf(int32(), "[0, 1, 3, 3]");
  const auto keys = ArrayOf(utf8(), R"(["x", "y", "z"])");
  const auto runs = RunEndEncoded("[2, 3]", ArrayOf(int64(), "[7, null]"), 3);
  ExpectPlain(MapArray::FromArrays(offsets, Dictionary("[0, 1, 2]", keys), runs).ValueOrDie(),
              MapArray::FromArrays(offsets, keys, ArrayOf(int64(), "[7, 7, null]")).ValueOrDie());
}

TEST(ToPlain, EncodingsInEncodings) {
  const auto views = ArrayOf(utf8_view(), R"(["a", "b", null])");
  const auto lists =
      ListArray::FromArrays(*ArrayOf(int32(), "[0, 2, 3]"), *Dictionary("[1, 0, 2]", views))
          .ValueOrDie();
  ExpectPlain(Dictionary("[1, 0, null, 1]", lists),
              ArrayOf(list(utf8()), R"([[null], ["b", "a"], null, [null]])"));
}

TEST(MatchColumns, PlacesInTheData) {
  const Schema have({field("a", int32()), field("b", utf8()), field("c", float64())});
  const Schema data({field("c", float64()), field("a", int32(), false), field("b", utf8())});
  EXPECT_EQ(MatchColumns(have, data, "t").ValueOrDie(), (std::vector<int>{1, 2, 0}));
}

TEST(MatchColumns, NamesAllThatIsWrong) {
  const Schema have({field("a", int32()), field("b", utf8()), field("c", float64())});
  const Schema data({field("a", int64()), field("c", float64()), field("d", utf8())});
  const Status status = MatchColumns(have, data, "my table").status();
  EXPECT_EQ(KindOf(status), ErrorKind::kSchemaMismatch);
  EXPECT_EQ(status.message(),
            "table 'my table' has other columns than the data: column 'a' is int32 in the table "
            "and int64 in the data; column 'b' is missing in the data; column 'd' is not in the "
            "table. Choose another table, or bring the columns in line with --columns");
}

TEST(FirstFew, EightAreShown) {
  std::vector<std::string> parts(8, "x");
  EXPECT_EQ(FirstFew(parts), "x; x; x; x; x; x; x; x");
  parts.insert(parts.end(), 3, "y");
  EXPECT_EQ(FirstFew(parts), "x; x; x; x; x; x; x; x; … and 3 more");
}

}  // namespace
}  // namespace amp
