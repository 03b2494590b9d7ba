// `ampload stream` through the command: what is refused, and that nothing wrong is stored.

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <set>

#include "cli/stream_cli_fixture.h"

namespace amp::testing {
namespace {

struct Fault {
  std::string name;
  int exit_code;
  std::string words;
};

class StreamFault : public StreamCli, public ::testing::WithParamInterface<Fault> {};

TEST_P(StreamFault, KeepsWhatWasCompleteAndGoesNoFurther) {
  const AmpServer server(QuietChain(), {"--fault", GetParam().name + "@10"});
  const CommandResult result = Follow(server.url(), {"--output", "json"});
  ExpectError(result, GetParam().exit_code, GetParam().words);
  EXPECT_EQ(Occurrences(result.out, R"("event":"retry")"), 0) << "no reconnect cures it";
  EXPECT_GT(ExpectPrefix(), 0U);
}

std::vector<Fault> Faults() {
  return {{"gap", 3, "a gap"},
          {"wrong-prev-hash", 3, "of another chain"},
          {"reorg-with-same-hash", 3, "which goes back and yet names its last block"},
          {"two-ranges-one-network", 3, "two ranges of network 'eth'"},
          {"network-set-changes", 3, "the stream has the networks of (eth"},
          {"bad-json", 3, "it is no JSON"},
          {"no-metadata", 3, "without app_metadata"},
          {"missing-prev-hash", 3, "prev_hash is missing"},
          {"end-before-start", 3, "before its start"},
          {"incomplete-microbatch", 3, "is not complete"},
          {"schema-change", 5, "'_another_name'"}};
}

INSTANTIATE_TEST_SUITE_P(LMDB, StreamFault, ::testing::ValuesIn(Faults()), [](const auto& fault) {
  std::string name = fault.param.name;
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
});

TEST(StreamFaults, AllOfTheSimulatorAreTried) {
  std::set<std::string> tried{"no-tables", "expired-token"};  // below
  for (const Fault& fault : Faults()) tried.insert(fault.name);
  for (const std::string& name : SimulatedFaultNames()) EXPECT_TRUE(tried.contains(name)) << name;
}

TEST_F(StreamCli, ASourceWithoutTablesYetIsAskedAgain) {
  const AmpServer never(QuietChain(), {"--fault", "no-tables@1000"});
  ExpectError(Follow(never.url()), 3, "the source ended the stream");
  EXPECT_LE(Rows(), 0);
  const AmpServer later(QuietChain(), {"--fault", "no-tables@2"});
  const CommandResult result = Follow(later.url());
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(ExpectPrefix(), kBlocks - 1);
}

TEST_F(StreamCli, AnExpiredTokenEndsItUnlessTheFileHasANewOne) {
  const Words faulty{"--fault",      "expired-token@20", "--token",
                     "first-secret", "--token",          "second-secret"};
  {
    const AmpServer server(QuietChain(), faulty);
    const CommandResult result =
        Follow(server.url(), {"--source-set", "token=first-secret", "-vv"});
    ExpectError(result, 3, "the token has expired");
    EXPECT_EQ((result.out + result.err).find("first-secret"), std::string::npos);
    EXPECT_GT(ExpectPrefix(), 0U);
  }
  // The file's token is replaced while the stream runs.
  SimulationOptions slow = QuietChain();
  slow.block_time = std::chrono::milliseconds(20);
  const AmpServer server(slow, faulty);
  WriteFile(folder_.file("token"), "first-secret\n");
  AmploadProcess process(
      Stream(server.url(), Logs() + Words{"--output", "json", "--to", "lmdb:" + folder_.file("two"),
                                          "--source-set", "token_file=" + folder_.file("token")}));
  ASSERT_TRUE(process.WaitForOutput(R"("event":"connected")"));
  WriteFile(folder_.file("token"), "second-secret\n");
  const CommandResult result = process.Finish();
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ((result.out + result.err).find("-secret"), std::string::npos);
}

TEST_F(StreamCli, TokensAreAskedForAndNeverShown) {
  const AmpServer server(QuietChain(), {"--token", "right-secret"});
  for (const Words& more :
       {Words{"-vv"}, Words{"-vv", "--output", "json"}, Words{"-vv", "--log-format", "json"}}) {
    const CommandResult wrong =
        Follow(server.url(), more + Words{"--source-set", "token=wrong-secret"});
    ExpectError(wrong, 3, "the token is missing or wrong");
    EXPECT_EQ((wrong.out + wrong.err).find("wrong-secret"), std::string::npos);
  }
  ExpectError(Follow(server.url()), 3, "no token was sent");
  EXPECT_EQ(Rows(), -1);
  const CommandResult right = Follow(server.url(), {"--source-set", "token=right-secret", "-vv"});
  EXPECT_EQ(right.exit_code, 0) << right.err;
  EXPECT_EQ((right.out + right.err).find("right-secret"), std::string::npos);
}

TEST_F(StreamCli, TlsOnOneSideOnly) {
  const AmpServer plain(QuietChain());
  std::string tls_url = plain.url();
  tls_url.insert(tls_url.find(':'), "+tls");
  ExpectError(Follow(tls_url), 3, "write grpc:// where it speaks no TLS");
  const std::string key = folder_.file("key.pem");
  const std::string cert = folder_.file("cert.pem");
  const std::string make =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost "
      "-addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout '" +
      key + "' -out '" + cert + "' 2>/dev/null";
  ASSERT_EQ(std::system(make.c_str()), 0);  // NOLINT: no input of a user's
  const AmpServer tls(QuietChain(), {"--tls-cert", cert, "--tls-key", key});
  ExpectError(Follow(tls.url()), 3, "grpc+tls://");
  tls_url = tls.url();
  tls_url.insert(tls_url.find(':'), "+tls");
  ExpectError(Follow(tls_url), 3, "tls_root_certs");
  EXPECT_EQ(Rows(), -1);
  const CommandResult good = Follow(tls_url, {"--source-set", "tls_root_certs=" + cert});
  EXPECT_EQ(good.exit_code, 0) << good.err;
}

TEST_F(StreamCli, UnreachableSidesAreGivenUpAfterSoManyTries) {
  AMP_ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  const CommandResult source =
      Follow("grpc://127.0.0.1:" + std::to_string(port), {"--output", "json"});
  ExpectError(source, 3, "does not answer");
  EXPECT_EQ(Occurrences(source.out, R"("event":"retry")"), 2) << source.out;
  const AmpServer server(QuietChain());
  ExpectError(Follow(server.url(), {"--to", "lmdb:" + WriteFile(folder_.file("f"), "") + "/db"}), 4,
              "LMDB");
}

TEST_F(StreamCli, UsageErrors) {
  const std::string nowhere = "grpc://127.0.0.1:1";
  ExpectError(Run(Stream(nowhere, Logs(), {"--until", "soon"})), 2, "--until soon");
  ExpectError(Run(Stream(nowhere, Logs(), {"--until", "-1"})), 2, "--until");
  ExpectError(Follow(nowhere, {"--idle", "soon"}), 2, "--idle soon");
  ExpectError(Follow(nowhere, {"--mode", "overwrite"}), 2, "--mode overwrite");
  ExpectError(Follow(nowhere, {"--mode", "sometimes"}), 2, "sometimes");
  ExpectError(Follow(nowhere, {"--max-undo", "-5"}), 2, "must not be negative");
  ExpectError(Follow(nowhere, {"--source-set", "tokn=x"}), 2, "token");
  ExpectError(Run(Stream(nowhere, {"--query", ""})), 2, "--query");
  ExpectError(Follow("localhost:1602"), 2, "--from localhost:1602");
  ExpectError(Run({"stream", "--from", nowhere, "--table", "t"}), 2, "--query is required");
  EXPECT_EQ(Rows(), -1);
}

TEST_F(StreamCli, QueriesThatAreRefused) {
  const AmpServer server(QuietChain());
  ExpectError(Run(Stream(server.url(), {"--query", "SELECT count(*) FROM logs"})), 3,
              "refuses the query");
  ExpectError(Run(Stream(server.url(), {"--query", "SELECT * FROM nothing"})), 3,
              "no table 'nothing'");
  ExpectError(Follow(server.url(), {"--mode", "upsert"}), 2, "--key");
  EXPECT_EQ(Rows(), -1);
}

TEST_F(StreamCli, AnotherQueryIsRefusedUnlessAccepted) {
  SimulationOptions two = QuietChain();
  two.networks = {"eth", "base"};
  const AmpServer server(two);
  ASSERT_EQ(Run(Stream(server.url(), Logs(), {"--until", "20"})).exit_code, 0);
  const Json before = Info();
  const std::string longer = "SELECT * FROM logs WHERE _block_num >= 0";
  for (const std::string& query : {longer, std::string("SELECT * FROM blocks")}) {
    const CommandResult other = Run(Stream(server.url(), {"--query", query}));
    ExpectError(other, 2, "--stream NAME");
    ExpectError(other, 2, "--accept-query");
  }
  ExpectError(Run(Stream(server.url(), {"--query", "SELECT * FROM base.logs", "--accept-query"})),
              3, "eth");
  Json after = Info();
  EXPECT_EQ(after["row_count"], before["row_count"]);
  EXPECT_EQ(after["streams"]["main"]["checkpoint"], before["streams"]["main"]["checkpoint"]);
  // White space is no change.
  EXPECT_EQ(Run(Stream(server.url(), {"--query", " SELECT *\n FROM  logs "}, {"--until", "30"}))
                .exit_code,
            0);
  const CommandResult accepted = Run(Stream(server.url(), {"--query", longer, "--accept-query"}));
  EXPECT_EQ(accepted.exit_code, 0) << accepted.err;
  EXPECT_EQ(Info()["streams"]["main"]["query"], longer);
  // Another network is a stream of its own.
  EXPECT_EQ(Run(Stream(server.url(), {"--query", "SELECT * FROM base.logs", "--stream", "base"}))
                .exit_code,
            0);
  EXPECT_EQ(Rows(), static_cast<int64_t>(2 * kBlocks * kLogs));
}

TEST_F(StreamCli, ATableThatWasNotMadeForStreamsIsAdopted) {
  const AmpServer server(QuietChain());
  SimulationOptions few = QuietChain();
  few.blocks = 4;
  const std::string file = folder_.file("few.parquet");
  AMP_ASSERT_OK(WriteCanonicalRows("SELECT * FROM logs", few, file).status());
  ASSERT_EQ(Run({"load", "--from", file, "--table", "t"}).exit_code, 0);
  ExpectError(Follow(server.url()), 5, "--adopt");
  EXPECT_EQ(Rows(), static_cast<int64_t>(4 * kLogs));
  const CommandResult adopted = Follow(server.url(), {"--adopt"});
  EXPECT_EQ(adopted.exit_code, 0) << adopted.err;
  EXPECT_EQ(Rows(), static_cast<int64_t>((4 + kBlocks) * kLogs));
  ASSERT_EQ(Run({"undo", "--table", "t", "--network", "eth", "--from-block", "0"}).exit_code, 0);
  EXPECT_EQ(Rows(), static_cast<int64_t>(4 * kLogs)) << "rows of no stream are never undone";
}

TEST_F(StreamCli, UndoAndResetAndGoOn) {
  const AmpServer server(QuietChain());
  ASSERT_EQ(Follow(server.url()).exit_code, 0);
  ExpectError(Run({"undo", "--table", "t", "--network", "mars", "--from-block", "5"}), 4, "eth");
  const CommandResult undone =
      Run({"undo", "--table", "t", "--network", "eth", "--from-block", "30", "--output", "json"});
  ASSERT_EQ(undone.exit_code, 0) << undone.err;
  EXPECT_LT(Json::parse(undone.out)["checkpoint"]["eth"]["number"], 30);
  EXPECT_LT(ExpectPrefix(), 30U);
  ASSERT_EQ(Follow(server.url()).exit_code, 0);
  EXPECT_EQ(ExpectPrefix(), kBlocks - 1);
  ExpectError(Run({"reset", "--table", "t"}), 2, "--yes");
  EXPECT_EQ(Rows(), static_cast<int64_t>(kBlocks * kLogs));
  ASSERT_EQ(Run({"reset", "--table", "t", "--yes"}).exit_code, 0);
  EXPECT_EQ(Rows(), -1);
  ASSERT_EQ(Follow(server.url()).exit_code, 0);
  EXPECT_EQ(ExpectPrefix(), kBlocks - 1);
}

TEST_F(StreamCli, AReorgThatIsTooDeepPrintsTheCommandThatGoesOn) {
  Scenario scenario{.name = "deep", .options = QuietChain()};
  scenario.options.reorg_rate = 0.2;
  scenario.options.reorg_depth = 6;
  scenario.options.seed = 5;
  const AmpServer server(scenario.options);
  int refused = 0;
  CommandResult result;
  for (; refused < 30; ++refused) {
    result = Follow(server.url(), {"--max-undo", "2"});
    if (result.exit_code != 6) break;
    const size_t at = result.err.find("ampload undo ");
    ASSERT_NE(at, std::string::npos) << result.err;
    std::string command = result.err.substr(at, result.err.find('\n', at) - at);
    command = std::string(AMPLOAD_BINARY) + command.substr(std::string("ampload").size());
    command = "cd '" + folder_.path() + "' && " + command + " >/dev/null";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;  // NOLINT: as a user would paste it
  }
  EXPECT_GT(refused, 0);
  EXPECT_EQ(result.exit_code, 0) << result.err;
  const std::string file = folder_.file("all.parquet");
  AMP_ASSERT_OK(WriteCanonicalRows(scenario.sql, scenario.options, file).status());
  const CommandResult equal = Run({"verify", "--from", file, "--table", "t"});
  EXPECT_EQ(equal.exit_code, 0) << equal.err;
}

}  // namespace
}  // namespace amp::testing
