#include "core/stream_state.h"

#include <arrow/type.h>
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "amp/testing/asserts.h"

namespace amp {
namespace {

std::shared_ptr<arrow::Schema> BlocksSchema() {
  return arrow::schema({arrow::field("number", arrow::uint64(), /*nullable=*/false),
                        arrow::field("hash", arrow::fixed_size_binary(32)),
                        arrow::field(std::string(kBatchIdColumn), arrow::int64())});
}

StreamSpec Spec() {
  return {.table = "blocks",
          .schema = BlocksSchema(),
          .mode = LoadMode::kUpsert,
          .key = {"number"},
          .query = "SELECT * FROM blocks"};
}

StreamState State() {
  StreamState state = NewStreamState(Spec(), /*slot=*/3);
  state.epoch = 7;
  state.owner = "host:12";
  state.owner_since = 1'700'000'000'123;
  state.committed_at = 1'700'000'000'456;
  state.checkpoint.sequence = 5;
  state.checkpoint.last_batch_id = SlotBase(3) + 9;
  state.checkpoint.final_id = SlotBase(3) + 2;
  state.checkpoint.next_number = 10;
  state.checkpoint.watermark = {
      {.network = "eth",
       .start = 0,
       .end = UINT64_MAX,
       .hash = "0xab",
       .prev_hash = "",
       .timestamp = -5},
      {.network = "base \"1\"\n", .start = 7, .end = 7, .hash = "0xcd", .prev_hash = "0xce"}};
  return state;
}

BatchEntry Entry() {
  return {.first_id = 4,
          .last_id = 67,
          .ranges = State().checkpoint.watermark,
          .rows = 1'000,
          .batches = 64,
          .completed_at = 1'700'000'000'000};
}

// The text of `State()` with one member's value replaced.
std::string StateTextWith(const std::string& name, const std::string& value) {
  std::string text = StreamStateToText(State());
  const size_t at = text.find('"' + name + "\":") + name.size() + 3;
  const size_t end = text.find_first_of(text[at] == '"' ? ",}" : ",}]", at);
  return text.replace(at, end - at, value);
}

TEST(StreamStateText, GoesThereAndBack) {
  const StreamState state = State();
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState back, StreamStateFromText(StreamStateToText(state)));
  EXPECT_EQ(back.name, "main");
  EXPECT_EQ(back.slot, 3);
  EXPECT_EQ(back.query, state.query);
  EXPECT_EQ(back.mode, LoadMode::kUpsert);
  EXPECT_EQ(back.key, state.key);
  EXPECT_TRUE(back.schema->Equals(*state.schema));
  EXPECT_EQ(back.epoch, 7);
  EXPECT_EQ(back.owner, "host:12");
  EXPECT_EQ(back.owner_since, state.owner_since);
  EXPECT_EQ(back.committed_at, state.committed_at);
  EXPECT_EQ(back.checkpoint.sequence, 5);
  EXPECT_EQ(back.checkpoint.last_batch_id, SlotBase(3) + 9);
  EXPECT_EQ(back.checkpoint.final_id, SlotBase(3) + 2);
  EXPECT_EQ(back.checkpoint.next_number, 10);
  EXPECT_EQ(back.checkpoint.watermark, state.checkpoint.watermark);
  EXPECT_EQ(back.checkpoint.watermark[0].timestamp, -5);
  EXPECT_FALSE(back.checkpoint.watermark[1].timestamp);
}

TEST(StreamStateText, IsOneLine) {
  EXPECT_EQ(StreamStateToText(State()).find('\n'), std::string::npos);
}

TEST(StreamStateText, TakesTextThatIsNoUtf8) {
  StreamState state = State();
  state.owner = "host\xff:1";
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState back, StreamStateFromText(StreamStateToText(state)));
  EXPECT_EQ(back.owner, "host\xef\xbf\xbd:1");
}

TEST(StreamStateText, RefusesANewerFormat) {
  AMP_EXPECT_ERROR(StreamStateFromText(StateTextWith("format", "2")), ErrorKind::kUnsupported,
                   "newer version");
  AMP_EXPECT_ERROR(StreamStateFromText("{\"format\":99}"), ErrorKind::kUnsupported,
                   "newer version");
}

