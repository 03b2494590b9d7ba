#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <random>
#include <string>
#include <tuple>
#include <vector>

#include "cli/ampload_process.h"
#include "crash/scenario.h"

/// `ampload stream` as a process that is killed, cut off and overtaken, for every target that takes
/// streams: a target's test file says
///
///     INSTANTIATE_TEST_SUITE_P(LMDB, StreamCrash, ::testing::Values(&Make));
///     INSTANTIATE_TEST_SUITE_P(LMDB, KilledStream, KilledStreams(&Make), NameOfKilledStream);
///
/// AMPLOAD_CRASH_SEED repeats a run, AMPLOAD_CRASH_KILLS makes it longer.
///
/// None of this hangs on the wall clock, and nor does the stream: src/pipeline and src/ledger ask
/// the steady clock for their waits; the time of day is only written down (`committed_at`, lag).
/// The one thing that compares it is the expiry in a token's file (src/sources/amp/token.cc).
namespace amp::testing {

/// Where the rows go, and how the target's own client sees them.
class CrashTarget {
 public:
  virtual ~CrashTarget() = default;
  virtual std::string url() const = 0;
  /// All rows of a table in the columns of `schema`, sorted.
  virtual Result<Lines> Read(const std::string& table, const arrow::Schema& schema) = 0;
  /// The loader's name, which begins those of its steps.
  virtual std::string loader() const = 0;
  /// NAME=value for the processes that reach it.
  virtual std::vector<std::string> environment() const { return {}; }
  /// In which it takes streams.
  virtual std::vector<std::string> modes() const { return {"append", "upsert"}; }
};
using MakeCrashTarget = Result<std::unique_ptr<CrashTarget>> (*)();

/// One target and what goes on at it.
class CrashFixture : public ::testing::Test {
 protected:
  void SetUpAt(MakeCrashTarget make);
  void TearDown() override;

  /// `ampload stream … --output json`, with retries that do not wait long.
  std::vector<std::string> Stream(const Scenario& scenario, const AmpServer& server,
                                  const std::vector<std::string>& more = {}) const;
  /// The target's environment, and more of it.
  CommandOptions Options(const std::string& more = {}) const;
  /// Up to the last block; must end with exit code 0.
  void RunToTheEnd(const Scenario& scenario, const AmpServer& server,
                   const std::vector<std::string>& more = {});
  /// The rows are those of the canonical chain, by the target's client and by `ampload verify`.
  void ExpectCanonical(const Scenario& scenario);
  /// No row twice, no block of two forks, none half there.
  void ExpectWholeBlocks(const Scenario& scenario);
  void Reset();

  /// Whether the target has the chain's last block; `out` is what the last run printed.
  bool IsAtItsEnd(const std::string& out, const Scenario& scenario) const;
  /// Kills one run after another, until there were `kills` or the chain is at its end.
  int KillUntil(const Scenario& scenario, const AmpServer& server, int kills);
  /// A random time, 5 to 120 ms.
  void RandomPause();

  uint64_t seed_ = 0;
  std::mt19937_64 random_;
  std::unique_ptr<CrashTarget> target_;
  TemporaryFolder folder_;
  const std::string table_ = "crash_rows";
};

class StreamCrash : public CrashFixture, public ::testing::WithParamInterface<MakeCrashTarget> {
 protected:
  void SetUp() override { SetUpAt(GetParam()); }
  std::vector<std::string> Steps() const;
};

/// Target, networks, mode.
using KilledStreamParam = std::tuple<MakeCrashTarget, int, std::string>;
class KilledStream : public CrashFixture, public ::testing::WithParamInterface<KilledStreamParam> {
 protected:
  void SetUp() override { SetUpAt(std::get<0>(GetParam())); }
  Scenario MakeScenario();
};

inline auto KilledStreams(MakeCrashTarget make,
                          const std::vector<std::string>& modes = {"append", "upsert"}) {
  return ::testing::Combine(::testing::Values(make), ::testing::Values(1, 2),
                            ::testing::ValuesIn(modes));
}
inline std::string NameOfKilledStream(const ::testing::TestParamInfo<KilledStreamParam>& info) {
  return std::get<2>(info.param) + std::to_string(std::get<1>(info.param));
}

}  // namespace amp::testing
