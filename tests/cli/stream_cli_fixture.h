#pragma once

#include <gtest/gtest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "cli/ampload_process.h"
#include "cli/run_ampload.h"
#include "crash/scenario.h"
#include "sources/simulated/options.h"

/// `ampload stream` and what goes with it, into LMDB. Most of it is the same for every target.
namespace amp::testing {

using Json = nlohmann::json;
using Words = std::vector<std::string>;

inline constexpr uint64_t kBlocks = 60;
inline constexpr uint64_t kLogs = 3;

inline SimulationOptions QuietChain() {
  SimulationOptions options;
  options.blocks = kBlocks;
  options.reorg_rate = 0;
  options.logs_per_block = kLogs;
  options.microbatch_blocks = 3;
  return options;
}

inline Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

inline std::vector<Json> JsonLines(const std::string& text) {
  std::vector<Json> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(Json::parse(line));
  return lines;
}

class StreamCli : public ::testing::Test {
 protected:
  /// Commands with a table, and without a target of their own, get this one.
  CommandResult Run(const Words& words, const CommandOptions& given = {}) {
    CommandOptions options = given;
    options.directory = folder_.path();
    return AmploadProcess(WithTarget(words), options).Finish(std::chrono::seconds(30));
  }
  static Words WithTarget(const Words& words) {
    const auto has = [&](const char* word) {
      return std::find(words.begin(), words.end(), word) != words.end();
    };
    return has("--table") && !has("--to") ? words + Words{"--to", "lmdb:./amp-data"} : words;
  }
  static Words Stream(const std::string& from, const Words& more = {},
                      const Words& until = {"--until", std::to_string(kBlocks - 1)}) {
    return Words{"stream",
                 "--from",
                 from,
                 "--table",
                 "t",
                 "--set",
                 "retry_delay=10ms",
                 "--set",
                 "retry_max_delay=20ms",
                 "--set",
                 "retry_tries=3"} +
           until + more;
  }
  static Words Logs() { return {"--query", "SELECT * FROM logs"}; }
  CommandResult Follow(const std::string& from, const Words& more = {}) {
    return Run(Stream(from, Logs() + more));
  }
  void ExpectError(const CommandResult& result, int code, const std::string& words) {
    EXPECT_EQ(result.exit_code, code) << result.out << result.err;
    EXPECT_NE(result.err.find(words), std::string::npos)
        << "'" << words << "' is not in: " << result.err;
  }
  Json Info(const std::string& table = "t") {
    return Json::parse(Run({"info", "--table", table, "--output", "json"}).out);
  }
  int64_t Rows() {
    const Json info = Info();
    return info["exists"] == true ? info["row_count"].get<int64_t>() : -1;
  }
  /// The rows are those of the canonical chain up to the checkpoint; returns its block.
  uint64_t ExpectPrefix() {
    const Json checkpoint = Info()["streams"]["main"]["checkpoint"];
    const uint64_t last =
        checkpoint.contains("eth") ? checkpoint["eth"]["number"].get<uint64_t>() : uint64_t{0};
    SimulationOptions options = QuietChain();
    options.blocks = kBlocks;
    const std::string file = folder_.file("prefix.parquet");
    const auto sql = "SELECT * FROM logs WHERE _block_num < " + std::to_string(last + 1);
    EXPECT_TRUE(WriteCanonicalRows(sql, options, file).ok());
    const CommandResult equal = Run({"verify", "--from", file, "--table", "t"});
    EXPECT_EQ(equal.exit_code, 0) << equal.err;
    EXPECT_EQ(Rows(), static_cast<int64_t>((last + 1) * kLogs));
    return last;
  }

  TemporaryFolder folder_;
};

}  // namespace amp::testing
