// Exactly once: whatever ends a writer, the next one goes on as if nothing had happened.

#include <array>

#include "streaming_case.h"

namespace amp::testing {
namespace {

using std::chrono::milliseconds;

StreamOptions CommitEachBatch() {
  StreamOptions options;
  options.pipeline.commit_rows = 1;
  return options;
}

Status ConnectionLost() {
  return MakeError({.kind = ErrorKind::kUnavailable, .retryable = true}, "the script breaks off");
}

void ResumeAfterTheCheckpoint(StreamingCase& t) {
  AMP_PROMISE("a run begins where the last one's last commit ended",
              "give back the checkpoint of the last commit, ranges and hashes unchanged");
  const ScriptedChain eth("eth");
  AMP_ASSERT_OK(t.RunTo(7, eth.Batches(0, 7, 4)).status);
  t.Restart();
  ScriptedSource source(true);
  source.Then({.messages = eth.Batches(8, 11, 4), .stays_open = true});
  const LoadResult result = t.Run(&source, {.until_block = 11});
  AMP_ASSERT_OK(result.status);
  EXPECT_EQ(result.rows_loaded, 4) << "only what is new is loaded";
  ASSERT_EQ(source.asked().size(), 1U);
  ASSERT_EQ(source.asked()[0].size(), 1U) << "the source is asked to go on after a range";
  EXPECT_EQ(source.asked()[0][0], eth.Range(4, 7));
  t.ExpectRows(eth.Rows(0, 11));
}

void ResumeAfterABrokenConnection(StreamingCase& t) {
  AMP_PROMISE("the rest of an open batch goes when the source breaks, complete ones stay",
              "undo in a transaction what that transaction wrote above an id");
  const ScriptedChain eth("eth");
  ScriptedSource source(true);
  source.Then({.messages = {eth.Blocks(0, 3), eth.Blocks(4, 7, eth.Rows(4, 5), false)},
               .error = ConnectionLost()});
  source.Then({.messages = eth.Batches(4, 9, 4), .stays_open = true});
  StreamOptions options{.until_block = 9};
  options.pipeline.retry_delay = milliseconds(1);
  AMP_ASSERT_OK(t.Run(&source, options).status);
  ASSERT_EQ(source.asked().size(), 2U);
  EXPECT_EQ(source.asked()[1].at(0), eth.Range(0, 3));
  t.ExpectRows(eth.Rows(0, 9));
}

void ReorgWhileResuming(StreamingCase& t) {
  AMP_PROMISE("blocks that were orphaned while nobody looked are undone by the next run",
              "undo batches of earlier runs");
  ScriptedChain eth("eth");
  AMP_ASSERT_OK(t.RunTo(9, eth.Batches(0, 9, 2), CommitEachBatch()).status);
  t.Restart();
  eth.Fork(5);
  ScriptedSource source(true);
  source.Always([&](const std::vector<BlockRange>& resume) {
    return ScriptedSource::Script{.messages = eth.Answer(resume, 12, 3), .stays_open = true};
  });
  AMP_ASSERT_OK(t.Run(&source, {.until_block = 12}).status);
  t.ExpectRows(eth.Rows(0, 12));
}

// What a crash left is undone by the next run: nothing before it may be missing or there twice.
void ExpectThatARunGoesOn(StreamingCase& t, const StreamRows& before) {
  t.Restart();
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  if (t.loader().traits().delivery == Delivery::kIdempotent) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto transaction, hand.Begin());
    AMP_ASSERT_OK(transaction->UndoAfter(hand.state.checkpoint.last_batch_id));
    AMP_ASSERT_OK(transaction->Commit(hand.Next(hand.state.checkpoint.last_batch_id)));
    AMP_ASSERT_OK_AND_ASSIGN(hand, t.Open(&t.loader()));
  }
  t.ExpectRows(before);
  AMP_ASSERT_OK(hand.Store({{90, "after"}}));
  t.ExpectRows(before + StreamRows{{90, "after"}});
}

void CrashAfterWrite(StreamingCase& t) {
  AMP_PROMISE("rows without a commit are not there",
              "roll back a transaction that is destroyed, or undo its rows at the next start");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  AMP_ASSERT_OK(hand.Store({{1, "a"}}));
  {
    AMP_ASSERT_OK_AND_ASSIGN(const auto transaction, hand.Begin());
    AMP_ASSERT_OK(StreamHand::Write(transaction.get(), hand.NewId(), {{2, "lost"}}));
  }
  ExpectThatARunGoesOn(t, {{1, "a"}});
}

