// `ampload stream` through the command, where PostgreSQL has a part in it.

#include <nlohmann/json.hpp>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "cli/ampload_process.h"
#include "conformance/postgres_client.h"
#include "crash/scenario.h"

namespace amp::testing {
namespace {

class PostgreSQLStreamCli : public ::testing::Test {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(url_, ServerUrl("postgresql"));
    AMP_ASSERT_OK_AND_ASSIGN(client_, PostgresClient::Connect(url_));
    options_.blocks = 40;
    options_.reorg_rate = 0;
    options_.logs_per_block = 2;
    Reset();
  }
  void TearDown() override { Reset(); }
  void Reset() { EXPECT_EQ(Run({"reset", "--to", url_, "--table", table_, "--yes"}).exit_code, 0); }
  static CommandResult Run(const std::vector<std::string>& words) {
    return AmploadProcess(words).Finish(std::chrono::seconds(30));
  }
  CommandResult Stream(const std::string& from, const std::string& to,
                       std::vector<std::string> more = {}) {
    std::vector<std::string> words{
        "stream",  "--from", from, "--to", to, "--table", table_, "--query", "SELECT * FROM logs",
        "--until", "39"};
    for (const char* set : {"retry_delay=10ms", "retry_max_delay=20ms", "retry_tries=3"}) {
      more.insert(more.end(), {"--set", set});
    }
    words.insert(words.end(), more.begin(), more.end());
    return Run(words);
  }
  static void ExpectError(const CommandResult& result, int code, const std::string& words) {
    EXPECT_EQ(result.exit_code, code) << result.out << result.err;
    EXPECT_NE(result.err.find(words), std::string::npos)
        << "'" << words << "' is not in: " << result.err;
  }
  std::string Value(const std::string& sql) { return client_->Value(sql).ValueOr("failed"); }

  std::string url_;
  std::optional<PostgresClient> client_;
  SimulationOptions options_;
  const std::string table_ = "stream_cli_rows";
};

TEST_F(PostgreSQLStreamCli, AnUnreachableTargetIsGivenUp) {
  const AmpServer server(options_);
  AMP_ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  const CommandResult result =
      Stream(server.url(), "postgresql://u:hidden@127.0.0.1:" + std::to_string(port) + "/x",
             {"--output", "json"});
  ExpectError(result, 4, "cannot connect to PostgreSQL");
  EXPECT_EQ(Occurrences(result.out, R"("event":"retry")"), 2);
  EXPECT_EQ((result.out + result.err).find("hidden"), std::string::npos);
}

TEST_F(PostgreSQLStreamCli, ATableThatIsGoneBehindTheCheckpointIsNotMadeAgain) {
  const AmpServer server(options_);
  ASSERT_EQ(Stream(server.url(), url_).exit_code, 0);
  EXPECT_EQ(Value("SELECT count(*) || ' ' || count(DISTINCT (_block_num, log_index)) || ' ' || "
                  "sum(_block_num) FROM stream_cli_rows"),
            "80 80 1560");
  AMP_ASSERT_OK(client_->Query("DROP TABLE stream_cli_rows"));
  const CommandResult gone = Stream(server.url(), url_);
  EXPECT_NE(gone.exit_code, 0);
  EXPECT_NE(gone.err.find("ampload reset"), std::string::npos) << gone.err;
  EXPECT_EQ(Value("SELECT to_regclass('stream_cli_rows') IS NULL"), "t");
  Reset();
  ASSERT_EQ(Stream(server.url(), url_).exit_code, 0);
  EXPECT_EQ(Value("SELECT count(*) FROM stream_cli_rows"), "80");
}

TEST_F(PostgreSQLStreamCli, ATableOfSomeoneElseIsAdoptedOnlyWhenAsked) {
  const AmpServer server(options_);
  const TemporaryFolder folder;
  SimulationOptions few = options_;
  few.blocks = 3;
  AMP_ASSERT_OK(WriteCanonicalRows("SELECT * FROM logs", few, folder.file("few.parquet")).status());
  ASSERT_EQ(Run({"load", "--from", folder.file("few.parquet"), "--to", url_, "--table", table_})
                .exit_code,
            0);
  ExpectError(Stream(server.url(), url_), 5, "--adopt");
  EXPECT_EQ(Value("SELECT count(*) FROM stream_cli_rows"), "6");
  const CommandResult adopted = Stream(server.url(), url_, {"--adopt"});
  EXPECT_EQ(adopted.exit_code, 0) << adopted.err;
  EXPECT_EQ(Value("SELECT count(*) || ' ' || count(_amp_batch_id) FROM stream_cli_rows"), "86 80");
}

TEST_F(PostgreSQLStreamCli, UndoInAnUpsertTableBringsBackWhatWasReplaced) {
  const AmpServer server(options_);
  const std::vector<std::string> upsert{"--mode", "upsert", "--key", "_block_num,log_index"};
  ASSERT_EQ(Stream(server.url(), url_, upsert).exit_code, 0);
  const CommandResult undone = Run({"undo", "--to", url_, "--table", table_, "--network", "eth",
                                    "--from-block", "20", "--output", "json"});
  ASSERT_EQ(undone.exit_code, 0) << undone.err;
  const int64_t last = nlohmann::json::parse(undone.out)["checkpoint"]["eth"]["number"];
  EXPECT_EQ(Value("SELECT max(_block_num) FROM stream_cli_rows"), std::to_string(last));
  ASSERT_EQ(Stream(server.url(), url_, upsert).exit_code, 0);
  EXPECT_EQ(Value("SELECT count(*) || ' ' || count(DISTINCT (_block_num, log_index)) || ' ' || "
                  "sum(_block_num) FROM stream_cli_rows"),
            "80 80 1560");
}

}  // namespace
}  // namespace amp::testing
