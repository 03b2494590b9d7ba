// A program's events: each set of networks is a stream, in one target with one writer.

#include "unit/stream_fixture.h"

namespace amp::unit {
namespace {

const ScriptedChain kEth("eth");
const ScriptedChain kBase("base", 1000);

TEST_F(StreamTest, NetworksInTurnDoNotWaitForEachOther) {
  ScriptedSource source(false, {kEth.Blocks(0, 1), kBase.Blocks(0, 1), kEth.Blocks(2, 3),
                                ReorgOf("base", 0), ReorgOf("eth", 2), kBase.Blocks(0, 3)});
  AMP_ASSERT_OK(Run(&source).status);
  EXPECT_EQ(Rows(), 6);
}

TEST_F(StreamTest, ABatchEndsWhereOneOfAnotherStreamBegins) {
  ScriptedSource source(false, {kEth.Blocks(0, 1, false), kBase.Blocks(0, 1, false),
                                kEth.Blocks(2, 3, false), ReorgOf("base", 1), kBase.Blocks(0, 2)});
  AMP_ASSERT_OK(Run(&source).status);
  EXPECT_EQ(Rows(), 7);
}

TEST_F(StreamTest, ANetworkSetIsAStreamWhateverItsOrder) {
  StreamMessage both = kEth.Blocks(0, 1);
  both.ranges = {kEth.Range(0, 1), kBase.Range(0, 0)};
  StreamMessage turned = kEth.Blocks(2, 3);
  turned.ranges = {kBase.Range(1, 2), kEth.Range(2, 3)};
  ScriptedSource source(false, {both, turned});
  AMP_ASSERT_OK(Run(&source).status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, loader_->ReadStreams("t"));
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].name, "main:base+eth");
  ScriptedSource undo(false, {ReorgOf("base", 1)});
  AMP_ASSERT_OK(Run(&undo).status);
  EXPECT_EQ(Rows(), 2) << "a batch goes when any of its networks is hit";
}

TEST_F(StreamTest, GapsAndUnknownNetworksAreAllowed) {
  ScriptedSource source(
      false, {kEth.Blocks(0, 1), ReorgOf("other", 0), kEth.Blocks(10, 11), ReorgOf("eth", 50)});
  AMP_ASSERT_OK(Run(&source).status);
  EXPECT_EQ(Rows(), 4);
}

TEST_F(StreamTest, AnEmptyProgramIsFine) {
  ScriptedSource source(false);
  const LoadResult result = Run(&source);
  AMP_ASSERT_OK(result.status);
  EXPECT_EQ(result.rows_loaded, 0);
}

}  // namespace
}  // namespace amp::unit
