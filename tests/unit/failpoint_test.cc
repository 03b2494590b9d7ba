#include "core/failpoint.h"

#include <gtest/gtest.h>

#include <csignal>
#include <cstdlib>

#include "amp/testing/asserts.h"

namespace amp {
namespace {

// What is armed is read once a process: so each case is a process of its own.
class FailpointCases : public ::testing::Test {
 protected:
  void SetUp() override { GTEST_FLAG_SET(death_test_style, "threadsafe"); }
  void TearDown() override { unsetenv("AMPLOAD_FAILPOINTS"); }

  static void Arm(const char* text) { setenv("AMPLOAD_FAILPOINTS", text, 1); }
};

// Ends the process with the number of calls that went well before the first that failed.
[[noreturn]] void CountTo(const char* name, int most) {
  int good = 0;
  while (good < most && Failpoint(name).ok()) ++good;
  std::_Exit(good);
}

using ::testing::ExitedWithCode;
using ::testing::KilledBySignal;

TEST_F(FailpointCases, NothingHappensUnlessArmed) {
  unsetenv("AMPLOAD_FAILPOINTS");
  EXPECT_EXIT(CountTo("commit", 9), ExitedWithCode(9), "");
  Arm("");
  EXPECT_EXIT(CountTo("commit", 9), ExitedWithCode(9), "");
  Arm("rollback=error");
  EXPECT_EXIT(CountTo("commit", 9), ExitedWithCode(9), "");
}

TEST_F(FailpointCases, KillEndsTheProcess) {
  Arm("commit=kill");
  EXPECT_EXIT(CountTo("commit", 9), KilledBySignal(SIGKILL), "");
}

TEST_F(FailpointCases, CountsTheTimes) {
  Arm("begin=error, commit=error@3");
  EXPECT_EXIT(CountTo("begin", 9), ExitedWithCode(0), "");
  EXPECT_EXIT(CountTo("commit", 9), ExitedWithCode(2), "");
}

[[noreturn]] void ExpectOnce() {
  bool right = FailpointAt("commit") == FailpointAction::kError;
  for (int i = 0; i < 5; ++i) right &= FailpointAt("commit") == FailpointAction::kNone;
  std::_Exit(right ? 0 : 1);
}

TEST_F(FailpointCases, HappensOnce) {
  Arm("commit=error");
  EXPECT_EXIT(ExpectOnce(), ExitedWithCode(0), "");
}

[[noreturn]] void ExpectLost() {
  std::_Exit(FailpointAt("commit") == FailpointAction::kLost ? 0 : 1);
}

TEST_F(FailpointCases, LosesAnswers) {
  Arm("commit=lost");
  EXPECT_EXIT(ExpectLost(), ExitedWithCode(0), "");
}

[[noreturn]] void ExpectUnavailable() {
  const Status status = Failpoint("commit");
  const bool right = KindOf(status) == ErrorKind::kUnavailable && ErrorInfoOf(status).retryable &&
                     ErrorInfoOf(status).side == ErrorSide::kTarget &&
                     status.message().find("commit") != std::string::npos;
  std::_Exit(right ? 0 : 1);
}

TEST_F(FailpointCases, FailsAsATargetThatIsAway) {
  Arm("commit=error@1");
  EXPECT_EXIT(ExpectUnavailable(), ExitedWithCode(0), "");
}

TEST_F(FailpointCases, LeavesOutWhatItCannotRead) {
  Arm("commit,=,begin=error@x,,end=error");
  EXPECT_EXIT(CountTo("commit", 3), ExitedWithCode(3), "");
  EXPECT_EXIT(CountTo("begin", 3), ExitedWithCode(0), "");
  EXPECT_EXIT(CountTo("end", 3), ExitedWithCode(0), "");
}

}  // namespace
}  // namespace amp
