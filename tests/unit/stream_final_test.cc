// --finality: only blocks that enough others follow are passed on.

#include <cstdlib>
#include <filesystem>

#include "pipeline/final_source.h"
#include "unit/stream_fixture.h"

namespace amp::unit {
namespace {

constexpr int64_t kMemory = int64_t{64} << 20;

/// "0-1 2-3": the ranges of the messages until the end, or until there is an error.
std::string RangesOf(StreamConnection* connection, Status* error) {
  std::string text;
  while (true) {
    auto message = connection->Next();
    *error = message.status();
    if (!message.ok() || !*message) return text;
    const BlockRange& range = (*message)->ranges.at(0);
    text +=
        (text.empty() ? "" : " ") + std::to_string(range.start) + "-" + std::to_string(range.end);
  }
}

std::string RangesOf(StreamSource* source, const std::vector<BlockRange>& resume, Status* error) {
  auto connection = source->Connect(resume);
  *error = connection.status();
  return connection.ok() ? RangesOf(connection->get(), error) : "";
}

TEST(StreamFinal, ABatchIsPassedOnWhenEnoughBlocksFollow) {
  const ScriptedChain eth("eth");
  ScriptedSource inner(true, eth.Batches(0, 11, 2));
  const auto source = MakeFinalSource(&inner, 4, kMemory);
  Status error;
  EXPECT_EQ(RangesOf(source.get(), {}, &error), "0-1 2-3 4-5 6-7");
  AMP_ASSERT_OK(error);
}

TEST(StreamFinal, AnOpenBatchDoesNotCountAndStaysBack) {
  const ScriptedChain eth("eth");
  ScriptedSource inner(true, {eth.Blocks(0, 1), eth.Blocks(2, 3), eth.Blocks(4, 9, false)});
  const auto source = MakeFinalSource(&inner, 2, kMemory);
  Status error;
  EXPECT_EQ(RangesOf(source.get(), {}, &error), "0-1");
  AMP_ASSERT_OK(error);
}

TEST(StreamFinal, AReorgAboveTheDepthIsNeverSeen) {
  ScriptedChain eth("eth");
  auto messages = eth.Batches(0, 9, 2);
  eth.Fork(6);
  for (const auto& message : eth.Batches(6, 13, 2)) messages.push_back(message);
  ScriptedSource inner(true, messages);
  const auto source = MakeFinalSource(&inner, 4, kMemory);
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, source->Connect({}));
  std::vector<BlockRange> ranges;
  while (true) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto message, connection->Next());
    if (!message) break;
    EXPECT_EQ(message->batch->num_rows(), 2);
    ranges.push_back(message->ranges.at(0));
  }
  EXPECT_EQ(ranges, (std::vector<BlockRange>{eth.Range(0, 1), eth.Range(2, 3), eth.Range(4, 5),
                                             eth.Range(6, 7), eth.Range(8, 9)}));
}

TEST(StreamFinal, AReorgInsideABatchAsksTheSourceAgain) {
  ScriptedChain eth("eth");
  auto messages = eth.Batches(0, 9, 2);
  eth.Fork(7);
  messages.push_back(eth.Blocks(7, 10));
  ScriptedSource inner(true, messages);
  inner.Then({.messages = eth.Batches(6, 13, 4)});
  const auto source = MakeFinalSource(&inner, 4, kMemory);
  Status error;
  EXPECT_EQ(RangesOf(source.get(), {}, &error), "0-1 2-3 4-5 6-9");
  AMP_ASSERT_OK(error);
  ASSERT_EQ(inner.asked().size(), 2U);
  EXPECT_EQ(inner.asked()[1].at(0), eth.Range(4, 5));
}

TEST(StreamFinal, ADeeperReorgIsRefused) {
  ScriptedChain eth("eth");
  auto messages = eth.Batches(0, 9, 2);
  eth.Fork(4);
  messages.push_back(eth.Blocks(4, 5));
  ScriptedSource inner(true, messages);
  const auto source = MakeFinalSource(&inner, 4, kMemory);
  Status error;
  EXPECT_EQ(RangesOf(source.get(), {}, &error), "0-1 2-3 4-5");
  AMP_EXPECT_ERROR(error, ErrorKind::kReorgTooDeep, "deeper than the 4 blocks");
  EXPECT_EQ(ExitCodeOf(error), 6);
}

TEST(StreamFinal, AReorgBehindTheResumePointIsRefused) {
  ScriptedChain eth("eth");
  const std::vector<BlockRange> resume{eth.Range(4, 5)};
  eth.Fork(3);
  ScriptedSource inner(true, eth.Batches(3, 20, 2));
  const auto source = MakeFinalSource(&inner, 4, kMemory);
  Status error;
  EXPECT_EQ(RangesOf(source.get(), resume, &error), "");
  EXPECT_EQ(KindOf(error), ErrorKind::kReorgTooDeep) << error.message();
}

size_t HeldFiles(const std::string& folder) {
  size_t files = 0;
  for (const auto& file : std::filesystem::directory_iterator(folder)) {
    files += file.path().filename().string().starts_with("ampload-held-") ? 1 : 0;
  }
  return files;
}

TEST(StreamFinal, WhatDoesNotFitIntoMemoryWaitsInFiles) {
  const testing::TemporaryFolder folder;
  const char* before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TMPDIR", folder.path().c_str(), 1);
  const ScriptedChain eth("eth");
  {
    ScriptedSource inner(true, eth.Batches(0, 19, 2));
    const auto source = MakeFinalSource(&inner, 8, /*memory=*/1);
    AMP_ASSERT_OK_AND_ASSIGN(const auto connection, source->Connect({}));
    AMP_ASSERT_OK_AND_ASSIGN(const auto first, connection->Next());
    ASSERT_TRUE(first);
    EXPECT_TRUE(first->batch->Equals(*StreamBatch(eth.Rows(0, 1))));
    EXPECT_EQ(HeldFiles(folder.path()), 4U);
    Status error;
    EXPECT_EQ(RangesOf(connection.get(), &error), "2-3 4-5 6-7 8-9 10-11");
    EXPECT_EQ(HeldFiles(folder.path()), 4U);
  }
  EXPECT_EQ(HeldFiles(folder.path()), 0U) << "files go with the connection";
  before == nullptr ? unsetenv("TMPDIR") : setenv("TMPDIR", kept.c_str(), 1);
}

TEST_F(StreamTest, FinalityWritesOnlyWhatIsDeep) {
  ScriptedChain eth("eth");
  auto messages = eth.Batches(0, 9, 2);
  eth.Fork(7);
  messages.push_back(eth.Blocks(7, 10));
  ScriptedSource source(true, messages);
  source.Then({.messages = eth.Batches(6, 13, 2), .stays_open = true});
  AMP_ASSERT_OK(Run(&source, {.finality = 4, .until_block = 9}).status);
  EXPECT_EQ(Rows(), 10);
  EXPECT_EQ(Count(StreamEvent::Kind::kReorg), 0);
}

TEST_F(StreamTest, FinalityOfAProgramsEventsIsRefused) {
  const ScriptedChain eth("eth");
  ScriptedSource source(false, {eth.Blocks(0, 9), ReorgOf("eth", 5)});
  AMP_EXPECT_ERROR(Run(&source, {.finality = 4}).status, ErrorKind::kUnsupported, "finality");
}

}  // namespace
}  // namespace amp::unit
