// LMDB keys: compared byte by byte they sort as the values do.

#include <algorithm>
#include <cstring>
#include <random>

#include "loaders/lmdb/key_encoder.h"
#include "unit/arrays.h"

namespace amp::lmdb {
namespace {

using namespace arrow;  // NOLINT: type names only
using unit::ArrayOf;
using unit::ArrayPtr;
using unit::BatchOf;
using unit::BatchPtr;
using unit::Fails;
using unit::Strings;

Result<Strings> Encode(KeyEncoder* encoder, const RecordBatch& batch, int64_t first_row = 0) {
  ARROW_ASSIGN_OR_RAISE(const TextColumn keys, encoder->Encode(batch, first_row));
  Strings out;
  for (size_t i = 0; i < keys.ends.size(); ++i) out.emplace_back(keys[i]);
  return out;
}

Result<Strings> ColumnKeys(const BatchPtr& batch, const Strings& columns, int64_t first_row = 0) {
  ARROW_ASSIGN_OR_RAISE(const auto encoder, MakeColumnKeys(*batch->schema(), columns));
  return Encode(encoder.get(), *batch, first_row);
}

Strings Keys(const ArrayPtr& column) {
  return ColumnKeys(BatchOf({{"k", column}}), {"k"}).ValueOrDie();
}

Strings HexKeys(const ArrayPtr& column) {
  Strings hex;
  for (const std::string& key : Keys(column)) hex.push_back(unit::Hex(key));
  return hex;
}

/// LMDB's order: bytes as unsigned numbers, the shorter first.
int Compare(const std::string& a, const std::string& b) {
  const int start = std::memcmp(a.data(), b.data(), std::min(a.size(), b.size()));
  if (start != 0) return start < 0 ? -1 : 1;
  return a.size() == b.size() ? 0 : a.size() < b.size() ? -1 : 1;
}

template <class T>
int Compare(const T& a, const T& b) {
  return a < b ? -1 : b < a ? 1 : 0;
}

template <class T>
void ExpectSameOrder(const std::vector<T>& values, const Strings& keys) {
  ASSERT_EQ(values.size(), keys.size());
  for (size_t i = 0; i < values.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      ASSERT_EQ(Compare(values[i], values[j]), Compare(keys[i], keys[j])) << i << " and " << j;
    }
  }
}

/// Random values of every size, and the ends of the range.
template <class C>
std::vector<C> RandomNumbers() {
  std::mt19937_64 random(7);
  std::vector<C> values{0, 1, std::numeric_limits<C>::min(), std::numeric_limits<C>::max()};
  for (int i = 0; i < 300; ++i) values.push_back(static_cast<C>(random() >> (random() % 64)));
  for (int i = 0; i < 100; ++i) values.push_back(static_cast<C>(0 - (random() >> (random() % 64))));
  return values;
}

template <class T>
void ExpectNumbersSort(const std::shared_ptr<DataType>& type) {
  SCOPED_TRACE(type->ToString());
  const auto values = RandomNumbers<typename T::c_type>();
  typename TypeTraits<T>::BuilderType builder(type, default_memory_pool());
  ASSERT_TRUE(builder.AppendValues(values).ok());
  ExpectSameOrder(values, Keys(builder.Finish().ValueOrDie()));
}

TEST(KeyOrder, Integers) {
  ExpectNumbersSort<Int8Type>(int8());
  ExpectNumbersSort<UInt8Type>(uint8());
  ExpectNumbersSort<Int16Type>(int16());
  ExpectNumbersSort<UInt16Type>(uint16());
  ExpectNumbersSort<Int32Type>(int32());
  ExpectNumbersSort<UInt32Type>(uint32());
  ExpectNumbersSort<Int64Type>(int64());
  ExpectNumbersSort<UInt64Type>(uint64());
  EXPECT_EQ(HexKeys(ArrayOf(int32(), "[-1, 0, 258]")),
            (Strings{"7fffffff", "80000000", "80000102"}));
  EXPECT_EQ(HexKeys(ArrayOf(uint64(), "[258]")), (Strings{"0000000000000102"}));
  EXPECT_EQ(HexKeys(ArrayOf(boolean(), "[false, true]")), (Strings{"00", "01"}));
}

TEST(KeyOrder, Times) {
  ExpectNumbersSort<Date32Type>(date32());
  ExpectNumbersSort<Date64Type>(date64());
  ExpectNumbersSort<Time32Type>(time32(TimeUnit::MILLI));
  ExpectNumbersSort<Time64Type>(time64(TimeUnit::NANO));
  ExpectNumbersSort<TimestampType>(timestamp(TimeUnit::NANO, "UTC"));
  ExpectNumbersSort<DurationType>(duration(TimeUnit::SECOND));
}

TEST(KeyOrder, Reals) {
  std::mt19937_64 random(7);
  std::vector<double> doubles{0.0,   1.0,    -1.0,     5e-324,   -5e-324, 1.7976931348623157e308,
                              1e300, -1e300, INFINITY, -INFINITY};
  std::vector<float> floats{0.0F, 1.0F, -1.0F, 1e-45F, -1e-45F, INFINITY, -INFINITY};
  while (doubles.size() < 400) {
    const double value = std::bit_cast<double>(random());
    if (!std::isnan(value)) doubles.push_back(value);
    const float narrow = std::bit_cast<float>(static_cast<uint32_t>(random()));
    if (!std::isnan(narrow)) floats.push_back(narrow);
  }
  DoubleBuilder wide;
  FloatBuilder narrow;
  ASSERT_TRUE(wide.AppendValues(doubles).ok() && narrow.AppendValues(floats).ok());
  ExpectSameOrder(doubles, Keys(wide.Finish().ValueOrDie()));
  ExpectSameOrder(floats, Keys(narrow.Finish().ValueOrDie()));
}

template <class Decimal, class Builder>
void ExpectDecimalsSort(const std::shared_ptr<DataType>& type) {
  SCOPED_TRACE(type->ToString());
  std::vector<Decimal> values;
  Builder builder(type);
  for (const int64_t value : RandomNumbers<int64_t>()) {
    // Some wider than an int64 where the type is.
    values.push_back(Decimal(std::to_string(value % 999'999'999)));
    if (sizeof(Decimal) >= 16) values.push_back(values.back() * Decimal(std::to_string(value)));
  }
  for (const Decimal& value : values) ASSERT_TRUE(builder.Append(value).ok());
  ExpectSameOrder(values, Keys(builder.Finish().ValueOrDie()));
}

TEST(KeyOrder, Decimals) {
  ExpectDecimalsSort<Decimal32, Decimal32Builder>(decimal32(9, 2));
  ExpectDecimalsSort<Decimal64, Decimal64Builder>(decimal64(18, 2));
  ExpectDecimalsSort<Decimal128, Decimal128Builder>(decimal128(38, 2));
  ExpectDecimalsSort<Decimal256, Decimal256Builder>(decimal256(76, -2));
}

/// Texts over few letters, 0x00 and 0xFF among them, so that many start alike.
Strings RandomTexts(size_t count, size_t longest, unsigned seed) {
  std::mt19937 random(seed);
  constexpr std::string_view kLetters(
      "\0\x01"
      "a\xFF",
      4);
  Strings texts{""};
  while (texts.size() < count) {
    std::string text;
    for (size_t length = random() % (longest + 1); text.size() < length;) {
      text.push_back(kLetters[random() % kLetters.size()]);
    }
    texts.push_back(std::move(text));
  }
  return texts;
}

template <class Builder>
ArrayPtr Texts(const Strings& texts, Builder builder = Builder()) {
  for (const std::string& text : texts) EXPECT_TRUE(builder.Append(text).ok());
  return builder.Finish().ValueOrDie();
}

std::vector<std::basic_string<unsigned char>> Unsigned(const Strings& texts) {
  std::vector<std::basic_string<unsigned char>> out;
  for (const std::string& text : texts) out.emplace_back(text.begin(), text.end());
  return out;
}

TEST(KeyOrder, TextAndBytes) {
  Strings texts = RandomTexts(300, 5, 7);
  texts.erase(std::remove(texts.begin(), texts.end(), ""), texts.end());
  ExpectSameOrder(Unsigned(texts), Keys(Texts<BinaryBuilder>(texts)));
  ExpectSameOrder(Unsigned(texts), Keys(Texts<LargeBinaryBuilder>(texts)));
  EXPECT_EQ(Keys(Texts<StringBuilder>(texts)), texts);
  EXPECT_EQ(Keys(Texts<LargeStringBuilder>(texts)), texts);
  Strings fixed = RandomTexts(3'000, 3, 8);
  std::erase_if(fixed, [](const std::string& text) { return text.size() != 3; });
  EXPECT_EQ(Keys(Texts(fixed, FixedSizeBinaryBuilder(fixed_size_binary(3)))), fixed);
}

TEST(KeyOrder, CompositeKeysSortColumnByColumn) {
  const Strings first = RandomTexts(250, 4, 7);
  const Strings second = RandomTexts(250, 4, 8);
  std::mt19937 random(9);
  std::vector<int16_t> numbers;
  for (size_t i = 0; i < first.size(); ++i)
    numbers.push_back(static_cast<int16_t>(random() % 3) - 1);
  Int16Builder builder;
  ASSERT_TRUE(builder.AppendValues(numbers).ok());
  const auto batch = BatchOf({{"a", Texts<BinaryBuilder>(first)},
                              {"n", builder.Finish().ValueOrDie()},
                              {"b", Texts<LargeStringBuilder>(second)}});
  const auto a = Unsigned(first), b = Unsigned(second);
  std::vector<std::tuple<std::basic_string<unsigned char>, int, std::basic_string<unsigned char>>>
      rows;
  for (size_t i = 0; i < a.size(); ++i) rows.emplace_back(a[i], numbers[i], b[i]);
  ExpectSameOrder(rows, ColumnKeys(batch, {"a", "n", "b"}).ValueOrDie());
  // The order of the key's columns counts, not that of the batch's.
  const auto other = ColumnKeys(batch, {"n", "a"}).ValueOrDie();
  EXPECT_EQ(unit::Hex(other[0].substr(0, 2)), unit::Hex(Keys(batch->column(1))[0]));
}

TEST(KeyOrder, ZeroInTextBeforeAnotherColumn) {
  const auto batch = BatchOf(
      {{"a", ArrayOf(utf8(), R"(["a\u0000b", "", "a"])")}, {"b", ArrayOf(uint8(), "[1, 2, 3]")}});
  Strings hex;
  for (const std::string& key : ColumnKeys(batch, {"a", "b"}).ValueOrDie()) {
    hex.push_back(unit::Hex(key));
  }
  EXPECT_EQ(hex, (Strings{"6100ff62000001", "000002", "61000003"}));
}

TEST(KeyOrder, NullsAreRefused) {
  const auto batch = BatchOf({{"id", ArrayOf(int32(), "[1, null]")}});
  EXPECT_TRUE(Fails(ColumnKeys(batch, {"id"}, 40).status(), ErrorKind::kDataInvalid,
                    {"key: column 'id', row 41 of the load: is null"}));
  EXPECT_TRUE(ColumnKeys(batch->Slice(0, 1), {"id"}).ok());
}

TEST(KeyOrder, LengthsBeyondLmdbsAreRefused) {
  const auto longest = std::string(511, 'x');
  EXPECT_EQ(Keys(Texts<StringBuilder>({longest})), Strings{longest});
  const auto batch = BatchOf({{"t", Texts<StringBuilder>({"a", longest + "x"})}});
  EXPECT_TRUE(Fails(ColumnKeys(batch, {"t"}, 40).status(), ErrorKind::kDataInvalid,
                    {"row 41 of the load", "512 bytes", "1 to 511"}));
  const auto empty = BatchOf({{"t", Texts<StringBuilder>({""})}});
  EXPECT_TRUE(Fails(ColumnKeys(empty, {"t"}).status(), ErrorKind::kDataInvalid, {"0 bytes"}));
}

TEST(KeyOrder, ColumnsThatCannotBeKeys) {
  const Schema schema({field("id", int32()), field("list", list(int8()))});
  EXPECT_TRUE(Fails(MakeColumnKeys(schema, {"di"}).status(), ErrorKind::kConfigInvalid,
                    {"key: there is no column 'di'", "did you mean 'id'?"}));
  EXPECT_TRUE(Fails(MakeColumnKeys(schema, {"list"}).status(), ErrorKind::kUnsupported,
                    {"key column 'list' is list"}));
}

TEST(KeyOrder, RowNumbersGoOn) {
  const auto batch = BatchOf({{"id", ArrayOf(int32(), "[5, 6]")}});
  const auto encoder = MakeRowNumberKeys(255);
  Strings keys = Encode(encoder.get(), *batch).ValueOrDie();
  EXPECT_EQ((Strings{unit::Hex(keys[0]), unit::Hex(keys[1])}),
            (Strings{"00000000000000ff", "0000000000000100"}));
  keys = Encode(encoder.get(), *batch).ValueOrDie();
  EXPECT_EQ(unit::Hex(keys[0]), "0000000000000101");
}

Result<Strings> PatternKeys(const BatchPtr& batch, const std::string& pattern) {
  ARROW_ASSIGN_OR_RAISE(const auto encoder, MakePatternKeys(*batch->schema(), pattern, "logs"));
  return Encode(encoder.get(), *batch, 40);
}

TEST(KeyPattern, ValuesAsText) {
  const auto batch =
      BatchOf({{"net", ArrayOf(utf8(), R"(["a\"b", "\u0000"])")},
               {"large", ArrayOf(large_utf8(), R"(["a\"\n", "é"])")},
               {"block", ArrayOf(uint64(), "[18446744073709551615, 7]")},
               {"hash", ArrayOf(fixed_size_binary(2), R"(["\u0001z", "ab"])")},
               {"data", ArrayOf(large_binary(), R"(["", "a"])")},
               {"price", ArrayOf(decimal128(20, 8), R"(["0.00000001", "-1.00000000"])")},
               {"at", ArrayOf(timestamp(TimeUnit::MILLI, "UTC"), "[0, 1]")}});
  const auto keys = [&](const std::string& pattern) {
    return PatternKeys(batch, pattern).ValueOrDie();
  };
  EXPECT_EQ(keys("{table}:{net}:{block}"),
            (Strings{"logs:a\"b:18446744073709551615", std::string("logs:\0:7", 8)}));
  EXPECT_EQ(keys("{large}"), (Strings{"a\"\n", "é"}));
  EXPECT_EQ(keys("{hash}/{data}"), (Strings{"017a/", "6162/61"}));
  EXPECT_EQ(keys("{price} {at}"), (Strings{"0.00000001 1970-01-01T00:00:00.000Z",
                                           "-1.00000000 1970-01-01T00:00:00.001Z"}));
  EXPECT_EQ(keys("{{{block}}}"), (Strings{"{18446744073709551615}", "{7}"}));
}

TEST(KeyPattern, AColumnNamedTableIsTheColumn) {
  const auto batch = BatchOf({{"table", ArrayOf(int8(), "[7]")}});
  EXPECT_EQ(PatternKeys(batch, "{table}").ValueOrDie(), (Strings{"7"}));
}

TEST(KeyPattern, Refusals) {
  const auto batch = BatchOf({{"block", ArrayOf(int32(), "[1, null]")}});
  const auto config = ErrorKind::kConfigInvalid;
  EXPECT_TRUE(Fails(PatternKeys(batch, "{blok}").status(), config,
                    {"key_pattern: there is no column 'blok'", "did you mean 'block'?"}));
  EXPECT_TRUE(Fails(PatternKeys(batch, "a{block").status(), config,
                    {"the { at character 2 has no partner; write {{"}));
  EXPECT_TRUE(Fails(PatternKeys(batch, "{block}}").status(), config,
                    {"the } at character 8 has no partner; write }}"}));
  EXPECT_TRUE(Fails(PatternKeys(batch, "{block}").status(), ErrorKind::kDataInvalid,
                    {"key: column 'block', row 41 of the load: is null"}));
  EXPECT_TRUE(Fails(PatternKeys(batch->Slice(0, 1), std::string(511, 'x') + "{block}").status(),
                    ErrorKind::kDataInvalid, {"512 bytes"}));
}

}  // namespace
}  // namespace amp::lmdb
