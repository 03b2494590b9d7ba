// The process dies, or loses an answer, at each step of a stream's transaction; the next writer
// finds the commit whole or not at all.

#include <csignal>
#include <cstdlib>

#include "conformance/postgresql_stream_fixture.h"

namespace amp::testing {
namespace {

class PostgreSQLCrashes : public PostgreSQLStreamTest {
 protected:
  void SetUp() override {
    PostgreSQLStreamTest::SetUp();
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    // The process that dies uses our server, not one of its own.
    setenv("AMPLOAD_TEST_POSTGRESQL_URL", url_.c_str(), 1);
  }

  // One commit of batch 1, then one that undoes nothing of it and adds batch 2.
  Status TwoCommits(LoadMode mode) {
    ARROW_ASSIGN_OR_RAISE(
        StreamState state,
        loader_->OpenStream(mode == LoadMode::kAppend ? Spec() : KeyedSpec(mode)));
    ARROW_RETURN_NOT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}})}));
    ARROW_ASSIGN_OR_RAISE(auto transaction, loader_->BeginTransaction(WriteOf(state)));
    ARROW_RETURN_NOT_OK(transaction->Write({.id = 2, .ranges = {}}, *RowsOf(2, {{2, "orphan"}})));
    ARROW_RETURN_NOT_OK(transaction->UndoAfter(1).status());
    ARROW_RETURN_NOT_OK(transaction->Write({.id = 3, .ranges = {}}, *RowsOf(3, {{3, "c"}})));
    return transaction->Commit(NextCheckpoint(state, 3, {EntryOf(3, 1)}));
  }
  void DieAt(const std::string& failpoint, LoadMode mode) {
    EXPECT_EXIT(
        {
          setenv("AMPLOAD_FAILPOINTS", failpoint.c_str(), 1);
          const Status status = TwoCommits(mode);
          std::fputs(status.ToString().c_str(), stderr);
          std::_Exit(status.ok() ? 0 : 1);
        },
        ::testing::KilledBySignal(SIGKILL), "");
  }
  // What the next writer finds, and that it can go on at once.
  void ExpectGoesOn(LoadMode mode, const std::string& rows, int64_t sequence) {
    EXPECT_EQ(TableText(), rows);
    AMP_ASSERT_OK_AND_ASSIGN(
        StreamState state,
        loader_->OpenStream(mode == LoadMode::kAppend ? Spec() : KeyedSpec(mode)));
    EXPECT_EQ(state.checkpoint.sequence, sequence);
    EXPECT_EQ(state.checkpoint.entries.size(), static_cast<size_t>(sequence));
    AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report,
                             UndoAfter(loader_.get(), &state, state.checkpoint.last_batch_id));
    EXPECT_EQ(TextOf(report), "removed 0 restored 0 left 0");
    AMP_ASSERT_OK(UndoAfter(loader_.get(), &state, 0));
    EXPECT_EQ(TableText(), "");
  }
};

// The child runs its test from the start, so there is one crash a test.
struct Crash {
  std::string step;
  LoadMode mode;
  bool committed;

  friend std::ostream& operator<<(std::ostream& out, const Crash& crash) {
    return out << crash.step << ' ' << ToString(crash.mode);
  }
};
std::string NameOf(const ::testing::TestParamInfo<Crash>& info) {
  return fmt::format("{}_{}", info.param.step, ToString(info.param.mode));
}
class PostgreSQLCrashesAt : public PostgreSQLCrashes,
                            public ::testing::WithParamInterface<Crash> {};

TEST_P(PostgreSQLCrashesAt, TheNextWriterGoesOn) {
  const auto& [step, mode, committed] = GetParam();
  // Commits come twice, undos once.
  DieAt(fmt::format("postgresql.{}=kill@{}", step, step.ends_with("undo") ? 1 : 2), mode);
  ExpectGoesOn(mode, committed ? "1:a@1 3:c@3" : "1:a@1", committed ? 2 : 1);
}

INSTANTIATE_TEST_SUITE_P(Steps, PostgreSQLCrashesAt,
                         ::testing::Values(Crash{"before_undo", LoadMode::kAppend, false},
                                           Crash{"after_undo", LoadMode::kAppend, false},
                                           Crash{"before_checkpoint", LoadMode::kAppend, false},
                                           Crash{"before_commit", LoadMode::kAppend, false},
                                           Crash{"after_commit", LoadMode::kAppend, true},
                                           Crash{"before_undo", LoadMode::kUpsert, false},
                                           Crash{"after_undo", LoadMode::kUpsert, false},
                                           Crash{"before_checkpoint", LoadMode::kMerge, false},
                                           Crash{"before_commit", LoadMode::kUpsert, false},
                                           Crash{"after_commit", LoadMode::kUpsert, true}),
                         NameOf);

TEST_F(PostgreSQLCrashes, ALostAnswerIsCommitUnknown) {
  EXPECT_EXIT(
      {
        setenv("AMPLOAD_FAILPOINTS", "postgresql.after_commit=lost@2", 1);
        const Status status = TwoCommits(LoadMode::kAppend);
        std::_Exit(KindOf(status) == ErrorKind::kCommitUnknown ? 7 : 1);
      },
      ::testing::ExitedWithCode(7), "");
  ExpectGoesOn(LoadMode::kAppend, "1:a@1 3:c@3", 2);
}

TEST_F(PostgreSQLCrashes, AStepThatFailsIsRetryable) {
  EXPECT_EXIT(
      {
        setenv("AMPLOAD_FAILPOINTS", "postgresql.before_commit=error@2", 1);
        const Status status = TwoCommits(LoadMode::kAppend);
        std::_Exit(ErrorInfoOf(status).retryable ? 7 : 1);
      },
      ::testing::ExitedWithCode(7), "");
  ExpectGoesOn(LoadMode::kAppend, "1:a@1", 1);
}

}  // namespace
}  // namespace amp::testing
