// What Amp servers say with each message, and what they must not say.

#include "sources/amp/app_metadata.h"

#include <gtest/gtest.h>

#include "amp/testing/asserts.h"

namespace amp {
namespace {

const std::string kHashA = "0x" + std::string(64, 'a');
const std::string kHashB = "0x" + std::string(64, 'b');

// {"ranges":[{<range>}],"ranges_complete":false}
std::string With(const std::string& range) {
  return R"({"ranges":[{)" + range + R"(}],"ranges_complete":false})";
}
std::string Range(const std::string& numbers, const std::string& more) {
  return With(R"("network":"eth","numbers":)" + numbers + more);
}
std::string Hashes(const std::string& hash, const std::string& prev_hash) {
  return R"(,"hash":")" + hash + R"(","prev_hash":")" + prev_hash + '"';
}

TEST(AppMetadata, ReadsARange) {
  AMP_ASSERT_OK_AND_ASSIGN(
      const AppMetadata metadata,
      ParseAppMetadata(Range(R"({"start":3,"end":7})", Hashes(kHashA, kHashB))));
  EXPECT_FALSE(metadata.ranges_complete);
  ASSERT_EQ(metadata.ranges.size(), 1U);
  EXPECT_EQ(
      metadata.ranges[0],
      (BlockRange{.network = "eth", .start = 3, .end = 7, .hash = kHashA, .prev_hash = kHashB}));
  EXPECT_FALSE(metadata.ranges[0].timestamp);
}

TEST(AppMetadata, ReadsNetworksTimestampsAndTheEnd) {
  AMP_ASSERT_OK_AND_ASSIGN(
      const AppMetadata metadata,
      ParseAppMetadata(R"({"ranges_complete":true,"later":{"x":[1]},"ranges":[
        {"network":"eth","numbers":{"start":0,"end":0,"step":1},"hash":")" +
                       kHashA +
                       R"(","prev_hash":null,"timestamp":1438269973,"is_reorg":true},
        {"network":"base","numbers":{"start":0,"end":18446744073709551615},"hash":")" +
                       kHashB + R"(","timestamp":null}]})"));
  EXPECT_TRUE(metadata.ranges_complete);
  ASSERT_EQ(metadata.ranges.size(), 2U);
  EXPECT_EQ(metadata.ranges[0].timestamp, 1438269973);
  EXPECT_EQ(metadata.ranges[0].prev_hash, "");
  EXPECT_EQ(metadata.ranges[1].network, "base");
  EXPECT_EQ(metadata.ranges[1].end, UINT64_MAX);
  EXPECT_FALSE(metadata.ranges[1].timestamp);
}

TEST(AppMetadata, NoRangesAtAll) {
  AMP_ASSERT_OK_AND_ASSIGN(const AppMetadata metadata,
                           ParseAppMetadata(R"({"ranges":[],"ranges_complete":false})"));
  EXPECT_TRUE(metadata.ranges.empty());
}

TEST(AppMetadata, HashesBecomeLowerCase) {
  AMP_ASSERT_OK_AND_ASSIGN(
      const AppMetadata metadata,
      ParseAppMetadata(Range(R"({"start":1,"end":1})",
                             Hashes("0x" + std::string(64, 'A'), "0x" + std::string(64, 'F')))));
  EXPECT_EQ(metadata.ranges[0].hash, kHashA);
  EXPECT_EQ(metadata.ranges[0].prev_hash, "0x" + std::string(64, 'f'));
}

TEST(AppMetadata, TheFirstBlockMayHaveAParentOfZeros) {
  const std::string zeros = "0x" + std::string(64, '0');
  AMP_ASSERT_OK_AND_ASSIGN(
      const AppMetadata metadata,
      ParseAppMetadata(Range(R"({"start":0,"end":1})", Hashes(kHashA, zeros))));
  EXPECT_EQ(metadata.ranges[0].prev_hash, zeros);
  AMP_EXPECT_ERROR(ParseAppMetadata(Range(R"({"start":1,"end":1})", Hashes(kHashA, zeros))),
                   ErrorKind::kProtocol, "prev_hash is zero");
}

