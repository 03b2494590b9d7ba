// When a stream commits, and when it ends.

#include <thread>

#include "unit/stream_fixture.h"

namespace amp::unit {
namespace {

using Seconds = std::chrono::seconds;
using Rows64 = std::vector<int64_t>;

StreamOptions Cadence(int64_t rows, int64_t bytes, milliseconds interval) {
  StreamOptions options;
  options.pipeline.commit_rows = rows;
  options.pipeline.commit_bytes.bytes = bytes;
  options.pipeline.commit_interval = interval;
  return options;
}

TEST_F(StreamTest, CommitsComeAfterSoManyRows) {
  ScriptedSource source(false, ScriptedChain("eth").Batches(0, 9, 2));
  AMP_ASSERT_OK(Run(&source, Cadence(4, 1 << 20, Seconds(60))).status);
  EXPECT_EQ(Commits(), (Rows64{4, 4, 2}));
}

TEST_F(StreamTest, CommitsComeAfterSoManyBytes) {
  ScriptedSource source(false, ScriptedChain("eth").Batches(0, 9, 2));
  AMP_ASSERT_OK(Run(&source, Cadence(1000, 1, Seconds(60))).status);
  EXPECT_EQ(Commits(), (Rows64{2, 2, 2, 2, 2}));
}

TEST_F(StreamTest, WithoutALimitOneCommitTakesAll) {
  ScriptedSource source(false, ScriptedChain("eth").Batches(0, 9, 2));
  AMP_ASSERT_OK(Run(&source, Cadence(1000, 1 << 20, Seconds(60))).status);
  EXPECT_EQ(Commits(), Rows64{10});
}

TEST_F(StreamTest, ACommitIsDueAtOnceWithAnIntervalOfZero) {
  ScriptedSource source(false, ScriptedChain("eth").Batches(0, 5, 2));
  AMP_ASSERT_OK(Run(&source, Cadence(1000, 1 << 20, milliseconds(0))).status);
  EXPECT_EQ(Commits(), (Rows64{2, 2, 2}));
}

TEST_F(StreamTest, ACommitNeverHoldsPartOfABatch) {
  const ScriptedChain eth("eth");
  ScriptedSource source(
      false, {eth.Blocks(0, 5, eth.Rows(0, 3), false), eth.Blocks(0, 5, eth.Rows(4, 5), true)});
  AMP_ASSERT_OK(Run(&source, Cadence(1, 1, milliseconds(0))).status);
  EXPECT_EQ(Commits(), Rows64{6});
}

TEST_F(StreamTest, AStreamThatHasCaughtUpCommitsWithoutWaiting) {
  ScriptedSource source(true);
  source.Then({.messages = ScriptedChain("eth").Batches(0, 3, 2), .stays_open = true});
  std::atomic<bool> stop = false;
  StreamOptions options = Cadence(1000, 1 << 20, Seconds(3600));
  options.stop = &stop;
  options.on_event = [&](const StreamEvent& event) {
    if (event.kind == StreamEvent::Kind::kCommit) stop = true;
  };
  AMP_ASSERT_OK(Run(&source, options).status);
  EXPECT_EQ(Commits(), Rows64{4});
}

TEST_F(StreamTest, EndsWhenItHasCaughtUpAndNothingComes) {
  ScriptedSource source(true);
  source.Then({.messages = ScriptedChain("eth").Batches(0, 3, 2), .stays_open = true});
  const auto start = std::chrono::steady_clock::now();
  const LoadResult result = Run(&source, {.until_caught_up = true, .idle = milliseconds(300)});
  AMP_ASSERT_OK(result.status);
  const auto took = std::chrono::steady_clock::now() - start;
  EXPECT_GE(took, milliseconds(300));
  EXPECT_LT(took, Seconds(10));
  EXPECT_EQ(result.rows_loaded, 4);
}

TEST_F(StreamTest, EndsAtTheBlockThatIsAskedFor) {
  ScriptedSource source(true);
  source.Then({.messages = ScriptedChain("eth").Batches(0, 99, 2), .stays_open = true});
  AMP_ASSERT_OK(Run(&source, {.until_block = 4}).status);
  EXPECT_EQ(Rows(), 6) << "the batch that holds the block is the last one";
}

TEST_F(StreamTest, StopEndsAfterACommitOfWhatIsComplete) {
  const ScriptedChain eth("eth");
  ScriptedSource source(true);
  source.Then({.messages = {eth.Blocks(0, 3), eth.Blocks(4, 9, false)}, .stays_open = true});
  std::atomic<bool> stop = false;
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(300));
    stop = true;
  });
  const LoadResult result = Run(&source, {.stop = &stop});
  stopper.join();
  AMP_ASSERT_OK(result.status);
  EXPECT_EQ(result.rows_loaded, 4);
  EXPECT_EQ(Rows(), 4) << "an open batch is not kept";
}

TEST_F(StreamTest, ACallbackThatSaysFalseEndsTheStreamAfterACommit) {
  ScriptedSource source(true);
  source.Then({.messages = ScriptedChain("eth").Batches(0, 99, 2), .stays_open = true});
  StreamOptions options = Cadence(2, 1 << 20, Seconds(60));
  std::vector<LoadResult> results;
  options.on_result = [&](const LoadResult& result) {
    results.push_back(result);
    return results.size() < 3;
  };
  AMP_ASSERT_OK(Run(&source, options).status);
  EXPECT_EQ(results.size(), 3U);
  EXPECT_EQ(Rows(), 6);
  EXPECT_TRUE(results[0].success);
  EXPECT_FALSE(results[0].is_reorg);
  EXPECT_EQ(results[0].rows_loaded, 2);
}

}  // namespace
}  // namespace amp::unit