void CrashAfterUndo(StreamingCase& t) {
  AMP_PROMISE("an undo without a commit has not taken place",
              "make the undo and the checkpoint one commit");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  AMP_ASSERT_OK_AND_ASSIGN(const int64_t first, hand.Store({{1, "a"}}));
  AMP_ASSERT_OK(hand.Store({{2, "b"}}));
  {
    AMP_ASSERT_OK_AND_ASSIGN(const auto transaction, hand.Begin());
    AMP_ASSERT_OK(transaction->UndoAfter(first));
  }
  t.Restart();
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, t.State());
  // Where rows and checkpoint are one, both are as before; else the next start undoes it again.
  EXPECT_EQ(state.checkpoint.sequence, 2);
  if (t.loader().traits().delivery == Delivery::kAtomic) {
    ExpectThatARunGoesOn(t, {{1, "a"}, {2, "b"}});
  }
}

void RollbackBeforeCommit(StreamingCase& t) {
  AMP_PROMISE("Rollback leaves the table as the last commit did",
              "take back writes and undos of the transaction, in whatever order they came");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  AMP_ASSERT_OK(hand.Store({{1, "a"}}));
  {
    AMP_ASSERT_OK_AND_ASSIGN(const auto transaction, hand.Begin());
    const int64_t id = hand.NewId();
    AMP_ASSERT_OK(StreamHand::Write(transaction.get(), id, {{2, "b"}}));
    AMP_ASSERT_OK(StreamHand::Write(transaction.get(), id + 1, {{3, "c"}}));
    AMP_ASSERT_OK(transaction->UndoAfter(id));
    AMP_ASSERT_OK(StreamHand::Write(transaction.get(), id + 2, {{4, "d"}}));
    AMP_ASSERT_OK(transaction->Rollback());
  }
  ExpectThatARunGoesOn(t, {{1, "a"}});
}

void NumbersAreNotUsedTwice(StreamingCase& t) {
  AMP_PROMISE("no batch id is used twice, also after a crash",
              "skip in OpenStream the numbers that an earlier writer may have used (TakeOver)");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  int64_t used = 0;
  {
    AMP_ASSERT_OK_AND_ASSIGN(const auto transaction, hand.Begin());
    used = hand.NewId(9);
    AMP_ASSERT_OK(StreamHand::Write(transaction.get(), used, {{2, "lost"}}));
  }
  t.Restart();
  AMP_ASSERT_OK_AND_ASSIGN(const StreamHand next, t.Open(&t.loader()));
  EXPECT_GT(next.NewId(), used);
  EXPECT_EQ(next.state.epoch, hand.state.epoch + 1) << "an opening raises the epoch by one";
}

void UndoAfterRestart(StreamingCase& t) {
  AMP_PROMISE("batches of earlier processes can be undone",
              "keep what an undo needs in the target, committed with the rows");
  ScriptedChain eth("eth");
  AMP_ASSERT_OK(t.RunTo(9, eth.Batches(0, 9, 2), CommitEachBatch()).status);
  t.Restart();
  eth.Fork(4);
  const LoadResult result = t.RunTo(11, eth.Batches(4, 11, 2));
  AMP_ASSERT_OK(result.status);
  t.ExpectRows(eth.Rows(0, 11));
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, t.State());
  ASSERT_EQ(state.checkpoint.entries.size(), 6U) << "the undone batches' lines are gone";
  EXPECT_EQ(state.checkpoint.entries[2].ranges.at(0), eth.Range(4, 5));
}

void DuplicateCommit(StreamingCase& t) {
  AMP_PROMISE("a commit whose answer was lost is not done twice",
              "refuse a commit whose expected sequence is not the stored one, as Conflict");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  StreamHand before = hand;
  AMP_ASSERT_OK(hand.Store({{1, "a"}}));
  // The answer was lost: the same is tried again.
  const Status again = before.Store({{1, "a"}}).status();
  EXPECT_FALSE(again.ok());
  EXPECT_EQ(ToString(KindOf(again)), ToString(ErrorKind::kConflict)) << again.message();
  t.ExpectRows({{1, "a"}});
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, t.State());
  EXPECT_EQ(state.checkpoint.sequence, 1);
  EXPECT_EQ(state.checkpoint.entries.size(), 1U);
}

