// What the command says about streams: before they begin, while they are there, and to mistakes.

#include <amp/testing/asserts.h>

#include "amp/testing/servers.h"
#include "cli/run_ampload.h"
#include "sources/simulated/server.h"

namespace amp::testing {
namespace {

class LMDBStreamWordsCli : public ::testing::Test {
 protected:
  void SetUp() override {
    SimulationOptions options;
    options.blocks = 50;
    AMP_ASSERT_OK_AND_ASSIGN(server_, SimulatedServer::Start(options));
  }
  CommandResult Run(const std::string& command, std::vector<std::string> more) {
    std::vector<std::string> arguments{command, "--to", "lmdb:" + folder_.file("db"), "--table",
                                       "t"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunAmpload(arguments);
  }
  std::vector<std::string> Asking(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{"--from", server_->url(), "--query", "SELECT * FROM logs"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return arguments;
  }

  TemporaryFolder folder_;
  std::unique_ptr<SimulatedServer> server_;
};

TEST_F(LMDBStreamWordsCli, CheckShowsTheColumnsAndWritesNothing) {
  const CommandResult check = Run("check", Asking());
  EXPECT_EQ(check.exit_code, 0) << check.err;
  EXPECT_NE(check.out.find("would be made"), std::string::npos) << check.out;
  EXPECT_NE(check.out.find("_amp_batch_id"), std::string::npos) << check.out;
  EXPECT_NE(Run("info", {}).out.find("does not exist"), std::string::npos);
}

TEST_F(LMDBStreamWordsCli, InfoShowsTheStream) {
  ASSERT_EQ(Run("stream", Asking({"--until", "49"})).exit_code, 0);
  const CommandResult info = Run("info", {});
  EXPECT_NE(info.out.find("eth 49"), std::string::npos) << info.out;
  EXPECT_NE(info.out.find("SELECT * FROM logs"), std::string::npos) << info.out;
  EXPECT_EQ(Run("check", Asking()).exit_code, 0);
}

TEST_F(LMDBStreamWordsCli, CheckRefusesATableThatWasNotMadeForStreams) {
  const std::string file = WriteFile(folder_.file("rows.csv"), "a\n1\n");
  ASSERT_EQ(Run("load", {"--from", file}).exit_code, 0);
  const CommandResult check = Run("check", Asking());
  EXPECT_EQ(check.exit_code, 5);
  EXPECT_NE(check.err.find("--adopt"), std::string::npos) << check.err;
}

TEST_F(LMDBStreamWordsCli, AServerWithoutAQueryIsAnError) {
  for (const char* command : {"check", "verify"}) {
    const CommandResult result = Run(command, {"--from", server_->url()});
    EXPECT_EQ(result.exit_code, 2) << command;
    EXPECT_NE(result.err.find("--query"), std::string::npos) << result.err;
  }
  const CommandResult load = Run("load", {"--from", server_->url()});
  EXPECT_EQ(load.exit_code, 2);
  EXPECT_NE(load.err.find("ampload stream"), std::string::npos) << load.err;
  EXPECT_EQ(Run("stream", Asking({"--mode", "overwrite"})).exit_code, 2);
}

// What `init` writes as comments is a file that `run` takes: it only lacks a token and files.
TEST_F(LMDBStreamWordsCli, TheExamplesOfInitCanBeRead) {
  const CommandResult init = RunAmpload({"init", "lmdb:" + folder_.file("db"), "-"});
  ASSERT_EQ(init.exit_code, 0) << init.err;
  std::string toml;
  std::istringstream lines(init.out);
  for (std::string line; std::getline(lines, line);) {
    const bool example = line.starts_with("# [") || line.find(" = ") != std::string::npos;
    toml += (line.starts_with("# ") && example ? line.substr(2) : line) + "\n";
  }
  const size_t streams = toml.find("[streams.logs]");
  const size_t loads = toml.find("[loads.history]");
  ASSERT_LT(streams, loads);
  const std::string only_streams = WriteFile(folder_.file("a.toml"), toml.substr(0, loads));
  const CommandResult stream = RunAmpload({"run", only_streams});
  EXPECT_EQ(stream.exit_code, 2);
  EXPECT_NE(stream.err.find("AMP_TOKEN, which is not set"), std::string::npos) << stream.err;
  const std::string only_loads =
      WriteFile(folder_.file("b.toml"), toml.substr(0, streams) + toml.substr(loads));
  const CommandResult load = RunAmpload({"run", only_loads});
  EXPECT_EQ(load.exit_code, 3);
  EXPECT_NE(load.err.find("history/"), std::string::npos) << load.err;
}

}  // namespace
}  // namespace amp::testing
