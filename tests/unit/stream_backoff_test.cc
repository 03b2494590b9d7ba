// Pauses between tries, and which failures may pass.

#include <thread>

#include "amp/testing/asserts.h"
#include "pipeline/backoff.h"

namespace amp {
namespace {

using std::chrono::milliseconds;

PipelineOptions Options(int tries, int delay, int longest) {
  PipelineOptions options;
  options.retry_tries = tries;
  options.retry_delay = milliseconds(delay);
  options.retry_max_delay = milliseconds(longest);
  return options;
}

TEST(StreamBackoff, EndsAfterAsManyFailuresAsThereAreTries) {
  Backoff backoff(Options(5, 10, 100));
  for (int i = 1; i < 5; ++i) {
    EXPECT_TRUE(backoff.Next().has_value()) << i;
    EXPECT_EQ(backoff.failures(), i);
  }
  EXPECT_FALSE(backoff.Next().has_value());
  Backoff once(Options(1, 10, 100));
  EXPECT_FALSE(once.Next().has_value());
}

TEST(StreamBackoff, PausesDoubleUpToTheLongestWithJitter) {
  for (int round = 0; round < 200; ++round) {
    Backoff backoff(Options(7, 1000, 8000));
    for (const double expected : {1000, 2000, 4000, 8000, 8000, 8000}) {
      const auto pause = backoff.Next();
      ASSERT_TRUE(pause);
      const auto count = static_cast<double>(pause->count());
      EXPECT_GE(count, expected * 0.5 - 1);
      EXPECT_LE(count, expected * 1.5);
    }
  }
}

TEST(StreamBackoff, JitterSpreadsThePauses) {
  int64_t least = 1'000'000;
  int64_t most = 0;
  for (int round = 0; round < 200; ++round) {
    Backoff backoff(Options(2, 1000, 8000));
    const int64_t pause = backoff.Next()->count();
    least = std::min(least, pause);
    most = std::max(most, pause);
  }
  EXPECT_LT(least, 700);
  EXPECT_GT(most, 1300);
}

TEST(StreamBackoff, SuccessGivesTheBudgetBack) {
  Backoff backoff(Options(3, 1000, 8000));
  EXPECT_TRUE(backoff.Next());
  EXPECT_TRUE(backoff.Next());
  backoff.Reset();
  EXPECT_EQ(backoff.failures(), 0);
  EXPECT_LE(backoff.Next()->count(), 1500);
  EXPECT_TRUE(backoff.Next());
  EXPECT_FALSE(backoff.Next());
}

TEST(StreamBackoff, ManyFailuresDoNotOverflow) {
  Backoff backoff(Options(1'000'000, 1000, 120'000));
  for (int i = 0; i < 5000; ++i) {
    const auto pause = backoff.Next();
    ASSERT_TRUE(pause);
    ASSERT_GE(pause->count(), 500);
    ASSERT_LE(pause->count(), 180'000);
  }
}

Status Failure(ErrorKind kind, bool retryable) {
  return MakeError({.kind = kind, .retryable = retryable}, "failed");
}

TEST(StreamBackoff, FailuresPassByTheirKind) {
  EXPECT_TRUE(IsPassing(Failure(ErrorKind::kRateLimited, false)));
  EXPECT_TRUE(IsPassing(Failure(ErrorKind::kCommitUnknown, false)));
  EXPECT_TRUE(IsPassing(Failure(ErrorKind::kUnavailable, true)));
  EXPECT_FALSE(IsPassing(Failure(ErrorKind::kUnavailable, false)));
  EXPECT_TRUE(IsPassing(Failure(ErrorKind::kConflict, true)));
  EXPECT_FALSE(IsPassing(Failure(ErrorKind::kConflict, false)));
  // An expired token, where there is a new one by now.
  EXPECT_TRUE(IsPassing(Failure(ErrorKind::kUnauthenticated, true)));
  EXPECT_FALSE(IsPassing(Failure(ErrorKind::kUnauthenticated, false)));
  for (const ErrorKind kind :
       {ErrorKind::kConfigInvalid, ErrorKind::kNotFound, ErrorKind::kAlreadyExists,
        ErrorKind::kSchemaMismatch, ErrorKind::kUnsupported, ErrorKind::kDataInvalid,
        ErrorKind::kProtocol, ErrorKind::kCancelled, ErrorKind::kInternal, ErrorKind::kReorgTooDeep,
        ErrorKind::kDifferent}) {
    EXPECT_FALSE(IsPassing(Failure(kind, true))) << ToString(kind);
  }
}

TEST(StreamBackoff, ASleepEndsWhenItIsToStop) {
  std::atomic<bool> stop = false;
  const auto start = std::chrono::steady_clock::now();
  std::thread stopper([&] {
    std::this_thread::sleep_for(milliseconds(50));
    stop = true;
  });
  SleepUnless(&stop, milliseconds(60'000));
  stopper.join();
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
  SleepUnless(nullptr, milliseconds(1));
}

}  // namespace
}  // namespace amp