void DuplicateDelivery(StreamingCase& t) {
  AMP_PROMISE("what a source sends again after a failure is there once",
              "give back the checkpoint of the last commit");
  const ScriptedChain eth("eth");
  // The commit has taken place, then the run fails for good.
  ScriptedSource source(true);
  source.Then({.messages = {eth.Blocks(0, 3), eth.Blocks(4, 7)},
               .error = MakeError(ErrorKind::kProtocol, "the script ends badly")});
  const LoadResult failed = t.Run(&source, CommitEachBatch());
  EXPECT_EQ(ToString(KindOf(failed.status)), ToString(ErrorKind::kProtocol)) << failed.error;
  EXPECT_EQ(failed.rows_loaded, 8) << "complete batches are kept, and counted";
  t.ExpectRows(eth.Rows(0, 7));
  t.Restart();
  AMP_ASSERT_OK(t.RunTo(9, {eth.Blocks(4, 7), eth.Blocks(8, 9), eth.Blocks(8, 9)}).status);
  t.ExpectRows(eth.Rows(0, 9));
}

// The message must name who has the stream now.
void ExpectFenced(StreamingCase& t, const Status& refused) {
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, t.State());
  AMP_EXPECT_ERROR(refused, ErrorKind::kConflict, state.owner);
  EXPECT_FALSE(ErrorInfoOf(refused).retryable) << "the older writer must not try again";
  EXPECT_EQ(ExitCodeOf(WithSide(refused, ErrorSide::kTarget)), 4);
}

void FencingOfAnOpenTransaction(StreamingCase& t) {
  AMP_PROMISE("the newest writer of a stream wins, without a clock or a lease",
              "refuse commits of another epoch than the stored one, and change nothing then");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand old, t.Open(&t.loader()));
  AMP_ASSERT_OK(old.Store({{1, "a"}}));
  AMP_ASSERT_OK_AND_ASSIGN(Loader* const other, t.Another());
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand fresh, t.Open(other));
  EXPECT_EQ(fresh.state.checkpoint.sequence, 1);
  ExpectFenced(t, old.Store({{2, "old"}}).status());
  ExpectFenced(t, old.Undo(SlotBase(old.state.slot)).status());
  StreamSpec back = old.spec;
  back.held_epoch = old.state.epoch;
  ExpectFenced(t, t.loader().OpenStream(back).status());
  if (t.loader().traits().delivery == Delivery::kAtomic) t.ExpectRows({{1, "a"}});
  AMP_ASSERT_OK(fresh.Store({{3, "new"}}));
  if (t.loader().traits().delivery == Delivery::kAtomic) t.ExpectRows({{1, "a"}, {3, "new"}});
}

void FencingOfARun(StreamingCase& t) {
  AMP_PROMISE("a run that was taken over ends, and is not tried again",
              "say Conflict, not retryable, and who took the stream over");
  const ScriptedChain eth("eth");
  AMP_ASSERT_OK_AND_ASSIGN(Loader* const other, t.Another());
  ScriptedSource source(true);
  source.Then({.messages = eth.Batches(0, 7, 4), .stays_open = true});
  StreamOptions options = CommitEachBatch();
  options.until_block = 7;
  Status taken = Status::Invalid("no commit was seen");
  int retries = 0;
  options.on_event = [&](const StreamEvent& event) {
    if (event.kind == StreamEvent::Kind::kRetry) ++retries;
    if (event.kind != StreamEvent::Kind::kCommit || !taken.IsInvalid()) return;
    taken = t.Open(other).status();
  };
  const LoadResult result = t.Run(&source, options);
  AMP_ASSERT_OK(taken);
  ExpectFenced(t, result.status);
  EXPECT_EQ(retries, 0);
  EXPECT_EQ(result.rows_loaded, 4);
  t.Restart();
  AMP_ASSERT_OK(t.RunTo(7, eth.Batches(4, 7, 4)).status);
  t.ExpectRows(eth.Rows(0, 7));
}

constexpr std::array<StreamingTest, 12> kTests{
    {{"ResumeAfterTheCheckpoint", &ResumeAfterTheCheckpoint},
     {"ResumeAfterABrokenConnection", &ResumeAfterABrokenConnection},
     {"ReorgWhileResuming", &ReorgWhileResuming},
     {"CrashAfterWrite", &CrashAfterWrite},
     {"CrashAfterUndo", &CrashAfterUndo},
     {"RollbackBeforeCommit", &RollbackBeforeCommit},
     {"NumbersAreNotUsedTwice", &NumbersAreNotUsedTwice},
     {"UndoAfterRestart", &UndoAfterRestart},
     {"DuplicateCommit", &DuplicateCommit},
     {"DuplicateDelivery", &DuplicateDelivery},
     {"FencingOfAnOpenTransaction", &FencingOfAnOpenTransaction},
     {"FencingOfARun", &FencingOfARun}}};

}  // namespace

std::span<const StreamingTest> StreamRecoveryTests() { return kTests; }

}  // namespace amp::testing
