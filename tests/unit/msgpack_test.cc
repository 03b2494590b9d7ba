// Rows as MessagePack: literal bytes, and every type there and back.
// https://github.com/msgpack/msgpack/blob/master/spec.md

#include <random>

#include "core/msgpack/msgpack_decoder.h"
#include "core/msgpack/msgpack_encoder.h"
#include "unit/examples.h"

namespace amp::msgpack {
namespace {

using namespace arrow;  // NOLINT: type names only
using unit::ArrayOf;
using unit::ArrayPtr;
using unit::BatchOf;
using unit::BatchPtr;
using unit::Strings;

Strings Encode(const RecordBatch& batch) {
  auto encoder = MakeRowEncoder(*batch.schema()).ValueOrDie();
  return unit::EncodeRows(&encoder, batch).ValueOrDie();
}

Result<BatchPtr> Decode(const std::shared_ptr<Schema>& schema, const Strings& rows) {
  ARROW_ASSIGN_OR_RAISE(auto decoder, RowDecoder::Make(schema));
  for (const std::string& row : rows) ARROW_RETURN_NOT_OK(decoder.Append(row));
  return decoder.Finish();
}

/// The bytes of each value, without the row's 91 (an array of one).
Strings Values(const ArrayPtr& column) {
  Strings values;
  for (const std::string& row : Encode(*BatchOf({{"c", column}}))) {
    const std::string hex = unit::Hex(row);
    EXPECT_EQ(hex.substr(0, 2), "91");
    values.push_back(hex.substr(2));
  }
  return values;
}

Strings Values(const std::shared_ptr<DataType>& type, std::string_view json) {
  return Values(ArrayOf(type, json));
}

TEST(Msgpack, RowIsAnArrayOfItsColumns) {
  const auto batch = BatchOf({{"a", ArrayOf(int8(), "[1, null]")},
                              {"b", ArrayOf(utf8(), R"(["x", "yz"])")},
                              {"c", ArrayOf(boolean(), "[true, false]")}});
  const Strings rows = Encode(*batch);
  ASSERT_EQ(rows.size(), 2U);
  EXPECT_EQ(unit::Hex(rows[0]), "9301a178c3");
  EXPECT_EQ(unit::Hex(rows[1]), "93c0a2797ac2");
}

TEST(Msgpack, SixteenColumnsTakeALongHeader) {
  std::vector<std::pair<std::string, ArrayPtr>> columns;
  for (int i = 0; i < 16; ++i) columns.emplace_back(std::to_string(i), ArrayOf(int8(), "[7]"));
  std::string want = "dc0010";
  for (int i = 0; i < 16; ++i) want += "07";
  EXPECT_EQ(unit::Hex(Encode(*BatchOf(columns))[0]), want);
}

TEST(Msgpack, IntegersTakeTheShortestForm) {
  EXPECT_EQ(Values(int64(),
                   "[0, 127, 128, 255, 256, 65535, 65536, 4294967295, 4294967296, "
                   "9223372036854775807, null]"),
            (Strings{"00", "7f", "cc80", "ccff", "cd0100", "cdffff", "ce00010000", "ceffffffff",
                     "cf0000000100000000", "cf7fffffffffffffff", "c0"}));
  EXPECT_EQ(Values(int64(),
                   "[-1, -32, -33, -128, -129, -32768, -32769, -2147483648, -2147483649, "
                   "-9223372036854775808]"),
            (Strings{"ff", "e0", "d0df", "d080", "d1ff7f", "d18000", "d2ffff7fff", "d280000000",
                     "d3ffffffff7fffffff", "d38000000000000000"}));
  EXPECT_EQ(Values(uint64(), "[18446744073709551615]"), (Strings{"cfffffffffffffffff"}));
  EXPECT_EQ(Values(int16(), "[-200, 5]"), (Strings{"d1ff38", "05"}));
}

TEST(Msgpack, Reals) {
  EXPECT_EQ(Values(float16(), "[1.5]"), (Strings{"ca3fc00000"}));
  EXPECT_EQ(Values(float32(), "[1.5, -Inf]"), (Strings{"ca3fc00000", "caff800000"}));
  EXPECT_EQ(Values(float64(), "[1.5, NaN, -0.0]"),
            (Strings{"cb3ff8000000000000", "cb7ff8000000000000", "cb8000000000000000"}));
}

TEST(Msgpack, DecimalsAreTextInFull) {
  EXPECT_EQ(Values(decimal128(20, 2), R"(["12.50", "-0.01", "0.00", null])"),
            (Strings{"a531322e3530", "a52d302e3031", "a4302e3030", "c0"}));
  // 0.0000000001, not 1E-10
  EXPECT_EQ(Values(decimal256(20, 10), R"(["0.0000000001"])"),
            (Strings{"ac302e30303030303030303031"}));
  // 1200, not 12E+2
  EXPECT_EQ(Values(unit::DecimalsOf<Decimal128, Decimal128Builder>(decimal128(5, -2), {"12"})),
            (Strings{"a431323030"}));
}

TEST(Msgpack, TextAndBytesByLength) {
  const auto text = Values(
      ArrayOf(utf8(), "[\"" + std::string(31, 'a') + "\", \"" + std::string(32, 'a') + "\", \"" +
                          std::string(256, 'a') + "\", \"" + std::string(65'536, 'a') + "\"]"));
  EXPECT_EQ(text[0].substr(0, 4), "bf61");
  EXPECT_EQ(text[1].substr(0, 6), "d92061");
  EXPECT_EQ(text[2].substr(0, 8), "da010061");
  EXPECT_EQ(text[3].substr(0, 12), "db0001000061");
  EXPECT_EQ(text[3].size(), 2U * (5 + 65'536));
  EXPECT_EQ(Values(binary(), R"(["", "\u0000a"])"), (Strings{"c400", "c4020061"}));
  EXPECT_EQ(Values(fixed_size_binary(2), R"(["ab", null])"), (Strings{"c4026162", "c0"}));
}

TEST(Msgpack, TimesAreIntegersOfTheirUnit) {
  EXPECT_EQ(Values(date32(), "[1, -1]"), (Strings{"01", "ff"}));
  EXPECT_EQ(Values(time32(TimeUnit::MILLI), "[1000]"), (Strings{"cd03e8"}));
  EXPECT_EQ(Values(timestamp(TimeUnit::NANO, "UTC"), "[1000]"), (Strings{"cd03e8"}));
  EXPECT_EQ(Values(duration(TimeUnit::SECOND), "[-5]"), (Strings{"fb"}));
  EXPECT_EQ(Values(month_interval(), "[14]"), (Strings{"0e"}));
  EXPECT_EQ(Values(day_time_interval(), "[[-3, 1500]]"), (Strings{"92fdcd05dc"}));
  EXPECT_EQ(Values(month_day_nano_interval(), "[[1, -2, 3]]"), (Strings{"9301fe03"}));
}

TEST(Msgpack, Nested) {
  EXPECT_EQ(Values(list(int8()), "[[1, null], [], null]"), (Strings{"9201c0", "90", "c0"}));
  EXPECT_EQ(Values(fixed_size_list(int8(), 2), "[[1, 2], null]"), (Strings{"920102", "c0"}));
  EXPECT_EQ(Values(struct_({field("x", int8()), field("t", utf8())}),
                   R"([{"x": 1, "t": "a"}, null, {"x": null, "t": ""}])"),
            (Strings{"9201a161", "c0", "92c0a0"}));
  EXPECT_EQ(Values(map(utf8(), int8()), R"([[["b", 1], ["a", null]], [], null])"),
            (Strings{"82a16201a161c0", "80", "c0"}));
  EXPECT_EQ(Values(unit::NullListOverValues()), (Strings{"92a161a162", "c0", "91c0"}));
  EXPECT_EQ(Values(unit::NullStructOverValues()), (Strings{"9201a161", "c0", "92c0a0"}));
}

TEST(Msgpack, EveryTypeThereAndBack) {
  for (const ArrayPtr& example : unit::AllExamples()) {
    SCOPED_TRACE(example->type()->ToString());
    const auto batch = BatchOf({{"c", example}});
    const auto back = Decode(batch->schema(), Encode(*batch));
    ASSERT_TRUE(back.ok()) << back.status().ToString();
    EXPECT_TRUE(unit::SameRows(**back, *batch));
  }
}

TEST(Msgpack, SlicesThereAndBack) {
  for (const ArrayPtr& example : unit::AllExamples()) {
    SCOPED_TRACE(example->type()->ToString());
    const auto batch = BatchOf({{"c", example}})->Slice(1, example->length() - 1);
    const auto back = Decode(batch->schema(), Encode(*batch));
    ASSERT_TRUE(back.ok()) << back.status().ToString();
    EXPECT_TRUE(unit::SameRows(**back, *batch));
  }
}

TEST(Msgpack, ManyRowsThereAndBack) {
  ListBuilder lists(default_memory_pool(), std::make_shared<Int64Builder>());
  auto* values = static_cast<Int64Builder*>(lists.value_builder());
  for (int64_t i = 0; i < 20'000; ++i) {
    ASSERT_TRUE((i % 11 == 0 ? lists.AppendNull() : lists.Append()).ok());
    for (int64_t e = 0; i % 11 != 0 && e < i % 5; ++e) ASSERT_TRUE(values->Append(i * e).ok());
  }
  const auto batch = BatchOf({{"c", lists.Finish().ValueOrDie()}});
  EXPECT_TRUE(unit::SameRows(*Decode(batch->schema(), Encode(*batch)).ValueOrDie(), *batch));
}

TEST(Msgpack, ColumnsThatARowLacksAtItsEndAreNull) {
  const auto wide = arrow::schema({field("a", int8()), field("b", utf8()), field("c", int8())});
  const auto back = Decode(wide, {"\x91\x01", "\x93\x02\xa1x\x03"});
  ASSERT_TRUE(back.ok()) << back.status().ToString();
  EXPECT_TRUE((*back)->column(1)->IsNull(0));
  EXPECT_TRUE((*back)->column(2)->IsNull(0));
  EXPECT_TRUE((*back)->column(2)->IsValid(1));
  const auto strict = arrow::schema({field("a", int8()), field("b", utf8(), false)});
  EXPECT_TRUE(unit::Fails(Decode(strict, {"\x91\x01"}).status(), ErrorKind::kDataInvalid,
                          {"a column is missing"}));
  EXPECT_TRUE(unit::Fails(Decode(strict, {"\x93\x01\xa0\x01"}).status(), ErrorKind::kDataInvalid,
                          {"another count of columns"}));
}

TEST(Msgpack, FinishStartsAnew) {
  const auto batch = BatchOf({{"c", ArrayOf(int8(), "[1, 2]")}});
  const Strings rows = Encode(*batch);
  auto decoder = RowDecoder::Make(batch->schema()).ValueOrDie();
  for (int64_t i = 0; i < 2; ++i) {
    ASSERT_TRUE(decoder.Append(rows[static_cast<size_t>(i)]).ok());
    EXPECT_TRUE(unit::SameRows(*decoder.Finish().ValueOrDie(), *batch->Slice(i, 1)));
  }
  EXPECT_EQ(decoder.Finish().ValueOrDie()->num_rows(), 0);
}

TEST(Msgpack, UnionsHaveNoForm) {
  const auto type = dense_union({field("a", int8())});
  EXPECT_TRUE(unit::Fails(MakeRowEncoder(Schema({field("u", type)})).status(),
                          ErrorKind::kUnsupported, {"column 'u'", "union"}));
}

TEST(MsgpackDecoder, RefusesEveryPrefixAndMore) {
  const BatchPtr batch = unit::BatchOfExamples();
  for (const std::string& row : Encode(*batch)) {
    for (size_t length = 0; length < row.size(); ++length) {
      const Status status = Decode(batch->schema(), {row.substr(0, length)}).status();
      ASSERT_EQ(KindOf(status), ErrorKind::kDataInvalid) << length << " " << status.ToString();
    }
    EXPECT_TRUE(unit::Fails(Decode(batch->schema(), {row + "\xC0"}).status(),
                            ErrorKind::kDataInvalid, {"bytes after its end"}));
    EXPECT_TRUE(Decode(batch->schema(), {row}).ok());
  }
}

TEST(MsgpackDecoder, RefusesOtherTypes) {
  const std::string text("\x91\xA1x", 3), number("\x91\x01", 2), array("\x91\x91\x01", 3);
  const auto refused = [](const std::shared_ptr<DataType>& type, const std::string& row) {
    return unit::Fails(Decode(schema({field("c", type)}), {row}).status(), ErrorKind::kDataInvalid,
                       {"a stored row is broken"});
  };
  for (const auto& type : {boolean(), int32(), float64(), date32(), binary(), list(int8()),
                           struct_({field("x", int8())}), map(utf8(), int8()), decimal128(5, 2),
                           null(), month_day_nano_interval()}) {
    EXPECT_TRUE(refused(type, text)) << type->ToString();
  }
  for (const auto& type :
       {boolean(), utf8(), binary(), float32(), decimal256(5, 2), list(int8())}) {
    EXPECT_TRUE(refused(type, number)) << type->ToString();
  }
  EXPECT_TRUE(refused(int8(), array));
  EXPECT_TRUE(refused(int8(), std::string("\x91\xCC\x80", 3)));                 // 128
  EXPECT_TRUE(refused(uint8(), std::string("\x91\xFF", 2)));                    // -1
  EXPECT_TRUE(refused(fixed_size_binary(2), std::string("\x91\xC4\x01z", 4)));  // one byte
  EXPECT_TRUE(refused(fixed_size_list(int8(), 2), array));                      // one element
  EXPECT_TRUE(refused(decimal128(5, 2), std::string("\x91\xA3"
                                                    "1.5",
                                                    5)));                         // another scale
  EXPECT_TRUE(refused(map(utf8(), int8()), std::string("\x91\x81\xC0\x01", 4)));  // null key
  EXPECT_TRUE(refused(int8(), std::string("\x92\x01\x01", 3)));                   // two columns
}

TEST(MsgpackDecoder, FlippedBytesNeverCrash) {
  const BatchPtr batch = unit::BatchOfExamples();
  const Strings rows = Encode(*batch);
  std::mt19937 random(20'230'711);
  int refused = 0;
  for (int i = 0; i < 5'000; ++i) {
    std::string row = rows[random() % rows.size()];
    for (int flips = 0; flips < 3; ++flips)
      row[random() % row.size()] = static_cast<char>(random());
    const auto back = Decode(batch->schema(), {row});
    if (!back.ok()) {
      ASSERT_EQ(KindOf(back.status()), ErrorKind::kDataInvalid) << back.status().ToString();
      ++refused;
    } else {
      ASSERT_TRUE((*back)->Validate().ok()) << (*back)->Validate().ToString();
      ASSERT_EQ((*back)->num_rows(), 1);
    }
  }
  EXPECT_GT(refused, 1'000);
  EXPECT_LT(refused, 5'000);
}

}  // namespace
}  // namespace amp::msgpack
