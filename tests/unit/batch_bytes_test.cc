// What batches are taken to weigh, beside what Arrow says.

#include "core/batch_bytes.h"

#include <arrow/util/byte_size.h>
#include <gtest/gtest.h>

#include "amp/testing/asserts.h"
#include "unit/arrays.h"

namespace amp {
namespace {

using unit::ArrayOf;
using unit::BatchOf;
using unit::BatchPtr;

// Of arrays of `rows` values; where types are nested, or some rows are null, their children have
// others.
BatchPtr SampleBatch() {
  const auto list = arrow::list(arrow::struct_(
      {arrow::field("a", arrow::fixed_size_binary(3)), arrow::field("b", arrow::utf8())}));
  return BatchOf(
      {{"int", ArrayOf(arrow::int32(), "[1, 2, null, 4, 5]")},
       {"bool", ArrayOf(arrow::boolean(), "[true, false, true, true, null]")},
       {"text", ArrayOf(arrow::utf8(), R"(["", "abc", null, "defghijk", "x"])")},
       {"large", ArrayOf(arrow::large_binary(), R"(["1", "22", "333", "4444", ""])")},
       {"decimal", ArrayOf(arrow::decimal128(10, 2), R"(["1.00", null, "2.00", "3.00", "4.00"])")},
       {"list", ArrayOf(list, R"([[{"a": "xyz", "b": "1234"}, null], [], null,
                                 [{"a": "abc", "b": ""}], [{"a": "def", "b": null}]])")},
       {"pair", ArrayOf(arrow::fixed_size_list(arrow::int64(), 2),
                        "[[1, 2], [3, 4], null, [5, 6], [7, 8]]")},
       {"map", ArrayOf(arrow::map(arrow::utf8(), arrow::int8()),
                       R"([[["k", 1]], [], null, [["l", 2], ["m", 3]], [["n", null]]])")},
       {"view", ArrayOf(arrow::utf8_view(),
                        R"(["short", "one that is longer than twelve bytes", null, "", "x"])")},
       {"words",
        ArrayOf(arrow::dictionary(arrow::int8(), arrow::utf8()), R"(["a", "b", "a", null, "b"])")},
       {"none", ArrayOf(arrow::null(), "[null, null, null, null, null]")}});
}

TEST(BatchBytes, AreWhatArrowSaysOfWholesAndSlices) {
  const BatchPtr whole = SampleBatch();
  for (int64_t start = 0; start <= whole->num_rows(); ++start) {
    for (int64_t length = 1; start + length <= whole->num_rows(); ++length) {
      const BatchPtr part = whole->Slice(start, length);
      for (int i = 0; i < part->num_columns(); ++i) {
        AMP_ASSERT_OK_AND_ASSIGN(const BatchPtr column, part->SelectColumns({i}));
        AMP_ASSERT_OK_AND_ASSIGN(const int64_t arrows, arrow::util::ReferencedBufferSize(*column));
        // Arrow leaves out the last offset of lists and texts, of 4 or 8 bytes a level, and a byte
        // of bitmaps that begin in the middle of one.
        EXPECT_GE(BytesOf(*column), arrows) << column->ToString();
        EXPECT_LE(BytesOf(*column), arrows + 12) << column->ToString();
      }
    }
  }
}

TEST(BatchBytes, CountOnlyThePartOfASlice) {
  arrow::StringBuilder builder;
  for (int i = 0; i < 1000; ++i) AMP_ASSERT_OK(builder.Append(std::string(100, 'x')));
  AMP_ASSERT_OK_AND_ASSIGN(const auto texts, builder.Finish());
  const BatchPtr batch = BatchOf({{"text", texts}});
  EXPECT_EQ(BytesOf(*batch), 1000 * 100 + 1001 * 4);
  EXPECT_EQ(BytesOf(*batch->Slice(500, 10)), 10 * 100 + 11 * 4);
  EXPECT_EQ(BytesOf(*batch->Slice(500, 0)), 0);
}

}  // namespace
}  // namespace amp
