// LMDB through the command: what its options and errors look like to a user.

#include <nlohmann/json.hpp>

#include "amp/testing/servers.h"
#include "cli/job_cli.h"
#include "cli/run_ampload.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

class LMDBCli : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(WriteSampleLogs({.seed = 1, .blocks = 100, .logs_per_block = 10}, file_).ok());
  }
  CommandResult Load(std::vector<std::string> more) {
    std::vector<std::string> arguments{
        "load",    "--from", file_,      "--to", "lmdb:" + folder_.file("db"),
        "--table", "t",      "--output", "json"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunAmpload(arguments);
  }
  int64_t Rows() {
    return nlohmann::json::parse(RunAmpload({"info", "--to", "lmdb:" + folder_.file("db"),
                                             "--table", "t", "--output", "json"})
                                     .out)["row_count"];
  }

  TemporaryFolder folder_;
  const std::string file_ = folder_.file("logs.parquet");
};

TEST_F(LMDBCli, ModesAndKeys) {
  ASSERT_EQ(Load({"--key", "block_num,log_index"}).exit_code, 0);
  const CommandResult again = Load({});
  EXPECT_EQ(again.exit_code, 5);
  EXPECT_NE(again.err.find("--mode upsert"), std::string::npos) << again.err;
  EXPECT_EQ(Load({"--mode", "upsert"}).exit_code, 0);
  EXPECT_EQ(Load({"--mode", "overwrite"}).exit_code, 0);
  EXPECT_EQ(Rows(), 1000);
}

TEST_F(LMDBCli, UpstreamOptionNamesAreAccepted) {
  const CommandResult result = RunAmpload(
      {"load", "--from", file_, "--to", "lmdb:", "--set", "db_path=" + folder_.file("db"), "--set",
       "composite_key_columns=block_num,log_index", "--table", "t"});
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(Rows(), 1000);
}

TEST_F(LMDBCli, ASmallMapIsFull) {
  const CommandResult result = Load({"--set", "map_size=100KiB"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_NE(result.err.find("map_size"), std::string::npos) << result.err;
}

TEST_F(LMDBCli, AFolderThatMayNotBeMade) {
  const CommandResult result =
      RunAmpload({"load", "--from", file_, "--to", "lmdb:/proc/nowhere/db", "--table", "t"});
  EXPECT_EQ(result.exit_code, 4);
  EXPECT_NE(result.err.find("/proc/nowhere/db"), std::string::npos) << result.err;
}

std::string JobUrl(const TemporaryFolder& folder) { return "lmdb:" + folder.file("db"); }
INSTANTIATE_TEST_SUITE_P(LMDB, JobCli, ::testing::Values(&JobUrl));

}  // namespace
}  // namespace amp::testing
