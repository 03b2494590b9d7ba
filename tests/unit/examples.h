#pragma once

#include <vector>

#include "unit/arrays.h"

/// Values of every plain type, for tests that write them and read them back.
namespace amp::unit {

inline ArrayPtr NullListOverValues() {
  const auto offsets = ArrayOf(arrow::int32(), "[0, 2, 4, 5]");
  const auto values = ArrayOf(arrow::utf8(), R"(["a", "b", "under a null", "too", null])");
  const auto valid = arrow::AllocateBitmap(3).ValueOrDie();
  valid->mutable_data()[0] = 0b101;
  return arrow::ListArray::FromArrays(*offsets, *values, arrow::default_memory_pool(),
                                      std::shared_ptr<arrow::Buffer>(valid))
      .ValueOrDie();
}

inline ArrayPtr NullStructOverValues() {
  const auto numbers = ArrayOf(arrow::int32(), "[1, 2, null]");
  const auto texts = ArrayOf(arrow::utf8(), R"(["a", "under a null", ""])");
  const auto valid = arrow::AllocateBitmap(3).ValueOrDie();
  valid->mutable_data()[0] = 0b101;
  return arrow::StructArray::Make({numbers, texts}, Strings{"n", "t"},
                                  std::shared_ptr<arrow::Buffer>(valid))
      .ValueOrDie();
}

inline std::vector<ArrayPtr> NumberExamples() {
  using namespace arrow;
  return {
      ArrayOf(null(), "[null, null, null]"),
      ArrayOf(boolean(), "[true, null, false]"),
      ArrayOf(int8(), "[-128, null, 127, -32, -33, 0]"),
      ArrayOf(uint8(), "[0, 255, null, 127, 128]"),
      ArrayOf(int16(), "[-32768, null, 32767, -129]"),
      ArrayOf(uint16(), "[65535, 0, null, 256]"),
      ArrayOf(int32(), "[-2147483648, null, 2147483647, -32769]"),
      ArrayOf(uint32(), "[4294967295, null, 65536]"),
      ArrayOf(int64(), "[-9223372036854775808, null, 9223372036854775807, -2147483649]"),
      ArrayOf(uint64(), "[18446744073709551615, null, 9223372036854775808, 9007199254740993]"),
      ArrayOf(float16(), "[1.5, null, -65504, NaN, Inf, -0.0]"),
      ArrayOf(float32(), "[3.4028235e38, null, -1e-45, NaN, Inf, -Inf, -0.0, 0.1]"),
      ArrayOf(float64(), "[1.7976931348623157e308, null, 5e-324, NaN, Inf, -Inf, -0.0, 0.1, 1e22]"),
  };
}

inline std::vector<ArrayPtr> DecimalExamples() {
  using namespace arrow;
  return {
      ArrayOf(decimal32(9, 2), R"(["9999999.99", null, "-9999999.99", "0.00"])"),
      ArrayOf(decimal64(18, 0), R"(["999999999999999999", null, "-1"])"),
      ArrayOf(decimal128(38, 18), R"(["99999999999999999999.999999999999999999", null,
                                      "-0.000000000000000001", "0.000000000000000000"])"),
      ArrayOf(decimal256(76, 76), R"([null,
          "-0.9999999999999999999999999999999999999999999999999999999999999999999999999999"])"),
      DecimalsOf<Decimal128, Decimal128Builder>(
          decimal128(38, -3), {"99999999999999999999999999999999999999", "-12", "0", "10"}),
      DecimalsOf<Decimal128, Decimal128Builder>(decimal128(5, 40), {"99999", "-1", "0"}),
  };
}

