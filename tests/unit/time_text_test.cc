// Dates and times as text and back, up to the ends of their ranges.

#include "core/time_text.h"

#include "unit/arrays.h"

namespace amp {
namespace {

using arrow::TimeUnit;

constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
constexpr std::array kUnits{TimeUnit::SECOND, TimeUnit::MILLI, TimeUnit::MICRO, TimeUnit::NANO};

std::string Date(int64_t days) {
  std::string text;
  AppendDate(days, &text);
  return text;
}
std::string TimeOfDay(int64_t value, TimeUnit::type unit) {
  std::string text;
  AppendTimeOfDay(value, unit, &text);
  return text;
}
std::string Timestamp(int64_t value, TimeUnit::type unit, bool utc = false) {
  std::string text;
  AppendTimestamp(value, unit, utc, &text);
  return text;
}
std::string Duration(int64_t value, TimeUnit::type unit) {
  std::string text;
  AppendDuration(value, unit, &text);
  return text;
}

TEST(TimeText, FloorDivideRoundsDown) {
  const auto parts = [](int64_t value, int64_t by) {
    const Floor floor = FloorDivide(value, by);
    return std::pair(floor.quotient, floor.remainder);
  };
  using Pair = std::pair<int64_t, int64_t>;
  EXPECT_EQ(parts(7, 3), Pair(2, 1));
  EXPECT_EQ(parts(-7, 3), Pair(-3, 2));
  EXPECT_EQ(parts(-6, 3), Pair(-2, 0));
  EXPECT_EQ(parts(kLeast, 1'000'000'000), Pair(-9'223'372'037, 145'224'192));
  EXPECT_EQ(parts(kMost, 1'000'000'000), Pair(9'223'372'036, 854'775'807));
  // Known where it is compiled, so nothing in it overflows.
  static_assert(FloorDivide(kLeast, 1'000'000'000).remainder == 145'224'192);
}

TEST(TimeText, Dates) {
  EXPECT_EQ(Date(0), "1970-01-01");
  EXPECT_EQ(Date(-1), "1969-12-31");
  EXPECT_EQ(Date(19'549), "2023-07-11");
  EXPECT_EQ(Date(11'016), "2000-02-29");
  EXPECT_EQ(Date(-719'528), "0000-01-01");
  EXPECT_EQ(Date(-719'529), "-0001-12-31");
  EXPECT_EQ(Date(2'932'896), "9999-12-31");
  EXPECT_EQ(Date(2'932'897), "+10000-01-01");
  EXPECT_EQ(Date(INT32_MIN), "-5877641-06-23");
  EXPECT_EQ(Date(INT32_MAX), "+5881580-07-11");
}

TEST(TimeText, DatesThereAndBack) {
  for (int64_t days = -800'000; days <= 3'000'000; days += 37) {
    ASSERT_EQ(ParseDate(Date(days)), days);
  }
  // Every day of two leap and two common years, one of each a century's.
  for (const int64_t first : {10'957, 47'482, 18'262, 19'358}) {
    for (int64_t days = first; days < first + 366; ++days) ASSERT_EQ(ParseDate(Date(days)), days);
  }
  EXPECT_EQ(ParseDate(Date(INT32_MIN)), INT32_MIN);
  EXPECT_EQ(ParseDate(Date(INT32_MAX)), INT32_MAX);
}

TEST(TimeText, DatesThatAreNone) {
  for (const char* text :
       {"", "2023", "2023-02-29", "1900-02-29", "2023-13-01", "2023-00-01", "2023-01-00",
        "2023-04-31", "2023-01-01x", "2023-01-01 ", "2023/01/01", "x", "9223372036854775807-01-01",
        "-9223372036854775808-01-01", "99999999999999999999-01-01"}) {
    EXPECT_EQ(ParseDate(text), std::nullopt) << text;
  }
  EXPECT_EQ(ParseDate("2000-02-29"), 11'016);
}

TEST(TimeText, TimesOfDay) {
  EXPECT_EQ(TimeOfDay(45'296, TimeUnit::SECOND), "12:34:56");
  EXPECT_EQ(TimeOfDay(45'296'007, TimeUnit::MILLI), "12:34:56.007");
  EXPECT_EQ(TimeOfDay(0, TimeUnit::MICRO), "00:00:00.000000");
  EXPECT_EQ(TimeOfDay(86'399'999'999'999, TimeUnit::NANO), "23:59:59.999999999");
  EXPECT_EQ(ParseTimeOfDay("12:34:56.007", TimeUnit::MILLI), 45'296'007);
  EXPECT_EQ(ParseTimeOfDay("12:34", TimeUnit::SECOND), 45'240);
  EXPECT_EQ(ParseTimeOfDay("12:34:56.5", TimeUnit::NANO), 45'296'500'000'000);
  EXPECT_EQ(ParseTimeOfDay("12:34:56.5000", TimeUnit::MILLI), 45'296'500);
  for (const char* text : {"", "12", "12:60:00", "25:00:00", "12:00:60", "12:34:56.", "12:34:56.1",
                           "12:34:56x", "-1:00:00"}) {
    EXPECT_EQ(ParseTimeOfDay(text, TimeUnit::SECOND), std::nullopt) << text;
  }
}

TEST(TimeText, Timestamps) {
  EXPECT_EQ(Timestamp(0, TimeUnit::SECOND), "1970-01-01T00:00:00");
  EXPECT_EQ(Timestamp(-1, TimeUnit::SECOND, true), "1969-12-31T23:59:59Z");
  EXPECT_EQ(Timestamp(-1, TimeUnit::NANO, true), "1969-12-31T23:59:59.999999999Z");
  EXPECT_EQ(Timestamp(1'689'078'896'789, TimeUnit::MILLI, true), "2023-07-11T12:34:56.789Z");
  EXPECT_EQ(Timestamp(1'689'078'896'000'000, TimeUnit::MICRO), "2023-07-11T12:34:56.000000");
}

TEST(TimeText, TimestampsAtTheEndsOfTheRange) {
  EXPECT_EQ(Timestamp(kLeast, TimeUnit::NANO), "1677-09-21T00:12:43.145224192");
  EXPECT_EQ(Timestamp(kMost, TimeUnit::NANO), "2262-04-11T23:47:16.854775807");
  EXPECT_EQ(Timestamp(kLeast, TimeUnit::MICRO), "-290308-12-21T19:59:05.224192");
  EXPECT_EQ(Timestamp(kMost, TimeUnit::SECOND), "+292277026596-12-04T15:30:07");
  for (const auto unit : kUnits) {
    for (const int64_t value : {kLeast, kLeast + 1, kMost - 1, kMost}) {
      SCOPED_TRACE(Timestamp(value, unit));
      EXPECT_EQ(ParseTimestamp(Timestamp(value, unit), unit), value);
      EXPECT_EQ(ParseTimestamp(Timestamp(value, unit, true), unit), value);
    }
  }
}

TEST(TimeText, TimestampsThereAndBack) {
  for (const auto unit : kUnits) {
    for (int64_t value = kLeast; value < kMost - 1'234'567'890'123'456'789;
         value += 12'345'678'901'234'567) {
      ASSERT_EQ(ParseTimestamp(Timestamp(value, unit), unit), value);
    }
  }
}

TEST(TimeText, TimestampsThatAreWritten) {
  EXPECT_EQ(ParseTimestamp("2023-07-11", TimeUnit::SECOND), 1'689'033'600);
  EXPECT_EQ(ParseTimestamp("2023-07-11 12:34", TimeUnit::MILLI), 1'689'078'840'000);
  EXPECT_EQ(ParseTimestamp("2023-07-11T12:34:56.7Z", TimeUnit::MICRO), 1'689'078'896'700'000);
  // A digit that the unit cannot hold, a moment beyond the range, and no timestamps.
  for (const char* text : {"2023-07-11T12:34:56.0001", "", "2023-07-11T", "2023-07-11T12",
                           "2023-07-11X12:34:56", "2023-07-11T12:34:56+02:00",
                           "+292278994-08-17T07:12:55.808", "-292275055-05-16T16:47:04.191"}) {
    EXPECT_EQ(ParseTimestamp(text, TimeUnit::MILLI), std::nullopt) << text;
  }
}

TEST(TimeText, Durations) {
  EXPECT_EQ(Duration(0, TimeUnit::SECOND), "PT0S");
  EXPECT_EQ(Duration(-1'500, TimeUnit::MILLI), "PT-1.500S");
  EXPECT_EQ(Duration(-1, TimeUnit::NANO), "PT-0.000000001S");
  EXPECT_EQ(Duration(90, TimeUnit::SECOND), "PT90S");
  EXPECT_EQ(Duration(kLeast, TimeUnit::SECOND), "PT-9223372036854775808S");
  EXPECT_EQ(Duration(kLeast, TimeUnit::NANO), "PT-9223372036.854775808S");
  for (const auto unit : kUnits) {
    for (const int64_t value : {kLeast, kMost, int64_t{-1}, int64_t{0}, int64_t{1'500}}) {
      SCOPED_TRACE(Duration(value, unit));
      EXPECT_EQ(ParseDuration(Duration(value, unit), unit), value);
    }
  }
}

TEST(TimeText, DurationsThatAreNone) {
  for (const char* text : {"", "PT", "PTS", "PT1", "P1S", "PT--5S", "PT1.S", "PT1.5S", "PT1Sx",
                           "PT9223372036854775808S"}) {
    EXPECT_EQ(ParseDuration(text, TimeUnit::SECOND), std::nullopt) << text;
  }
}

TEST(TimeText, Instants) {
  EXPECT_EQ(ParseInstant("2023-07-11T12:34:56Z"), 1'689'078'896'000);
  EXPECT_EQ(ParseInstant("2023-07-11T12:34:56"), 1'689'078'896'000);
  EXPECT_EQ(ParseInstant("2023-07-11T12:34:56.789Z"), 1'689'078'896'789);
  EXPECT_EQ(ParseInstant("2023-07-11T12:34:56.789999999Z"), 1'689'078'896'789);
  EXPECT_EQ(ParseInstant("2023-07-11T14:34:56+02:00"), 1'689'078'896'000);
  EXPECT_EQ(ParseInstant("2023-07-11 07:04:56-05:30"), 1'689'078'896'000);
  EXPECT_EQ(ParseInstant("2023-07-11"), 1'689'033'600'000);
  EXPECT_EQ(ParseInstant("1969-12-31T23:59:59.9995Z"), -1);
  for (const char* text : {"", "now", "2023-07-11T", "2023-07-11T12:34:56+2", "2023-13-11",
                           "2023-07-11T12:34:56Z+02:00", "2023-07-11T12:34:56+0200"}) {
    EXPECT_EQ(ParseInstant(text), std::nullopt) << text;
  }
}

}  // namespace
}  // namespace amp