TEST(StreamStateText, RefusesWhatIsNoState) {
  const std::string whole = StreamStateToText(State());
  for (const std::string& text :
       {std::string(), std::string("{"), std::string("{}"), std::string("[]"), std::string("null"),
        std::string("5"), std::string("\"\xff\""), std::string("{\"format\":\"1\"}"),
        std::string("{\"format\":1}"), std::string(100'000, '['), whole + "x",
        whole.substr(0, whole.size() / 2), whole.substr(0, whole.size() - 1)}) {
    const auto state = StreamStateFromText(text);
    EXPECT_EQ(KindOf(state.status()), ErrorKind::kDataInvalid) << text.substr(0, 40);
  }
}

TEST(StreamStateText, RefusesEveryTruncation) {
  const std::string whole = StreamStateToText(State());
  for (size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(StreamStateFromText(whole.substr(0, size)).ok()) << size;
  }
}

class BrokenMember : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(BrokenMember, IsRefused) {
  const auto& [name, value] = GetParam();
  AMP_EXPECT_ERROR(StreamStateFromText(StateTextWith(name, value)), ErrorKind::kDataInvalid,
                   "broken");
}

INSTANTIATE_TEST_SUITE_P(
    All, BrokenMember,
    ::testing::Values(std::pair{"slot", "-1"}, std::pair{"slot", "32768"},
                      std::pair{"slot", "true"}, std::pair{"slot", "0"},
                      std::pair{"epoch", "1e300"}, std::pair{"epoch", "null"},
                      std::pair{"epoch", "9223372036854775808"}, std::pair{"sequence", "1.5"},
                      std::pair{"next_number", "\"5\""}, std::pair{"last_batch_id", "5"},
                      std::pair{"final_id", "0"}, std::pair{"mode", "\"sideways\""},
                      std::pair{"mode", "1"}, std::pair{"schema", "\"AAAA\""},
                      std::pair{"schema", "\"*\""}, std::pair{"key", "{}"}, std::pair{"key", "[1]"},
                      std::pair{"name", "5"}, std::pair{"start", "-1"}, std::pair{"end", "1e3"},
                      std::pair{"timestamp", "\"now\""}, std::pair{"hash", "1"}),
    [](const auto& param) { return fmt::format("{}_{}", param.param.first, param.index); });

TEST(BatchEntryText, GoesThereAndBack) {
  AMP_ASSERT_OK_AND_ASSIGN(const BatchEntry back, BatchEntryFromText(BatchEntryToText(Entry())));
  EXPECT_EQ(back, Entry());
}

TEST(BatchEntryText, RefusesWhatIsNoLine) {
  const std::string line = BatchEntryToText(Entry());
  const auto with = [&](const std::string& from, const std::string& to) {
    std::string text = line;
    return text.replace(text.find(from), from.size(), to);
  };
  for (const std::string& text :
       {std::string("{}"), std::string("[1]"), std::string(),
        with("\"first_id\":4", "\"first_id\":68"), with("\"rows\":1000", "\"rows\":-1"),
        with("\"batches\":64", "\"batches\":false"), with("\"start\":7", "\"start\":8"),
        with("\"ranges\":[", "\"ranges\":{\"a\":[").append("}")}) {
    EXPECT_EQ(KindOf(BatchEntryFromText(text).status()), ErrorKind::kDataInvalid) << text;
  }
}

TEST(BlockRangesText, GoesThereAndBack) {
  const auto ranges = State().checkpoint.watermark;
  AMP_ASSERT_OK_AND_ASSIGN(const auto back, BlockRangesFromText(BlockRangesToText(ranges)));
  EXPECT_EQ(back, ranges);
  EXPECT_EQ(
      BlockRangesToText({{.network = "eth",
                          .start = 0,
                          .end = 9,
                          .hash = "0x1",
                          .prev_hash = "0x2",
                          .timestamp = 1}}),
      R"([{"network":"eth","start":0,"end":9,"hash":"0x1","prev_hash":"0x2","timestamp":1}])");
  EXPECT_EQ(BlockRangesToText({}), "[]");
}

TEST(BlockRangesText, RefusesWhatAreNoRanges) {
  for (const std::string text : {"null", "{}", "5", "[5]", "[null]", "[{}]", "", "[[]]"}) {
    EXPECT_EQ(KindOf(BlockRangesFromText(text).status()), ErrorKind::kDataInvalid) << text;
  }
}

TEST(StreamFits, WhatItWasMadeFor) {
  AMP_ASSERT_OK(CheckStreamFits(Spec(), State()));
  StreamSpec spec = Spec();
  spec.query = " SELECT\n\t*  FROM blocks ";
  AMP_ASSERT_OK(CheckStreamFits(spec, State()));
}

TEST(StreamFits, AnotherQueryDoesNot) {
  StreamSpec spec = Spec();
  spec.query = "SELECT * FROM logs";
  AMP_EXPECT_ERROR(CheckStreamFits(spec, State()), ErrorKind::kConfigInvalid, "--accept-query");
  spec.accept_query = true;
  AMP_ASSERT_OK(CheckStreamFits(spec, State()));
}

TEST(StreamFits, WhiteSpaceBetweenQuotesCounts) {
  StreamSpec spec = Spec();
  spec.query = "SELECT 'a b' FROM \"t u\"";
  StreamState state = State();
  state.query = spec.query;
  AMP_ASSERT_OK(CheckStreamFits(spec, state));
  spec.query = "SELECT 'ab' FROM \"t u\"";
  AMP_EXPECT_ERROR(CheckStreamFits(spec, state), ErrorKind::kConfigInvalid, "another query");
  spec.query = "SELECT 'a b' FROM \"tu\"";
  AMP_EXPECT_ERROR(CheckStreamFits(spec, state), ErrorKind::kConfigInvalid, "another query");
  state.query = "SELECT 'it''s a \"b' , x";
  spec.query = "SELECT 'it''s a \"b',x";
  AMP_ASSERT_OK(CheckStreamFits(spec, state));
}

TEST(StreamFits, AnotherModeOrKeyDoesNot) {
  StreamSpec spec = Spec();
  spec.mode = LoadMode::kMerge;
  AMP_EXPECT_ERROR(CheckStreamFits(spec, State()), ErrorKind::kConfigInvalid, "mode upsert");
  spec = Spec();
  spec.key = {"hash"};
  AMP_EXPECT_ERROR(CheckStreamFits(spec, State()), ErrorKind::kConfigInvalid, "key (number)");
}

TEST(StreamFits, AnotherSchemaDoesNot) {
  StreamSpec spec = Spec();
  spec.schema = arrow::schema({arrow::field("number", arrow::utf8())});
  const Status status = CheckStreamFits(spec, State());
  EXPECT_EQ(KindOf(status), ErrorKind::kSchemaMismatch) << status.message();
}

TEST(StreamFits, AHigherEpochIsAConflict) {
  StreamSpec spec = Spec();
  spec.held_epoch = 6;
  spec.query = "another";
  AMP_EXPECT_ERROR(CheckStreamFits(spec, State()), ErrorKind::kConflict, "host:12");
  AMP_EXPECT_ERROR(CheckStreamFits(spec, State()), ErrorKind::kConflict, "2023-11-14T22:13:20");
  spec = Spec();
  for (const int64_t held : {7, 8}) {
    spec.held_epoch = held;
    AMP_ASSERT_OK(CheckStreamFits(spec, State()));
  }
}

TEST(NewStream, BeginsAtItsSlot) {
  const StreamState state = NewStreamState(Spec(), 5);
  EXPECT_EQ(state.epoch, 0);
  EXPECT_EQ(state.checkpoint.last_batch_id, SlotBase(5));
  EXPECT_EQ(state.checkpoint.final_id, SlotBase(5));
  EXPECT_EQ(state.checkpoint.next_number, 1);
  EXPECT_EQ(state.checkpoint.sequence, 0);
}

TEST(Slots, CoverAllPositiveIdsOnce) {
  EXPECT_EQ(SlotBase(0), 0);
  for (const int32_t slot : {0, 1, kMostSlots - 2}) {
    EXPECT_EQ(SlotEnd(slot) + 1, SlotBase(slot + 1));
  }
  EXPECT_EQ(SlotEnd(kMostSlots - 1), INT64_MAX);
}

TEST(TakingOver, RaisesTheEpochAndSkipsNumbers) {
  StreamState state = State();
  const int64_t before = UnixMillisNow();
  TakeOver({}, &state);
  EXPECT_EQ(state.epoch, 8);
  EXPECT_EQ(state.checkpoint.next_number, 10 + kNumbersPerCommit);
  EXPECT_NE(state.owner, "host:12");
  EXPECT_NE(state.owner.find(':'), std::string::npos);
  EXPECT_GE(state.owner_since, before);
  EXPECT_EQ(state.checkpoint.sequence, 5);
  TakeOver({}, &state);
  EXPECT_EQ(state.epoch, 9);
  EXPECT_EQ(state.checkpoint.next_number, 10 + 2 * kNumbersPerCommit);
}

TEST(Advancing, LeavesTheMapAlone) {
  StreamState state = State();
  state.checkpoint.entries = {Entry()};
  Checkpoint next = state.checkpoint;
  next.sequence = 6;
  next.entries = {};
  AdvanceTo(next, &state);
  EXPECT_EQ(state.checkpoint.sequence, 6);
  EXPECT_EQ(state.checkpoint.entries, std::vector<BatchEntry>{Entry()});
  EXPECT_GT(state.committed_at, 1'700'000'000'456);
}

TEST(Lag, IsThatOfTheOldestBlock) {
  EXPECT_FALSE(LagSeconds({}));
  EXPECT_FALSE(LagSeconds({{.network = "eth", .hash = {}, .prev_hash = {}}}));
  const int64_t now = UnixMillisNow() / 1'000;
  BlockRange near{.network = "eth", .hash = {}, .prev_hash = {}, .timestamp = now - 10};
  BlockRange far{.network = "base", .hash = {}, .prev_hash = {}, .timestamp = now - 100};
  EXPECT_NEAR(*LagSeconds({near, far}), 100, 5);
  EXPECT_NEAR(*LagSeconds({far, near}), 100, 5);
  near.timestamp = now + 1'000;
  EXPECT_EQ(*LagSeconds({near}), 0);
}

}  // namespace
}  // namespace amp