inline std::vector<ArrayPtr> TextExamples() {
  using namespace arrow;
  const std::string texts =
      R"(["", null, "plain", "Zoë 東京", "quote\" \\ \n\t\r\u0001\u0000end"])";
  const std::string bytes = R"(["", null, "\u0000\u0001 bytes \u007f"])";
  return {
      ArrayOf(utf8(), texts),
      ArrayOf(large_utf8(), texts),
      ArrayOf(binary(), bytes),
      ArrayOf(large_binary(), bytes),
      ArrayOf(fixed_size_binary(3), R"(["abc", null, "\u0000\u0001\u0002"])"),
      ArrayOf(utf8(), "[\"" + std::string(31, 'x') + "\", \"" + std::string(32, 'x') + "\", \"" +
                          std::string(256, 'y') + "\", \"" + std::string(70'000, 'z') + "\"]"),
  };
}

inline std::vector<ArrayPtr> TimeExamples() {
  using namespace arrow;
  const std::string extremes = "[-9223372036854775808, null, 9223372036854775807, -1, 0, 1]";
  std::vector<ArrayPtr> examples{
      ArrayOf(date32(), "[-2147483648, null, 2147483647, -1, 0]"),
      ArrayOf(date64(), "[-86400000, null, 1689033600000]"),
      ArrayOf(time32(TimeUnit::SECOND), "[0, null, 86399]"),
      ArrayOf(time32(TimeUnit::MILLI), "[0, null, 86399999]"),
      ArrayOf(time64(TimeUnit::MICRO), "[0, null, 86399999999]"),
      ArrayOf(time64(TimeUnit::NANO), "[0, null, 86399999999999]"),
      ArrayOf(month_interval(), "[-2147483648, null, 14]"),
      ArrayOf(day_time_interval(), "[[-3, 1500], null, [0, -1], [2147483647, -2147483648]]"),
      ArrayOf(month_day_nano_interval(),
              "[[1, -2, 3], null, [0, 0, -9223372036854775808], [-1, 0, 1000000001]]"),
  };
  for (const auto unit : {TimeUnit::SECOND, TimeUnit::MILLI, TimeUnit::MICRO, TimeUnit::NANO}) {
    examples.push_back(ArrayOf(timestamp(unit), extremes));
    examples.push_back(ArrayOf(timestamp(unit, "UTC"), extremes));
    examples.push_back(ArrayOf(duration(unit), extremes));
  }
  return examples;
}

inline std::vector<ArrayPtr> NestedExamples() {
  using namespace arrow;
  const auto point = struct_({field("x", int32()), field("name", utf8())});
  return {
      ArrayOf(list(int32()), "[[1, null, 3], null, [], [4]]"),
      ArrayOf(large_list(utf8()), R"([["a"], [null, "b"], null, []])"),
      ArrayOf(fixed_size_list(int16(), 2), "[[1, 2], null, [null, 4]]"),
      ArrayOf(fixed_size_list(fixed_size_binary(2), 1), R"([["ab"], null, [null]])"),
      ArrayOf(list(list(int8())), "[[[1], [], null], [], null, [[2, 3]]]"),
      ArrayOf(list(fixed_size_list(int8(), 2)), "[[[1, 2], null], [], null]"),
      ArrayOf(point, R"([{"x": 1, "name": "a"}, null, {"x": null, "name": null}])"),
      ArrayOf(list(point), R"([[{"x": 1, "name": "a"}, null], [], null])"),
      ArrayOf(struct_({field("inner", list(point))}), R"([{"inner": [{"x": 1, "name": ""}]}, null,
                                                          {"inner": null}])"),
      ArrayOf(map(utf8(), int32()), R"([[["b", 1], ["a", null]], null, [], [["c", 3]]])"),
      ArrayOf(map(int64(), list(utf8())), R"([[[2, ["x", null]], [1, null]], null, []])"),
      ArrayOf(list(decimal128(20, 4)), R"([["1.2345", null], null, []])"),
      NullListOverValues(),
      NullStructOverValues(),
  };
}

inline std::vector<ArrayPtr> AllExamples() {
  std::vector<ArrayPtr> all;
  for (const auto& some :
       {NumberExamples(), DecimalExamples(), TextExamples(), TimeExamples(), NestedExamples()}) {
    all.insert(all.end(), some.begin(), some.end());
  }
  return all;
}

/// Three rows with a column of every example that has as many.
inline BatchPtr BatchOfExamples() {
  std::vector<std::pair<std::string, ArrayPtr>> columns;
  for (const ArrayPtr& example : AllExamples()) {
    if (example->length() < 3) continue;
    columns.emplace_back("c" + std::to_string(columns.size()), example->Slice(0, 3));
  }
  return BatchOf(columns);
}

}  // namespace amp::unit
