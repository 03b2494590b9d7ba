// A step of the target fails once in the middle of a stream with a reorganisation.

#include <array>

#include "faulty_loader.h"
#include "streaming_case.h"

namespace amp::testing {
namespace {

using Ranges = std::vector<BlockRange>;

constexpr uint64_t kHead = 13;

// Before its first connection ends, the chain is another one from block 5 on.
void ScriptReorg(ScriptedChain* eth, ScriptedSource* source) {
  auto messages = eth->Batches(0, 9, 2);
  eth->Fork(5);
  messages.push_back(eth->Blocks(5, 6));
  source->Then({.messages = messages, .stays_open = true});
  source->Always([eth](const Ranges& resume) {
    return ScriptedSource::Script{.messages = eth->Answer(resume, kHead, 2), .stays_open = true};
  });
}

void RunWithFault(StreamingCase& t, FaultStep step, int time, LoadMode mode) {
  SCOPED_TRACE("the step fails the " + std::to_string(time) + ". time");
  AMP_ASSERT_OK(t.loader().Connect());
  AMP_ASSERT_OK(t.loader().ResetTable(t.table()));
  FaultyLoader faulty(&t.loader(), step, time);
  ScriptedChain eth("eth");
  ScriptedSource source(true);
  ScriptReorg(&eth, &source);
  StreamOptions options{.mode = mode, .until_block = kHead};
  if (mode != LoadMode::kAppend) options.key = {"id"};
  options.pipeline.commit_rows = 1;
  options.pipeline.retry_delay = std::chrono::milliseconds(1);
  const LoadResult result = t.Run(&source, options, &faulty);
  AMP_ASSERT_OK(result.status);
  EXPECT_TRUE(faulty.has_failed()) << "the stream must have come to the step so often";
  t.ExpectRows(eth.Rows(0, kHead));
  AMP_ASSERT_OK(t.loader().Connect());
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, t.State());
  int64_t rows = 0;
  for (const BatchEntry& line : state.checkpoint.entries) rows += line.rows;
  EXPECT_EQ(rows, static_cast<int64_t>(kHead + 1)) << "the batch map counts the rows";
}

template <FaultStep step, LoadMode mode = LoadMode::kAppend>
void Fault(StreamingCase& t) {
  AMP_PROMISE("a failure that may pass is tried again, and no row is lost or there twice",
              "begin anew after Disconnect and Connect from what was committed, and nothing else");
  for (const int time : {1, 3, 5}) {
    if (step != FaultStep::kUndo || time == 1) RunWithFault(t, step, time, mode);
  }
}

constexpr LoadMode kUpsert = LoadMode::kUpsert;

constexpr std::array<StreamingTest, 8> kTests{
    {{"FailureAfterWrite", &Fault<FaultStep::kWrite>},
     {"FailureAfterUndo", &Fault<FaultStep::kUndo>},
     {"FailureBeforeCommit", &Fault<FaultStep::kBeforeCommit>},
     {"LostAnswerOfACommit", &Fault<FaultStep::kLostAnswer>},
     {"UpsertFailureAfterWrite", &Fault<FaultStep::kWrite, kUpsert>, nullptr, kUpsert},
     {"UpsertFailureAfterUndo", &Fault<FaultStep::kUndo, kUpsert>, nullptr, kUpsert},
     {"UpsertFailureBeforeCommit", &Fault<FaultStep::kBeforeCommit, kUpsert>, nullptr, kUpsert},
     {"UpsertLostAnswerOfACommit", &Fault<FaultStep::kLostAnswer, kUpsert>, nullptr, kUpsert}}};

}  // namespace

std::span<const StreamingTest> StreamFaultTests() { return kTests; }

}  // namespace amp::testing
