// What `ampload stream` and `run` tell while and after they work: events, info, metrics, logs.

#include <cstdlib>

#include "cli/stream_cli_fixture.h"
#include "core/text.h"

namespace amp::testing {
namespace {

TEST_F(StreamCli, CaughtUpIsAnEnd) {
  const AmpServer server(QuietChain());
  const CommandResult result =
      Run(Stream(server.url(), Logs(), {"--until", "caught-up", "--idle", "300ms"}));
  EXPECT_EQ(result.exit_code, 0) << result.err;
  EXPECT_EQ(ExpectPrefix(), kBlocks - 1);
}

TEST_F(StreamCli, EventsAndInfoAsJson) {
  SimulationOptions options = QuietChain();
  options.reorg_rate = 0.2;
  options.drop_rate = 0.05;
  const AmpServer server(options);
  const CommandResult result =
      Follow(server.url(), {"--output", "json", "--set", "retry_tries=100"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  std::set<std::string> events;
  for (const Json& line : JsonLines(result.out)) {
    const std::string event = line["event"];
    events.insert(event);
    EXPECT_EQ(line["table_name"], "t");
    if (event == "commit") {
      for (const char* key : {"rows", "sequence", "checkpoint", "lag_seconds", "latency_ms"}) {
        EXPECT_TRUE(line.contains(key)) << key;
      }
    } else if (event == "reorg") {
      EXPECT_TRUE(line["orphaned"][0].contains("start")) << line;
      EXPECT_GE(line["rows_removed"], 0);
    } else if (event == "retry") {
      EXPECT_EQ(line["kind"], "Unavailable");
    } else if (event == "done") {
      EXPECT_EQ(line["success"], true);
    }
  }
  EXPECT_EQ(events, (std::set<std::string>{"connected", "commit", "reorg", "retry", "done"}));
  const Json stream = Info()["streams"]["main"];
  EXPECT_EQ(stream["checkpoint"]["eth"]["number"], kBlocks - 1);
  EXPECT_EQ(stream["checkpoint"]["eth"]["hash"].get<std::string>().size(), 66U);
  EXPECT_TRUE(stream["lag_seconds"].is_number());
}

TEST_F(StreamCli, AFileOfStreamsAndLoads) {
  const AmpServer server(QuietChain());
  const std::string rows = folder_.file("rows.parquet");
  AMP_ASSERT_OK(WriteCanonicalRows("SELECT * FROM logs", QuietChain(), rows).status());
  const std::string end = std::to_string(kBlocks - 1);
  WriteFile(folder_.file("all.toml"),
            "[sources.amp]\nurl = \"" + server.url() + "\"\n[targets.here]\nurl = \"lmdb:./db\"\n" +
                "[streams.logs]\nfrom = \"amp\"\nto = \"here\"\nquery = \"SELECT * FROM logs\"\n" +
                "until = \"" + end + "\"\n[streams.blocks]\nfrom = \"amp\"\nto = \"here\"\n" +
                "query = \"SELECT * FROM blocks\"\nuntil = \"" + end +
                "\"\nmode = \"upsert\"\nkey = [\"_block_num\"]\n" +
                "[loads.files]\nfrom = [\"rows.parquet\"]\nto = \"here\"\n");
  const CommandResult result = Run({"run", "all.toml", "--output", "json"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const auto& [table, count] : {std::pair<std::string, uint64_t>("logs", kBlocks * kLogs),
                                     {"files", kBlocks * kLogs},
                                     {"blocks", kBlocks}}) {
    const Json info =
        Json::parse(Run({"info", "--to", "lmdb:./db", "--table", table, "--output", "json"}).out);
    EXPECT_EQ(info["row_count"], count) << table;
  }
}

/// What an HTTP GET answers; "" where nothing does.
std::string Get(int port, const std::string& path) {
  const TemporaryFolder folder;
  const std::string command =
      "exec 3<>/dev/tcp/127.0.0.1/" + std::to_string(port) + " && printf 'GET " + path +
      " HTTP/1.0\\r\\n\\r\\n' >&3 && cat <&3 >'" + folder.file("answer") + "'";
  if (std::system(("bash -c \"" + command + "\" 2>/dev/null").c_str()) != 0) return {};  // NOLINT
  return ReadTextFile(folder.file("answer")).ValueOr("");
}

TEST_F(StreamCli, MetricsWhileItRuns) {
  AMP_ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  const AmpServer server(QuietChain());
  AmploadProcess process(
      Stream(server.url(),
             Logs() + Words{"--to", "lmdb:" + folder_.file("db"), "--metrics",
                            "127.0.0.1:" + std::to_string(port), "--output", "json"},
             {}));
  const std::string last = "\"number\":" + std::to_string(kBlocks - 1);
  ASSERT_TRUE(process.WaitForOutput(last)) << process.err();
  const std::string metrics = Get(port, "/metrics");
  EXPECT_NE(metrics.find("ampload_rows_total{"), std::string::npos) << metrics;
  EXPECT_NE(Get(port, "/readyz").find("200 OK"), std::string::npos) << Get(port, "/readyz");
  EXPECT_NE(Get(port, "/healthz").find("200 OK"), std::string::npos);
  process.Signal(SIGTERM);
  EXPECT_EQ(process.Wait(), 0);
}

TEST_F(StreamCli, LogsAsJson) {
  SimulationOptions options = QuietChain();
  options.drop_rate = 0.05;
  const AmpServer server(options);
  const CommandResult result =
      Follow(server.url(), {"--log-format", "json", "-v", "--set", "retry_tries=100"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  const auto lines = JsonLines(result.err);
  EXPECT_FALSE(lines.empty());
  for (const Json& line : lines) EXPECT_TRUE(line.contains("message")) << line;
}

}  // namespace
}  // namespace amp::testing
