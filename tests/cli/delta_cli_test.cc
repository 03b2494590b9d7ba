// Delta through the command: versions, maintenance, what info and check say; jobs.

#include <filesystem>
#include <nlohmann/json.hpp>

#include "amp/testing/servers.h"
#include "cli/job_cli.h"
#include "cli/run_ampload.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;

class DeltaCli : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteSampleLogs({.seed = 1, .blocks = 10, .logs_per_block = 10}, file_).ok());
  }
  CommandResult Run(const std::vector<std::string>& arguments) {
    return RunAmpload(arguments, {.directory = folder_.path()});
  }
  void Load(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"load", "--from", file_, "--table", "t"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  Json RunJson(std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--output", "json"});
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Json::parse(result.out, nullptr, false);
  }
  int64_t RowsShown(const std::vector<std::string>& which) {
    std::vector<std::string> arguments{"show", "--table",  "t",   "--limit",
                                       "1000", "--output", "json"};
    arguments.insert(arguments.end(), which.begin(), which.end());
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return std::count(result.out.begin(), result.out.end(), '\n');
  }
  void ExpectError(const std::vector<std::string>& arguments, int code, const std::string& text) {
    const CommandResult result = Run(arguments);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(text), std::string::npos) << result.err;
  }

  TemporaryFolder folder_;
  const std::string file_ = folder_.file("logs.parquet");
};

TEST_F(DeltaCli, ShowGoesBackInTime) {
  Load();
  Load();
  Load({"--mode", "overwrite"});
  EXPECT_EQ(RowsShown({}), 100);
  EXPECT_EQ(RowsShown({"--version", "0"}), 100);
  EXPECT_EQ(RowsShown({"--version", "1"}), 200);
  EXPECT_EQ(RowsShown({"--timestamp", "2100-01-01T00:00:00+01:00"}), 100);
  const std::vector<std::string> show{"show", "--table", "t"};
  const auto with = [&](std::vector<std::string> more) {
    more.insert(more.begin(), show.begin(), show.end());
    return more;
  };
  ExpectError(with({"--version", "3"}), 4, "there are versions 0 to 2");
  ExpectError(with({"--version", "-1"}), 2, "counted from 0");
  ExpectError(with({"--version", "new"}), 2, "--version");
  ExpectError(with({"--timestamp", "2020-01-01T00:00:00Z"}), 4, "no version as old");
  ExpectError(with({"--timestamp", "yesterday"}), 2, "2024-01-31T12:00:00Z");
  ExpectError(with({"--timestamp", "2020-01-01", "--version", "1"}), 2, "excludes");
  ExpectError(with({"--version", "1", "--to", "lmdb:store"}), 5, "'lmdb' cannot read old versions");
}

TEST_F(DeltaCli, MaintainSaysWhatItDid) {
  Load();
  Load({"--mode", "overwrite"});
  const std::vector<std::string> now{"maintain", "--table", "t", "--retention", "0s"};
  ExpectError(now, 2, "--force");
  std::vector<std::string> dry = now;
  dry.emplace_back("--dry-run");
  const CommandResult would = Run(dry);
  EXPECT_EQ(would.exit_code, 0) << would.err;
  EXPECT_NE(would.out.find("part-"), std::string::npos) << would.out;
  EXPECT_NE(would.out.find("would delete 1 file,"), std::string::npos) << would.out;
  std::vector<std::string> forced = now;
  forced.emplace_back("--force");
  const Json done = RunJson(forced);
  EXPECT_EQ(done["table_name"], "t");
  EXPECT_EQ(done["dry_run"], false);
  EXPECT_EQ(done["files_deleted"], 1);
  EXPECT_EQ(done["files"].size(), 1U);
  EXPECT_GT(done["bytes_deleted"], 0);
  EXPECT_EQ(done["checkpoint_version"], 1);
  EXPECT_EQ(done["checkpoint_written"], true);
  const CommandResult again = Run({"maintain", "--table", "t"});
  EXPECT_NE(again.out.find("Table 't': deleted 0 files"), std::string::npos) << again.out;
  ExpectError({"maintain", "--table", "none"}, 4, "none");
  ExpectError({"maintain", "--table", "t", "--retention", "long"}, 2, "--retention long");
  ExpectError({"maintain", "--table", "t", "--to", "lmdb:store"}, 5, "'lmdb'");
  EXPECT_EQ(RowsShown({}), 100);
}

TEST_F(DeltaCli, InfoTellsOfTheTable) {
  Load({"--set", "partition_by=log_index", "--set", "properties.delta.appendOnly=true"});
  const Json info = RunJson({"info", "--table", "t"});
  EXPECT_EQ(info["row_count"], 100);
  EXPECT_EQ(info["version"], 0);
  EXPECT_EQ(info["files"], 10);
  EXPECT_EQ(info["partition_columns"], Json{"log_index"});
  EXPECT_EQ(info["properties"], Json{"delta.appendOnly=true"});
  EXPECT_EQ(info["min_writer_version"], 2);
  const CommandResult text = Run({"info", "--table", "t"});
  for (const char* part : {"100 rows", "partition_columns", "log_index", "appendOnly"}) {
    EXPECT_NE(text.out.find(part), std::string::npos) << text.out;
  }
}

TEST_F(DeltaCli, CheckShowsTheSchema) {
  const CommandResult text = Run({"check", "--from", file_, "--table", "t"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("would be made"), std::string::npos) << text.out;
  EXPECT_NE(text.out.find("\n  {\"name\":\"block_num\",\"type\":"), std::string::npos) << text.out;
  EXPECT_EQ(text.out.find(';'), std::string::npos) << text.out;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("amp-data")));
  Load();
  const Json there = RunJson({"check", "--from", file_, "--table", "t"});
  EXPECT_EQ(there["exists"], true);
  EXPECT_EQ(there["statements"], Json::array());
}

TEST_F(DeltaCli, HelpAndCompletionKnowIt) {
  EXPECT_NE(Run({"maintain", "--help"}).out.find("--dry-run"), std::string::npos);
  EXPECT_NE(Run({"load", "--help"}).out.find("delta:./amp-data"), std::string::npos);
  EXPECT_NE(Run({"completion", "bash"}).out.find("maintain) words=\"--"), std::string::npos);
}

std::string JobUrl(const TemporaryFolder& folder) { return "delta:" + folder.file("tables"); }
INSTANTIATE_TEST_SUITE_P(Delta, JobCli, ::testing::Values(&JobUrl));

}  // namespace
}  // namespace amp::testing
