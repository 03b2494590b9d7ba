// Streams into Delta tables through the command: what check and info say; maintenance between runs.

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "amp/testing/servers.h"
#include "cli/run_ampload.h"
#include "sources/simulated/server.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;

class DeltaStreamCli : public ::testing::Test {
 protected:
  void SetUp() override {
    SimulationOptions options;
    options.blocks = 400;
    options.reorg_rate = 0.05;
    options.microbatch_blocks = 2;
    server_ = SimulatedServer::Start(options).ValueOrDie();
  }
  CommandResult Run(std::vector<std::string> words, const std::vector<std::string>& more = {}) {
    words.insert(words.end(), {"--table", "t"});
    words.insert(words.end(), more.begin(), more.end());
    return RunAmpload(words, {.directory = folder_.path()});
  }
  std::vector<std::string> Asking(const std::string& command) {
    return {command, "--from", server_->url(), "--query", "SELECT * FROM logs"};
  }
  /// A commit a microbatch.
  void Stream(const std::string& until) {
    const CommandResult result =
        Run(Asking("stream"), {"--until", until, "--set", "commit_rows=1"});
    EXPECT_EQ(result.exit_code, 0) << result.err;
  }
  void ExpectEqual() {
    const CommandResult verify = Run(Asking("verify"));
    EXPECT_EQ(verify.exit_code, 0) << verify.out << verify.err;
  }
  size_t States() const {
    size_t count = 0;
    const std::string states = folder_.file("amp-data/t/_delta_log/_ampload/main");
    for (const auto& entry : std::filesystem::directory_iterator(states)) {
      if (!entry.path().filename().string().starts_with("batches-")) ++count;
    }
    return count;
  }

  TemporaryFolder folder_;
  std::unique_ptr<SimulatedServer> server_;
};

TEST_F(DeltaStreamCli, CheckAndInfo) {
  const CommandResult check = Run(Asking("check"));
  EXPECT_EQ(check.exit_code, 0) << check.err;
  EXPECT_NE(check.out.find("_amp_batch_id"), std::string::npos) << check.out;
  EXPECT_NE(check.out.find("checked: whole microseconds"), std::string::npos) << check.out;
  EXPECT_FALSE(std::filesystem::exists(folder_.file("amp-data")));
  Stream("49");
  const CommandResult info = Run({"info"});
  for (const char* part : {"version", "main", "  eth ", "SELECT * FROM logs"}) {
    EXPECT_NE(info.out.find(part), std::string::npos) << info.out;
  }
  EXPECT_EQ(Run(Asking("check")).exit_code, 0);
}

TEST_F(DeltaStreamCli, CheckRefusesATableThatWasNotMadeForStreams) {
  const std::string file = WriteFile(folder_.file("rows.csv"), "a\n1\n");
  ASSERT_EQ(Run({"load", "--from", file}).exit_code, 0);
  const CommandResult check = Run(Asking("check"));
  EXPECT_EQ(check.exit_code, 5);
  EXPECT_NE(check.err.find("--adopt"), std::string::npos) << check.err;
}

TEST_F(DeltaStreamCli, MaintenanceBetweenRuns) {
  Stream("199");
  const size_t before = States();
  const CommandResult first =
      Run({"maintain"}, {"--retention", "0s", "--force", "--output", "json"});
  ASSERT_EQ(first.exit_code, 0) << first.err;
  EXPECT_EQ(Json::parse(first.out)["checkpoint_written"].is_boolean(), true);
  EXPECT_LE(States(), before);
  EXPECT_LE(States(), 66U) << "states of old revisions are gone";
  Stream("caught-up");
  const CommandResult second = Run({"maintain"}, {"--retention", "0s", "--force"});
  ASSERT_EQ(second.exit_code, 0) << second.err;
  ExpectEqual();
  // Back to a block whose batches were final long ago, and on from there.
  const CommandResult undo = Run({"undo"}, {"--network", "eth", "--from-block", "100"});
  ASSERT_EQ(undo.exit_code, 0) << undo.err;
  ASSERT_EQ(Run({"maintain"}, {"--retention", "0s", "--force"}).exit_code, 0);
  Stream("caught-up");
  ExpectEqual();
}

}  // namespace
}  // namespace amp::testing
