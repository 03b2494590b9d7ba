#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <sstream>

#include "scenario/script.h"

// Every rule of the protocol is a script in scripts/, whose first line says it.
namespace amp::testing {
namespace {

std::vector<std::string> ScriptNames() {
  std::vector<std::string> names;
  for (const auto& file : std::filesystem::directory_iterator(AMPLOAD_SCRIPTS)) {
    if (file.path().extension() == ".txt") names.push_back(file.path().stem().string());
  }
  std::sort(names.begin(), names.end());
  return names;
}

Script ReadScript(const std::string& name) {
  const std::ifstream file(std::filesystem::path(AMPLOAD_SCRIPTS) / (name + ".txt"));
  std::stringstream text;
  text << file.rdbuf();
  auto script = ParseScript(text.str());
  if (!script.ok()) ADD_FAILURE() << name << ": " << script.status().message();
  return script.ok() ? *std::move(script) : Script{};
}

class Scripts : public ::testing::TestWithParam<std::string> {};

TEST_P(Scripts, RunAsWritten) {
  const Script script = ReadScript(GetParam());
  ASSERT_FALSE(script.actions.empty());
  EXPECT_TRUE(std::any_of(script.actions.begin(), script.actions.end(), [](const auto& action) {
    return action.expected.has_value();
  })) << "nothing is expected";
  ScriptRun run(script);
  for (const ScriptAction& action : script.actions) {
    const auto fault = run.Do(action);
    ASSERT_FALSE(fault) << *fault;
  }
}

INSTANTIATE_TEST_SUITE_P(All, Scripts, ::testing::ValuesIn(ScriptNames()),
                         [](const auto& param) { return param.param; });

TEST(AllScripts, AreFound) { EXPECT_GE(ScriptNames().size(), 40U); }

// What became of a crash after some of a script's actions.
enum class AfterCrash { kWhole, kNotHonest, kRefused, kFaulty };

// Another process goes on from the last commit, to where the chain ends now.
AfterCrash Recover(const ScriptRun& run, uint64_t seed) {
  if (!run.strict() || !run.honest() || run.chain().networks().empty()) {
    return AfterCrash::kNotHonest;
  }
  std::mt19937_64 random(seed);
  ModelChain chain = run.chain();
  ModelTarget target = run.target();
  target.Crash();
  ModelSession session(&chain, &random, run.options(), std::move(target));
  session.Drain(&chain);
  const auto fault = session.fault();
  EXPECT_FALSE(fault) << *fault;
  if (fault) return AfterCrash::kFaulty;
  return session.dead() ? AfterCrash::kRefused : AfterCrash::kWhole;
}

// A crash after each action, and in the middle of those that are two messages.
std::vector<std::vector<ScriptAction>> Crashes(const Script& script) {
  std::vector<std::vector<ScriptAction>> crashes{{}};
  std::vector<ScriptAction> before;
  for (const ScriptAction& action : script.actions) {
    if (action.verb == "batch") {
      crashes.push_back(before);
      crashes.back().push_back({.line = action.line,
                                .verb = "data",
                                .arguments = action.arguments,
                                .expected = std::nullopt});
    }
    before.push_back(action);
    crashes.push_back(before);
  }
  return crashes;
}

AfterCrash CrashAfter(const Script& script, const std::vector<ScriptAction>& actions, bool atomic,
                      uint64_t seed) {
  ScriptRun run(script, atomic);
  for (const ScriptAction& action : actions) {
    const auto fault = run.Do(action);
    EXPECT_FALSE(fault) << *fault;
    if (fault) return AfterCrash::kFaulty;
  }
  return Recover(run, seed);
}

// How often each came of it; several servers are tried, and the worst counts.
std::map<AfterCrash, int> CrashEverywhere(const std::string& name, bool atomic) {
  constexpr uint64_t kSeeds = 5;
  std::map<AfterCrash, int> positions;
  const Script script = ReadScript(name);
  for (const auto& actions : Crashes(script)) {
    SCOPED_TRACE(fmt::format("{}, {}, after {} actions", name, atomic ? "atomic" : "not atomic",
                             actions.size()));
    AfterCrash worst = AfterCrash::kWhole;
    for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
      worst = std::max(worst, CrashAfter(script, actions, atomic, seed));
    }
    ++positions[worst];
  }
  return positions;
}

TEST(AllScripts, RecoverFromACrashBetweenEveryTwoSteps) {
  std::map<AfterCrash, int> positions;
  for (const std::string& name : ScriptNames()) {
    for (const bool atomic : {true, false}) {
      for (const auto& [after, count] : CrashEverywhere(name, atomic)) positions[after] += count;
    }
  }
  fmt::print("{} positions, {} more of servers that are not honest, {} refused\n",
             positions[AfterCrash::kWhole], positions[AfterCrash::kNotHonest],
             positions[AfterCrash::kRefused]);
  EXPECT_GT(positions[AfterCrash::kWhole], 1'000);
  // What is final in a table with keys.
  EXPECT_LT(positions[AfterCrash::kRefused], 20);
}

}  // namespace
}  // namespace amp::testing