TEST(AppMetadata, RefusesWhatIsNotOfTheForm) {
  const std::string numbers = R"({"start":1,"end":2})";
  const std::string good = Hashes(kHashA, kHashB);
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "no JSON"},
      {"{", "no JSON"},
      {"\xff\xfe", "no JSON"},
      {"[]", "no JSON object"},
      {"{}", "no array 'ranges'"},
      {R"({"ranges":{},"ranges_complete":true})", "no array 'ranges'"},
      {R"({"ranges":[]})", "ranges_complete"},
      {R"({"ranges":[],"ranges_complete":1})", "ranges_complete"},
      {R"({"ranges":[7],"ranges_complete":true})", "no object"},
      {With(R"("numbers":{"start":1,"end":2})" + good), "'network'"},
      {With(R"("network":"","numbers":{"start":1,"end":2})" + good), "'network'"},
      {With(R"("network":5,"numbers":{"start":1,"end":2})" + good), "'network'"},
      {With(R"("network":"eth")" + good), "'numbers'"},
      {Range("[1,2]", good), "'numbers'"},
      {Range(R"({"end":2})", good), "no 'start'"},
      {Range(R"({"start":1})", good), "no 'end'"},
      {Range(R"({"start":-1,"end":2})", good), "numbers.start is no block number: -1"},
      {Range(R"({"start":1.5,"end":2})", good), "numbers.start is no block number: 1.5"},
      {Range(R"({"start":1,"end":18446744073709551616})", good), "numbers.end is no block number"},
      {Range(R"({"start":"1","end":2})", good), "numbers.start is no block number: \"1\""},
      {Range(R"({"start":[[1]],"end":2})", good), "numbers.start is no block number: array"},
      {Range(R"({"start":3,"end":2})", good), "ends at block 2, before its start 3"},
      {Range(numbers, R"(,"prev_hash":")" + kHashB + '"'), "no 'hash'"},
      {Range(numbers, R"(,"hash":null)"), "hash is not 0x and 64 hex digits: null"},
      {Range(numbers, Hashes(kHashA.substr(2), kHashB)), "hash is not"},
      {Range(numbers, Hashes(kHashA + "a", kHashB)), "hash is not"},
      {Range(numbers, Hashes("0x" + std::string(64, 'g'), kHashB)), "hash is not"},
      {Range(numbers, Hashes(kHashA, "0x")), "prev_hash is not"},
      {Range(numbers, R"(,"hash":")" + kHashA + '"'), "prev_hash is missing"},
      {Range(numbers, R"(,"prev_hash":null,"hash":")" + kHashA + '"'), "prev_hash is missing"},
      {Range(numbers, good + R"(,"timestamp":-1)"), "timestamp"},
      {Range(numbers, good + R"(,"timestamp":"now")"), "timestamp"},
  };
  for (const auto& [json, words] : cases) {
    SCOPED_TRACE(json);
    AMP_EXPECT_ERROR(ParseAppMetadata(json), ErrorKind::kProtocol, words);
    EXPECT_EQ(ExitCodeOf(ParseAppMetadata(json).status()), 3);
  }
}

TEST(AppMetadata, ANetworkOnceOnly) {
  const std::string range =
      R"({"network":"eth","numbers":{"start":1,"end":2})" + Hashes(kHashA, kHashB) + "}";
  AMP_EXPECT_ERROR(
      ParseAppMetadata(R"({"ranges":[)" + range + "," + range + R"(],"ranges_complete":true})"),
      ErrorKind::kProtocol, "two ranges of network 'eth'");
}

TEST(AppMetadata, DeepNestingIsRefusedLikeTheRest) {
  const std::string deep(200'000, '[');
  AMP_EXPECT_ERROR(ParseAppMetadata(deep), ErrorKind::kProtocol, "no JSON");
  const std::string closed = deep + std::string(200'000, ']');
  AMP_EXPECT_ERROR(ParseAppMetadata(Range(R"({"start":)" + closed + R"(,"end":2})", "")),
                   ErrorKind::kProtocol, "numbers.start is no block number: array");
}

}  // namespace
}  // namespace amp
