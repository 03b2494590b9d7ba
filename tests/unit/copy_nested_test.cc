// COPY BINARY of arrays and jsonb, and of sliced and long batches; see copy_golden_test.cc.

#include <arrow/io/memory.h>
#include <arrow/ipc/api.h>

#include "loaders/postgresql/copy_encoder.h"
#include "loaders/postgresql/type_map.h"
#include "unit/arrays.h"

namespace amp::postgresql {
namespace {

using namespace arrow;  // NOLINT: type names only
using unit::ArrayOf;
using unit::ArrayPtr;
using unit::BatchOf;
using unit::Strings;

/// Each value's bytes as hex; "NULL" for a null.
Strings Cells(const ArrayPtr& column) {
  const auto batch = BatchOf({{"c", column}});
  const PgType type = TypeFor(*column->type()).ValueOrDie();
  auto encoder = MakeCopyEncoder(*batch->schema(), {type.oid}).ValueOrDie();
  Strings cells;
  for (const std::string& row : unit::EncodeRows(&encoder, *batch).ValueOrDie()) {
    const std::string hex = unit::Hex(row);
    cells.push_back(hex == "0001ffffffff" ? "NULL" : hex.substr(12));
  }
  return cells;
}

Strings Cells(const std::shared_ptr<DataType>& type, std::string_view json) {
  return Cells(ArrayOf(type, json));
}

TEST(CopyNested, ListsOfNumbers) {
  // -- SELECT array_send('{1,2,NULL}'::int4[]), array_send('{}'::int4[]), array_send('{7}'::int4[])
  const auto want =
      Strings{"000000010000000100000017000000030000000100000004000000010000000400000002ffffffff",
              "000000000000000000000017", "NULL",
              "00000001000000000000001700000001000000010000000400000007"};
  for (const auto& type : {list(int32()), large_list(int32())}) {
    EXPECT_EQ(Cells(type, "[[1, 2, null], [], null, [7]]"), want);
  }
  // -- SELECT array_send('{1,10000}'::numeric[])
  EXPECT_EQ(Cells(list(uint64()), "[[1, 10000]]"),
            (Strings{"0000000100000000000006a400000002000000010000000a000100000000000000010000000a"
                     "00010001000000000001"}));
  // -- SELECT array_send('{t,NULL,f}'::bool[])
  EXPECT_EQ(Cells(list(boolean()), "[[true, null, false]]"),
            (Strings{"00000001000000010000001000000003000000010000000101ffffffff0000000100"}));
}

TEST(CopyNested, FixedSizeLists) {
  // -- SELECT array_send('{3,4}'::int2[]), array_send('{NULL,5}'::int2[])
  const auto lists = ArrayOf(fixed_size_list(int16(), 2), "[[3, 4], null, [null, 5]]");
  EXPECT_EQ(Cells(lists),
            (Strings{"0000000100000000000000150000000200000001000000020003000000020004", "NULL",
                     "00000001000000010000001500000002"
                     "00000001ffffffff000000020005"}));
  // -- SELECT array_send('{NULL,5}'::int2[])
  EXPECT_EQ(Cells(lists->Slice(2)), (Strings{"00000001000000010000001500000002"
                                             "00000001ffffffff000000020005"}));
}

TEST(CopyNested, ListsOfTextAndBytes) {
  // -- SELECT array_send('{"\\x0102",NULL}'::bytea[]), array_send('{NULL}'::bytea[])
  EXPECT_EQ(Cells(list(fixed_size_binary(2)), R"([["\u0001\u0002", null], null, [null]])"),
            (Strings{"0000000100000001000000110000000200000001000000020102ffffffff", "NULL",
                     "0000000100000001000000110000000100000001ffffffff"}));
  // -- SELECT array_send('{a,NULL,"",NULL}'::text[]), array_send('{}'::text[])
  EXPECT_EQ(Cells(list(utf8()), R"([["a", null, "", null], []])"),
            (Strings{"00000001000000010000001900000004000000010000000161ffffffff00000000ffffffff",
                     "000000000000000000000019"}));
  // -- SELECT array_send('{NULL}'::text[])
  EXPECT_EQ(Cells(list(null()), "[[null]]"),
            (Strings{"0000000100000001000000190000000100000001ffffffff"}));
  // -- SELECT array_send('{1970-01-01}'::date[])
  EXPECT_EQ(Cells(list(date32()), "[[0]]"),
            (Strings{"00000001000000000000043a000000010000000100000004ffffd533"}));
}

// A null list may have elements under it, which are not sent.
TEST(CopyNested, NullListOverElements) {
  const auto offsets = ArrayOf(int32(), "[0, 1, 3, 4]");
  const auto values = ArrayOf(utf8(), R"(["a", "not", "sent", "b"])");
  const std::shared_ptr<Buffer> valid = AllocateBitmap(3).ValueOrDie();
  valid->mutable_data()[0] = 0b101;
  const auto lists =
      ListArray::FromArrays(*offsets, *values, default_memory_pool(), valid).ValueOrDie();
  // -- SELECT array_send('{a}'::text[]), array_send('{b}'::text[])
  EXPECT_EQ(Cells(lists), (Strings{"00000001000000000000001900000001000000010000000161", "NULL",
                                   "00000001000000000000001900000001000000010000000162"}));
}

// In an Arrow stream, an array without rows may come without offsets.
TEST(CopyNested, EmptyListsFromAnArrowStream) {
  const auto batch = BatchOf({{"c", ArrayOf(list(utf8()), "[[], null]")}});
  const auto options = ipc::IpcWriteOptions::Defaults();
  const auto message = ipc::SerializeRecordBatch(*batch, options).ValueOrDie();
  io::BufferReader input(message);
  const ipc::DictionaryMemo memo;
  const auto read =
      ipc::ReadRecordBatch(batch->schema(), &memo, ipc::IpcReadOptions(), &input).ValueOrDie();
  // -- SELECT array_send('{}'::text[])
  EXPECT_EQ(Cells(read->column(0)), (Strings{"000000000000000000000019", "NULL"}));
}

// jsonb is a version byte and JSON text in any spacing.
TEST(CopyNested, StructsMapsAndListsOfThemAsJsonb) {
  const auto point = struct_({field("x", int32()), field("name", utf8())});
  // -- SELECT '\x01'::bytea || convert_to('{"x":1,"name":"a"}', 'UTF8'),
  //    '\x01'::bytea || convert_to('{"x":null,"name":null}', 'UTF8')
  EXPECT_EQ(Cells(point, R"([{"x": 1, "name": "a"}, null, {"x": null, "name": null}])"),
            (Strings{"017b2278223a312c226e616d65223a2261227d", "NULL",
                     "017b2278223a6e756c6c2c226e616d65223a6e756c6c7d"}));
  // -- SELECT '\x01'::bytea || convert_to('[{"x":1,"name":"é"},null]', 'UTF8'),
  //    '\x01'::bytea || convert_to('[]', 'UTF8')
  EXPECT_EQ(Cells(list(point), R"([[{"x": 1, "name": "é"}, null], null, []])"),
            (Strings{"015b7b2278223a312c226e616d65223a22c3a9227d2c6e756c6c5d", "NULL", "015b5d"}));
  // -- SELECT '\x01'::bytea || convert_to('{"b":1,"a":null}', 'UTF8')
  EXPECT_EQ(Cells(map(utf8(), int32()), R"([[["b", 1], ["a", null]]])"),
            (Strings{"017b2262223a312c2261223a6e756c6c7d"}));
  // -- SELECT '\x01'::bytea || convert_to('[[1],[]]', 'UTF8')
  EXPECT_EQ(Cells(list(list(int8())), "[[[1], []]]"), (Strings{"015b5b315d2c5b5d5d"}));
}

TEST(CopyNested, BackslashBeforeU0000IsNoZero) {
  const auto type = struct_({field("t", utf8())});
  // -- SELECT '\x01'::bytea || convert_to('{"t":"\\u0000"}', 'UTF8')
  EXPECT_EQ(Cells(type, R"([{"t": "\\u0000"}])"), (Strings{"017b2274223a225c5c7530303030227d"}));
}

TEST(CopyNested, SlicesAreTheirRowsOnly) {
  const std::vector<ArrayPtr> columns{
      ArrayOf(boolean(), "[true, null, false, true, null]"),
      ArrayOf(int64(), "[1, null, 3, 4, 5]"),
      ArrayOf(uint64(), "[1, null, 3, 4, 5]"),
      ArrayOf(decimal128(5, 1), R"(["1.5", null, "-2.5", "0.0", "1.0"])"),
      ArrayOf(utf8(), R"(["a", null, "ccc", "", "e"])"),
      ArrayOf(fixed_size_binary(1), R"(["a", null, "c", "d", "e"])"),
      ArrayOf(day_time_interval(), "[[1, 1], null, [2, 2], [3, 3], [4, 4]]"),
      ArrayOf(list(utf8()), R"([["a"], null, ["c", null], [], ["e", "f"]])"),
      ArrayOf(fixed_size_list(int8(), 1), "[[1], null, [3], [4], [null]]"),
      ArrayOf(struct_({field("x", int8())}), R"([{"x": 1}, null, {"x": 3}, null, {"x": 5}])"),
  };
  for (const ArrayPtr& column : columns) {
    SCOPED_TRACE(column->type()->ToString());
    const Strings all = Cells(column);
    const Strings middle(all.begin() + 1, all.begin() + 4);
    EXPECT_EQ(Cells(column->Slice(1, 3)), middle);
    EXPECT_EQ(Cells(column->Slice(2, 0)), Strings{});
  }
}

// A long batch is cut into pieces; its bytes are those of its rows one by one.
TEST(CopyNested, PiecesAddUpToTheBatch) {
  constexpr int64_t kRows = 10'000;
  Int32Builder numbers;
  StringBuilder texts;
  for (int32_t i = 0; i < kRows; ++i) {
    ASSERT_TRUE((i % 7 == 0 ? numbers.AppendNull() : numbers.Append(i)).ok());
    ASSERT_TRUE(texts.Append(std::string(static_cast<size_t>(i % 50), 'x')).ok());
  }
  const auto batch =
      BatchOf({{"n", numbers.Finish().ValueOrDie()}, {"t", texts.Finish().ValueOrDie()}});
  auto encoder = MakeCopyEncoder(*batch->schema(), {oid::kInt4, oid::kText}).ValueOrDie();
  const Strings whole = unit::EncodeRows(&encoder, *batch).ValueOrDie();
  ASSERT_EQ(whole.size(), static_cast<size_t>(kRows));
  for (int64_t row = 0; row < kRows; ++row) {
    const Strings one = unit::EncodeRows(&encoder, *batch->Slice(row, 1)).ValueOrDie();
    ASSERT_EQ(one, Strings{whole[static_cast<size_t>(row)]}) << row;
  }
}

}  // namespace
}  // namespace amp::postgresql
