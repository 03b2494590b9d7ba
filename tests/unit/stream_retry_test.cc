// What a stream does when its source fails, lies or changes.

#include "unit/stream_fixture.h"

namespace amp::unit {
namespace {

using Script = ScriptedSource::Script;
using Ranges = std::vector<BlockRange>;

StreamOptions Tries(int tries) {
  StreamOptions options;
  options.pipeline.retry_tries = tries;
  return options;
}

TEST_F(StreamTest, FailuresThatStayEndAfterTheBudget) {
  ScriptedSource source(true);
  source.Always([](const Ranges&) { return Script{.refusal = Unavailable()}; });
  const LoadResult result = Run(&source, Tries(3));
  AMP_EXPECT_ERROR(result.status, ErrorKind::kUnavailable, "not now");
  EXPECT_EQ(ExitCodeOf(result.status), 3);
  EXPECT_EQ(source.asked().size(), 3U);
  EXPECT_EQ(Count(StreamEvent::Kind::kRetry), 2);
}

TEST_F(StreamTest, ProgressGivesTheBudgetBack) {
  const ScriptedChain eth("eth");
  ScriptedSource source(true);
  // Every connection brings one batch and breaks.
  source.Always([&](const Ranges& resume) {
    auto messages = eth.Answer(resume, 19, 2);
    if (messages.size() > 1) messages.resize(1);
    return Script{.messages = messages, .error = Unavailable()};
  });
  StreamOptions options = Tries(2);
  options.until_block = 19;
  AMP_ASSERT_OK(Run(&source, options).status);
  EXPECT_EQ(source.asked().size(), 10U);
  EXPECT_EQ(Rows(), 20);
}

TEST_F(StreamTest, AnEndlessStreamThatEndsIsAskedAgain) {
  const ScriptedChain eth("eth");
  ScriptedSource source(true, eth.Batches(0, 3, 2));
  source.Then({.messages = eth.Batches(4, 5, 2), .stays_open = true});
  AMP_ASSERT_OK(Run(&source, {.until_block = 5}).status);
  EXPECT_EQ(source.asked().at(1).at(0), eth.Range(2, 3));
  EXPECT_EQ(Rows(), 6);
}

TEST_F(StreamTest, AServerWithoutTablesIsAskedAgain) {
  const ScriptedChain eth("eth");
  ScriptedSource source(true, {StreamMessage{.batch = StreamBatch({})}});
  source.Then({.messages = eth.Batches(0, 1, 2), .stays_open = true});
  AMP_ASSERT_OK(Run(&source, {.until_block = 1}).status);
  EXPECT_EQ(source.asked().size(), 2U);
  EXPECT_EQ(Rows(), 2);
}

TEST_F(StreamTest, AViolationOfTheProtocolIsNotTriedAgain) {
  const ScriptedChain eth("eth");
  ScriptedSource source(true, {eth.Blocks(0, 1), eth.Blocks(3, 4), eth.Blocks(5, 6)});
  const LoadResult result = Run(&source);
  EXPECT_EQ(KindOf(result.status), ErrorKind::kProtocol) << result.error;
  EXPECT_EQ(ExitCodeOf(result.status), 3);
  EXPECT_EQ(source.asked().size(), 1U);
  EXPECT_EQ(Rows(), 2) << "what was complete before it is kept";
}

TEST_F(StreamTest, RowsWithoutRangesAreRefused) {
  for (const bool endless : {true, false}) {
    ScriptedSource source(endless, {StreamMessage{.batch = StreamBatch({{1, "a"}})}});
    AMP_EXPECT_ERROR(Run(&source, Tries(1)).status, ErrorKind::kProtocol, "without block ranges");
  }
}

TEST_F(StreamTest, AReorgThatComesBitByBitEnds) {
  ScriptedChain eth("eth");
  ScriptedSource first(true, eth.Batches(0, 19, 2));
  AMP_ASSERT_OK(Run(&first, {.until_block = 19}).status);
  eth.Fork(0);
  // Each answer goes back one block further than it should have the last time.
  ScriptedSource source(true);
  source.Always([&](const Ranges& resume) {
    const uint64_t start = resume.empty() ? 0 : resume[0].end;
    return Script{.messages = eth.Batches(start, 21, 2), .stays_open = true};
  });
  AMP_ASSERT_OK(Run(&source, {.until_block = 21}).status);
  EXPECT_EQ(source.asked().size(), 11U);
  EXPECT_TRUE(source.asked().back().empty());
  EXPECT_EQ(Rows(), 22);
}

TEST_F(StreamTest, ATooDeepReorgKeepsWhatIsComplete) {
  ScriptedChain eth("eth");
  auto messages = eth.Batches(0, 9, 2);
  eth.Fork(4);
  messages.push_back(eth.Blocks(4, 5));
  ScriptedSource source(true, messages);
  const LoadResult result = Run(&source, {.max_undo = 5});
  AMP_EXPECT_ERROR(result.status, ErrorKind::kReorgTooDeep, "orphans its blocks from 4 to 9");
  EXPECT_EQ(ExitCodeOf(result.status), 6);
  EXPECT_TRUE(result.is_reorg);
  EXPECT_EQ(result.invalidation_ranges.at(0).start, 4U);
  EXPECT_EQ(result.rows_loaded, 10);
  EXPECT_EQ(Rows(), 10);
}

TEST_F(StreamTest, AReorgOfJustMaxUndoBlocksIsUndone) {
  ScriptedChain eth("eth");
  auto messages = eth.Batches(0, 9, 2);
  eth.Fork(4);
  messages.push_back(eth.Blocks(4, 5));
  ScriptedSource source(true);
  source.Then({.messages = messages, .stays_open = true});
  StreamOptions options{.max_undo = 6};
  options.until_caught_up = true;
  options.idle = milliseconds(100);
  AMP_ASSERT_OK(Run(&source, options).status);
  EXPECT_EQ(Rows(), 6);
}

TEST_F(StreamTest, UndoDeeperThanTheWindowIsRefusedForKeys) {
  ScriptedSource source(true);
  const StreamOptions options{.mode = LoadMode::kUpsert, .key = {"id"}, .max_undo = 129};
  AMP_EXPECT_ERROR(Run(&source, options).status, ErrorKind::kConfigInvalid, "retention");
}

std::shared_ptr<arrow::Schema> OtherSchema(const std::string& name) {
  return arrow::schema({arrow::field(name, arrow::int64())});
}

TEST_F(StreamTest, AColumnWithANameOfOursIsRefused) {
  ScriptedSource source(true);
  source.Then({.schema = OtherSchema("_amp_batch_id")});
  AMP_EXPECT_ERROR(Run(&source).status, ErrorKind::kSchemaMismatch, "'_amp_batch_id'");
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader_->GetTableInfo("t"));
  EXPECT_FALSE(info.has_value());
}

TEST_F(StreamTest, ASchemaThatChangesInTheMiddleIsRefused) {
  const ScriptedChain eth("eth");
  StreamMessage changed = eth.Blocks(2, 3);
  changed.batch = arrow::RecordBatch::Make(OtherSchema("id"), 2, {changed.batch->column(0)});
  ScriptedSource source(true, {eth.Blocks(0, 1), changed});
  const LoadResult result = Run(&source);
  AMP_EXPECT_ERROR(result.status, ErrorKind::kSchemaMismatch, "schema changed");
  EXPECT_EQ(ExitCodeOf(result.status), 5);
  EXPECT_EQ(Rows(), 2);
}

TEST_F(StreamTest, ASchemaThatChangesWithTheConnectionIsRefused) {
  const ScriptedChain eth("eth");
  ScriptedSource source(true, {eth.Blocks(0, 1)});
  source.Then({.schema = OtherSchema("id")});
  AMP_EXPECT_ERROR(Run(&source).status, ErrorKind::kSchemaMismatch, "schema has changed");
  EXPECT_EQ(Rows(), 2);
}

}  // namespace
}  // namespace amp::unit
