// The command of Flight SQL, against literal bytes, and bytes that are no such command.

#include "sources/flight_sql/flight_sql.h"

#include <gtest/gtest.h>

#include "amp/testing/asserts.h"

namespace amp {
namespace {

using namespace std::string_literals;

// What Python's protobuf gives for Any.Pack(CommandStatementQuery(query="SELECT 1")):
//   0a 43 <67 bytes of type URL>  12 0a  0a 08 "SELECT 1"
const std::string kSelectOne =
    "\x0a\x43type.googleapis.com/arrow.flight.protocol.sql.CommandStatementQuery"
    "\x12\x0a\x0a\x08SELECT 1";

TEST(FlightSql, EncodesALiteralCommand) { EXPECT_EQ(EncodeStatementQuery("SELECT 1"), kSelectOne); }

TEST(FlightSql, DecodesALiteralCommand) {
  AMP_ASSERT_OK_AND_ASSIGN(const std::string sql, DecodeStatementQuery(kSelectOne));
  EXPECT_EQ(sql, "SELECT 1");
}

TEST(FlightSql, PassesOverMembersThatItDoesNotKnow) {
  // The statement's transaction_id = 2, and members of every wire type.
  const std::string value = "\x12\x01t\x0a\x01Q\x18\x96\x01\x21"s + "12345678" + "\x2d" + "1234";
  const std::string any = "\x0a\x43" + std::string(kStatementQueryUrl) + "\x12" +
                          std::string(1, static_cast<char>(value.size())) + value;
  AMP_ASSERT_OK_AND_ASSIGN(const std::string sql, DecodeStatementQuery(any));
  EXPECT_EQ(sql, "Q");
}

TEST(FlightSql, TakesTextOfAnyLength) {
  for (const size_t size : {0UL, 1UL, 127UL, 128UL, 16383UL, 16384UL, 3000000UL}) {
    const std::string sql(size, 'x');
    AMP_ASSERT_OK_AND_ASSIGN(const std::string back,
                             DecodeStatementQuery(EncodeStatementQuery(sql)));
    EXPECT_EQ(back, sql);
  }
}

TEST(FlightSql, RefusesEveryCutOfACommand) {
  for (size_t size = 0; size < kSelectOne.size(); ++size) {
    const auto result = DecodeStatementQuery(kSelectOne.substr(0, size));
    // Cut between the two members, what is left is a command without a text.
    EXPECT_EQ(result.ok(), size == 2 + kStatementQueryUrl.size()) << size;
  }
}

TEST(FlightSql, RefusesOtherBytesAndCommands) {
  AMP_EXPECT_ERROR(DecodeStatementQuery("SELECT 1"), ErrorKind::kDataInvalid,
                   "google.protobuf.Any");
  AMP_EXPECT_ERROR(DecodeStatementQuery("\x0a\x03url\x12\x00"s), ErrorKind::kUnsupported, "'url'");
  AMP_EXPECT_ERROR(DecodeStatementQuery(std::string(20, '\xff')), ErrorKind::kDataInvalid, "Any");
}

}  // namespace
}  // namespace amp
