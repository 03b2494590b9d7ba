// What is left of a commit of a stream in LMDB when its process dies, or a step of it fails; and
// several processes at one database.

#include <csignal>
#include <cstdlib>

#include "cli/run_ampload.h"
#include "conformance/lmdb_stream_fixture.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

/// Steps are armed in a process of their own: a death test in the "threadsafe" style runs the test
/// program again, up to the statement that dies. Both share a folder by an environment variable.
class LMDBCrash : public LMDBStreamFixture {
 protected:
  void SetUp() override {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    if (getenv(kFolder) == nullptr) {
      setenv(kFolder, folder_.file("db").c_str(), 1);
      in_parent_ = true;
    }
  }
  void TearDown() override {
    if (in_parent_) unsetenv(kFolder);
  }
  static Result<Loaded> Open() {
    ARROW_ASSIGN_OR_RAISE(
        auto loader,
        Registry::Global().Make("lmdb", {{"path", {.value = std::string(getenv(kFolder))}}}));
    ARROW_RETURN_NOT_OK(loader->Connect());
    return loader;
  }
  /// Takes batch 1 back and writes another in one commit.
  static Status UndoAndWrite() {
    ARROW_ASSIGN_OR_RAISE(const auto loader, Open());
    ARROW_ASSIGN_OR_RAISE(const StreamState state, loader->OpenStream(Spec()));
    ARROW_ASSIGN_OR_RAISE(const auto transaction, loader->BeginTransaction(WriteOf(Spec(), state)));
    ARROW_RETURN_NOT_OK(transaction->UndoAfter(0).status());
    ARROW_RETURN_NOT_OK(Write(transaction.get(), 2, {{2, "b"}}));
    return transaction->Commit(Next(state, 2, {EntryOf(2, 2)}));
  }
  static void Arm(const std::string& step, const std::string& action) {
    setenv("AMPLOAD_FAILPOINTS", (step + "=" + action).c_str(), 1);
  }
  /// Is it the old state, or the new one? Goes on from it.
  void ExpectState(Loader* loader, bool committed) {
    EXPECT_EQ(Rows(loader), Lines{committed ? "2 b 2" : "1 a 1"});
    AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
    EXPECT_EQ(state.checkpoint.sequence, committed ? 2 : 1);
    ASSERT_EQ(state.checkpoint.entries.size(), 1U);
    EXPECT_EQ(state.checkpoint.entries[0].last_id, committed ? 2 : 1);
    AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader, Spec(), &state, 0));
    EXPECT_EQ(report.removed, 1);
    AMP_ASSERT_OK(CommitBatch(loader, Spec(), &state, 1, {{1, "a"}}));
  }

  static constexpr const char* kFolder = "AMPLOAD_TEST_LMDB_CRASH";
  bool in_parent_ = false;
};

class LMDBKilled : public LMDBCrash, public ::testing::WithParamInterface<std::string> {};

TEST_P(LMDBKilled, AtEveryStepAllOrNothingIsStored) {
  const std::string step = "lmdb." + GetParam();
  Loaded loader;
  if (in_parent_) {
    AMP_ASSERT_OK_AND_ASSIGN(loader, Open());
    AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
    AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
    Arm(step, "kill");
  }
  EXPECT_EXIT(UndoAndWrite().Warn(), ::testing::KilledBySignal(SIGKILL), "");
  unsetenv("AMPLOAD_FAILPOINTS");
  // This process had the database open all the time, and the other died with the writer's lock.
  ExpectState(loader.get(), GetParam() == "after_commit");
}

INSTANTIATE_TEST_SUITE_P(Steps, LMDBKilled,
                         ::testing::Values("before_undo", "after_undo", "before_checkpoint",
                                           "before_commit", "after_commit"),
                         [](const auto& step) { return step.param; });

TEST_F(LMDBCrash, AStepThatFailsRollsBackAndALaterCommitWorks) {
  Loaded loader;
  if (in_parent_) {
    AMP_ASSERT_OK_AND_ASSIGN(loader, Open());
    AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
    AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
    Arm("lmdb.before_commit", "error");
  }
  const auto run = [] {
    const Status failed = UndoAndWrite();
    const bool later = UndoAndWrite().ok();
    _exit(KindOf(failed) == ErrorKind::kUnavailable && later ? 7 : 1);
  };
  EXPECT_EXIT(run(), ::testing::ExitedWithCode(7), "");
  unsetenv("AMPLOAD_FAILPOINTS");
  ExpectState(loader.get(), /*committed=*/true);
}

TEST_F(LMDBCrash, ALostAnswerIsUnknownAndTheCommitIsThere) {
  Loaded loader;
  if (in_parent_) {
    AMP_ASSERT_OK_AND_ASSIGN(loader, Open());
    AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
    AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
    Arm("lmdb.after_commit", "lost");
  }
  EXPECT_EXIT(_exit(KindOf(UndoAndWrite()) == ErrorKind::kCommitUnknown ? 7 : 1),
              ::testing::ExitedWithCode(7), "");
  unsetenv("AMPLOAD_FAILPOINTS");
  ExpectState(loader.get(), /*committed=*/true);
}

TEST_F(LMDBStreamFixture, AMapThatAnotherProcessLetGrowIsAdopted) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make({{"map_size", {.value = std::string("1MiB")}}}));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
  const std::string file = folder_.file("logs.parquet");
  AMP_ASSERT_OK(WriteSampleLogs({.seed = 1, .blocks = 1000, .logs_per_block = 20}, file));
  const CommandResult other =
      RunAmpload({"load", "--from", file, "--to", "lmdb:" + folder_.file("db"), "--table", "logs"});
  ASSERT_EQ(other.exit_code, 0) << other.err;
  EXPECT_EQ(Rows(loader.get()), Lines{"1 a 1"});
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 2, {{2, "b"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader->GetTableInfo("logs"));
  EXPECT_EQ(info->row_count, 20'000);
}

}  // namespace
}  // namespace amp::testing
