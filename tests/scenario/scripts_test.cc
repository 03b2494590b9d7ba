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

// A crash after so many of its actions.
AfterCrash CrashAfter(const Script& script, size_t actions, bool atomic, uint64_t seed) {
  ScriptRun run(script, atomic);
  for (size_t i = 0; i < actions; ++i) {
    const auto fault = run.Do(script.actions[i]);
    EXPECT_FALSE(fault) << *fault;
  }
  return Recover(run, seed);
}

TEST(AllScripts, RecoverFromACrashBetweenEveryTwoSteps) {
  constexpr uint64_t kSeeds = 5;
  std::map<AfterCrash, int> positions;
  for (const std::string& name : ScriptNames()) {
    const Script script = ReadScript(name);
    for (size_t actions = 0; actions <= script.actions.size(); ++actions) {
      for (const bool atomic : {true, false}) {
        SCOPED_TRACE(fmt::format("{}, after {} actions, atomic {}", name, actions, atomic));
        AfterCrash worst = AfterCrash::kWhole;
        for (uint64_t seed = 1; seed <= kSeeds; ++seed) {
          worst = std::max(worst, CrashAfter(script, actions, atomic, seed));
        }
        ++positions[worst];
      }
    }
  }
  fmt::print("{} positions, {} more of servers that are not honest, {} refused\n",
             positions[AfterCrash::kWhole], positions[AfterCrash::kNotHonest],
             positions[AfterCrash::kRefused]);
  EXPECT_GT(positions[AfterCrash::kWhole], 500);
  EXPECT_LT(positions[AfterCrash::kRefused], 50);
}

}  // namespace
}  // namespace amp::testing
