// The simulated server, asked by a real Flight client: every rule of the streaming protocol is
// checked on every message, and what a client ends with is what is canonical.

#include "sources/simulated/server.h"

#include <arrow/flight/api.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "amp/testing/asserts.h"
#include "core/text.h"
#include "sources/simulated/chain.h"
#include "unit/simulated_client.h"

namespace amp {
namespace {

using unit::Canonical;
using unit::Connection;
using unit::ExpectSameRows;
using unit::ReferenceClient;
using ServerPtr = std::unique_ptr<SimulatedServer>;

const std::string kLogs = "SELECT * FROM logs";

SimulationOptions Small(uint64_t blocks = 60) {
  SimulationOptions options;
  options.blocks = blocks;
  options.logs_per_block = 3;
  options.transactions_per_block = 2;
  options.reorg_rate = 0;
  return options;
}

/// Options with everything that may happen, in other measures for each seed.
SimulationOptions Wild(uint64_t seed) {
  uint64_t draws = 0;
  const auto draw = [&](uint64_t most) { return Mix(seed * 1000 + ++draws) % (most + 1); };
  const auto rate = [&](double most) { return most * static_cast<double>(draw(4)) / 4; };
  SimulationOptions options = Small(60 + draw(200));
  options.seed = seed;
  options.networks.resize(1 + draw(2));
  for (size_t i = 0; i < options.networks.size(); ++i)
    options.networks[i] = "net" + std::to_string(i);
  options.history = 1 + draw(100);
  options.reorg_rate = rate(0.5);
  options.reorg_depth = 1 + draw(7);
  options.empty_rate = rate(0.8);
  options.microbatch_blocks = 1 + draw(5);
  options.catch_up_blocks = 1 + draw(50);
  options.split = static_cast<int64_t>(1 + draw(9));
  options.keepalive_rate = rate(0.6);
  options.repeat_rate = rate(0.4);
  // A connection mostly lasts for a microbatch: else nothing would ever be complete.
  const double messages = static_cast<double>(options.networks.size() * options.catch_up_blocks *
                                              options.logs_per_block) /
                          static_cast<double>(options.split);
  options.drop_rate = rate(1.0 / (messages + 8));
  options.interrupt_rate = rate(0.2);
  options.shallow_rate = rate(0.5);
  options.rows_on_complete = draw(1) == 0;
  return options;
}

void Add(const ReferenceClient::Counts& counts, ReferenceClient::Counts* sum) {
  sum->messages += counts.messages;
  sum->microbatches += counts.microbatches;
  sum->reorgs += counts.reorgs;
  sum->misfits += counts.misfits;
  sum->cuts += counts.cuts;
  sum->repeats += counts.repeats;
  sum->empty += counts.empty;
  sum->networks_left += counts.networks_left;
}

TEST(SimulatedServer, KeepsTheRulesWhateverHappens) {
  ReferenceClient::Counts sum;
  std::vector<uint64_t> seeds{291, 594};  // once found a gap
  for (uint64_t seed = 1; seed <= 60; ++seed) seeds.push_back(seed);
  for (const uint64_t seed : seeds) {
    const SimulationOptions options = Wild(seed);
    const std::string sql =
        seed % 5 == 0 ? "SELECT * FROM all_transactions" : "SELECT * FROM all_logs";
    SCOPED_TRACE("seed " + std::to_string(seed));
    AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
    ReferenceClient client(sql, *options.blocks - 1);
    AMP_ASSERT_OK(client.Run(server->url()));
    AMP_ASSERT_OK_AND_ASSIGN(const auto rows, client.Rows());
    AMP_ASSERT_OK_AND_ASSIGN(const auto canonical, Canonical(sql, options));
    ExpectSameRows(rows, canonical);
    Add(client.counts(), &sum);
  }
  EXPECT_GT(sum.messages, 20'000);
  EXPECT_GT(sum.reorgs, 500);
  EXPECT_GT(sum.misfits, 200);
  EXPECT_GT(sum.cuts, 200);
  EXPECT_GT(sum.repeats, 500);
  EXPECT_GT(sum.empty, 100);
  EXPECT_GT(sum.networks_left, 100);
}

TEST(SimulatedServer, GivesTheSameRowsToEveryClientAndAfterItsOwnEnd) {
  SimulationOptions options = Wild(3);
  options.reorg_rate = 0.3;
  options.drop_rate = 0.02;
  AMP_ASSERT_OK_AND_ASSIGN(const auto canonical, Canonical("SELECT * FROM all_logs", options));
  ReferenceClient client("SELECT * FROM all_logs", *options.blocks - 1);
  // A server that starts anew is at its first blocks again, until a client knows of later ones.
  for (int64_t messages = 1; !client.done(); messages += 3) {
    AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
    AMP_ASSERT_OK(client.RunFor(server->url(), messages));
  }
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, client.Rows());
  ExpectSameRows(rows, canonical);
}

TEST(SimulatedServer, ServesSeveralClientsAtOnce) {
  SimulationOptions options = Wild(4);
  options.reorg_rate = 0.2;
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  AMP_ASSERT_OK_AND_ASSIGN(const auto canonical, Canonical("SELECT * FROM all_logs", options));
  std::vector<ReferenceClient> clients(4, {"SELECT * FROM all_logs", *options.blocks - 1});
  std::vector<Status> results(clients.size());
  std::vector<std::thread> threads;
  for (size_t i = 0; i < clients.size(); ++i) {
    threads.emplace_back([&, i] { results[i] = clients[i].Run(server->url()); });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < clients.size(); ++i) {
    AMP_ASSERT_OK(results[i]);
    AMP_ASSERT_OK_AND_ASSIGN(const auto rows, clients[i].Rows());
    ExpectSameRows(rows, canonical);
  }
}

TEST(SimulatedServer, GoesOnAfterAnyBlockThatEverWas) {
  SimulationOptions options = Small(80);
  options.reorg_rate = 0.4;
  options.reorg_depth = 6;
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  ReferenceClient client(kLogs, 79);
  AMP_ASSERT_OK(client.Run(server->url()));
  AMP_ASSERT_OK_AND_ASSIGN(Connection connection, Connection::Open(server->url()));
  const SimulatedChain chain(options.seed, "eth", options.reorg_rate, options.reorg_depth);
  int orphans = 0;
  for (const auto& watermark : client.watermarks()) {
    if (watermark.front().end == 79) continue;
    AMP_ASSERT_OK_AND_ASSIGN(const auto reader, connection.Stream(kLogs, watermark));
    AMP_ASSERT_OK_AND_ASSIGN(const auto chunk, reader->Next());
    AMP_ASSERT_OK_AND_ASSIGN(const auto message,
                             unit::ParseMetadata(chunk.data, chunk.app_metadata->ToString()));
    reader->Cancel();
    const BlockRange& range = message.ranges.front();
    const auto block = chain.Find(watermark.front().end, watermark.front().hash);
    ASSERT_TRUE(block.has_value());
    // The last common ancestor, by hash.
    uint64_t ancestor = block->height;
    while (chain.At(ancestor, block->event + 1) != chain.At(ancestor, 80)) --ancestor;
    orphans += ancestor < block->height ? 1 : 0;
    EXPECT_EQ(range.start, ancestor + 1);
    EXPECT_EQ(range.prev_hash, ToText(chain.Hash(chain.At(ancestor, 80))));
  }
  // How many depends on how fast the client was.
  EXPECT_GT(orphans, 0);
}

TEST(SimulatedServer, HasAHistoryThatDoesNotDependOnPace) {
  SimulationOptions options = Small(100);
  options.reorg_rate = 0.3;
  AMP_ASSERT_OK_AND_ASSIGN(const auto once, Canonical(kLogs, options));
  options.microbatch_blocks = 1;
  options.history = 50;
  options.split = 2;
  AMP_ASSERT_OK_AND_ASSIGN(const auto again, Canonical(kLogs, options));
  ExpectSameRows(once, again);
}

TEST(SimulatedServer, AnswersBoundedQueriesFromSeveralEndpoints) {
  SimulationOptions options = Small(50);
  options.history = 50;
  options.networks = {"eth", "base"};
  options.endpoints = 3;
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  AMP_ASSERT_OK_AND_ASSIGN(Connection connection, Connection::Open(server->url()));
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, connection.Ask(kLogs, {}));
  EXPECT_EQ(info->endpoints().size(), 3U);
  for (const char* sql :
       {"SELECT * FROM logs", "SELECT * FROM base.blocks", "SELECT * FROM all_transactions",
        "SELECT log_index, _block_num FROM base.logs WHERE _block_num >= 7 AND block_num <= 11",
        "SELECT * FROM logs WHERE block_num > 10 AND block_num < 5"}) {
    SCOPED_TRACE(sql);
    AMP_ASSERT_OK_AND_ASSIGN(const auto rows, connection.Rows(sql));
    AMP_ASSERT_OK_AND_ASSIGN(const auto canonical, Canonical(sql, options));
    ExpectSameRows(rows, canonical);
  }
  AMP_ASSERT_OK_AND_ASSIGN(const auto few, connection.Rows("SELECT * FROM logs LIMIT 7"));
  EXPECT_EQ(few->num_rows(), 7);
}

TEST(SimulatedServer, StreamsPartOfAChain) {
  SimulationOptions options = Small(100);
  options.reorg_rate = 0.3;
  options.networks = {"eth", "base"};
  const std::string sql = "SELECT * FROM all_logs WHERE block_num >= 20 AND block_num <= 40";
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  ReferenceClient client(sql, 40);
  AMP_ASSERT_OK(client.Run(server->url()));
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, client.Rows());
  AMP_ASSERT_OK_AND_ASSIGN(const auto canonical, Canonical(sql, options));
  ExpectSameRows(rows, canonical);
  EXPECT_EQ(rows->num_rows(), 2 * 21 * 3);
}

TEST(SimulatedServer, EndsAStreamWhereItIsAskedTo) {
  SimulationOptions options = Small(20);
  options.end = true;
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  AMP_ASSERT_OK_AND_ASSIGN(Connection connection, Connection::Open(server->url()));
  EXPECT_FALSE(server->ended());
  AMP_ASSERT_OK_AND_ASSIGN(const auto reader, connection.Stream(kLogs, {}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, reader->ToTable());
  EXPECT_EQ(rows->num_rows(), 60);
  EXPECT_TRUE(server->ended());
}

TEST(SimulatedServer, GrowsByTheClockWhereItIsAskedTo) {
  SimulationOptions options = Small(30);
  options.block_time = std::chrono::milliseconds(10);
  const auto start = std::chrono::steady_clock::now();
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  ReferenceClient client(kLogs, 29);
  AMP_ASSERT_OK(client.Run(server->url()));
  EXPECT_GE(std::chrono::steady_clock::now() - start, std::chrono::milliseconds(280));
}

TEST(SimulatedServer, StopsWithOpenStreams) {
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(Small(5)));
  AMP_ASSERT_OK_AND_ASSIGN(Connection connection, Connection::Open(server->url()));
  AMP_ASSERT_OK_AND_ASSIGN(const auto reader, connection.Stream(kLogs, {}));
  std::thread stop([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(100));
    EXPECT_TRUE(server->Stop().ok());
  });
  const auto rows = reader->ToTable();
  stop.join();
  const auto detail = unit::flight::FlightStatusDetail::UnwrapStatus(rows.status());
  ASSERT_NE(detail, nullptr) << rows.status().ToString();
  EXPECT_EQ(detail->code(), unit::flight::FlightStatusCode::Unavailable);
}

TEST(SimulatedServer, LetsGoOfClientsThatAreGone) {
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(Small(5)));
  AMP_ASSERT_OK_AND_ASSIGN(Connection connection, Connection::Open(server->url()));
  AMP_ASSERT_OK_AND_ASSIGN(const auto reader, connection.Stream(kLogs, {}));
  AMP_ASSERT_OK(reader->Next());
  reader->Cancel();
  const auto start = std::chrono::steady_clock::now();
  AMP_ASSERT_OK(server->Stop());
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(1));
}

// --- what is refused ---

void ExpectCode(const Status& status, unit::flight::FlightStatusCode code) {
  const auto detail = unit::flight::FlightStatusDetail::UnwrapStatus(status);
  ASSERT_NE(detail, nullptr) << status.ToString();
  EXPECT_EQ(detail->code(), code) << status.ToString();
}

TEST(SimulatedServer, AsksForItsToken) {
  SimulationOptions options = Small(20);
  options.tokens = {"first", "second"};
  options.fault = ParseSimulatedFault("expired-token@4").ValueOrDie();
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  AMP_ASSERT_OK_AND_ASSIGN(Connection connection, Connection::Open(server->url()));
  using unit::flight::FlightStatusCode;
  ExpectCode(connection.Stream(kLogs, {}).status(), FlightStatusCode::Unauthenticated);
  ExpectCode(connection.Stream(kLogs, {}, "second").status(), FlightStatusCode::Unauthenticated);
  AMP_ASSERT_OK_AND_ASSIGN(const auto reader, connection.Stream(kLogs, {}, "first"));
  ExpectCode(reader->ToTable().status(), FlightStatusCode::Unauthenticated);
  ExpectCode(connection.Stream(kLogs, {}, "first").status(), FlightStatusCode::Unauthenticated);
  AMP_ASSERT_OK_AND_ASSIGN(const auto again, connection.Stream(kLogs, {}, "second"));
  for (int i = 0; i < 10; ++i) AMP_ASSERT_OK(again->Next());
  again->Cancel();
}

TEST(SimulatedServer, SaysWhatIsWrongWithAQuestion) {
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(Small()));
  AMP_ASSERT_OK_AND_ASSIGN(Connection connection, Connection::Open(server->url()));
  const auto ask = [&](const char* sql, const unit::Headers& headers = {}) {
    return connection.Ask(sql, headers).status();
  };
  EXPECT_TRUE(ask("SELECT * FROM nothing").IsKeyError());
  EXPECT_TRUE(ask("nonsense").IsInvalid());
  EXPECT_TRUE(ask("SELECT nope FROM logs").IsInvalid());
  EXPECT_TRUE(ask("SELECT * FROM logs ORDER BY data", {{"amp-stream", "true"}}).IsInvalid());
  EXPECT_TRUE(ask("SELECT * FROM logs LIMIT 1", {{"amp-stream", "true"}}).IsInvalid());
  const unit::Headers no_json{{"amp-stream", "true"}, {"amp-resume", "nonsense"}};
  EXPECT_TRUE(ask(kLogs.c_str(), no_json).IsInvalid());
  const unit::Headers another{{"amp-stream", "true"},
                              {"amp-resume", R"({"base":{"number":0,"hash":"0x00"}})"}};
  EXPECT_TRUE(ask(kLogs.c_str(), another).IsInvalid());
  const unit::Headers never{{"amp-stream", "true"},
                            {"amp-resume", R"({"eth":{"number":0,"hash":"0x00"}})"}};
  const Status status = ask(kLogs.c_str(), never);
  EXPECT_TRUE(status.IsInvalid());
  EXPECT_NE(status.message().find("never had a block 0"), std::string::npos);
  EXPECT_TRUE(connection.Get({"nonsense"}).status().IsInvalid());
}

TEST(SimulatedServer, SaysThatItsPortIsInUse) {
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(Small()));
  SimulationOptions options = Small();
  options.port = server->port();
  AMP_EXPECT_ERROR(SimulatedServer::Start(options), ErrorKind::kConfigInvalid, "in use");
}

TEST(SimulatedServer, SpeaksTls) {
  const auto folder =
      std::filesystem::temp_directory_path() / ("ampload-tls-" + std::to_string(::getpid()));
  std::filesystem::create_directories(folder);
  SimulationOptions options = Small(10);
  options.tls_cert = (folder / "cert.pem").string();
  options.tls_key = (folder / "key.pem").string();
  const std::string command =
      "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext "
      "subjectAltName=IP:127.0.0.1 -keyout '" +
      options.tls_key + "' -out '" + options.tls_cert + "' 2>/dev/null";
  ASSERT_EQ(std::system(command.c_str()), 0);
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  EXPECT_TRUE(server->url().starts_with("grpc+tls://"));
  unit::flight::FlightClientOptions tls;
  AMP_ASSERT_OK_AND_ASSIGN(tls.tls_root_certs, ReadTextFile(options.tls_cert));
  AMP_ASSERT_OK_AND_ASSIGN(Connection connection, Connection::Open(server->url(), tls));
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, connection.Rows("SELECT * FROM logs"));
  EXPECT_EQ(rows->num_rows(), 3);
  AMP_ASSERT_OK_AND_ASSIGN(Connection distrustful, Connection::Open(server->url()));
  EXPECT_FALSE(distrustful.Rows("SELECT * FROM logs").ok());
  std::filesystem::remove_all(folder);
}

// --- faults ---

class SimulatedFaults : public ::testing::TestWithParam<std::pair<const char*, const char*>> {};

TEST_P(SimulatedFaults, BreakOneRuleAfterGoodMicrobatches) {
  const auto [fault, complaint] = GetParam();
  SimulationOptions options = Small(40);
  options.microbatch_blocks = 3;
  AMP_ASSERT_OK_AND_ASSIGN(options.fault, ParseSimulatedFault(std::string(fault) + "@9"));
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  ReferenceClient client(kLogs, 39);
  const Status status = client.Run(server->url());
  ASSERT_FALSE(status.ok()) << fault;
  EXPECT_NE(status.ToString().find(complaint), std::string::npos) << status.ToString();
  EXPECT_GE(client.counts().messages, 8);
  EXPECT_GE(client.counts().microbatches, 2);
}

INSTANTIATE_TEST_SUITE_P(
    All, SimulatedFaults,
    ::testing::Values(std::pair{"gap", "a gap"}, std::pair{"wrong-prev-hash", "another prev_hash"},
                      std::pair{"reorg-with-same-hash", "reorg with the same hash"},
                      std::pair{"two-ranges-one-network", "a network twice"},
                      std::pair{"network-set-changes", "another set of networks"},
                      std::pair{"bad-json", "bad metadata"},
                      std::pair{"no-metadata", "without metadata"},
                      std::pair{"missing-prev-hash", "prev_hash is missing"},
                      std::pair{"end-before-start", "end before start"},
                      std::pair{"incomplete-microbatch", "without its end"},
                      std::pair{"schema-change", "not RecordBatch"},
                      std::pair{"expired-token", "token"}),
    [](const auto& test) {
      std::string name = test.param.first;
      std::replace(name.begin(), name.end(), '-', '_');
      return name;
    });

TEST(SimulatedServer, HasNoTablesAtFirstWhereAskedTo) {
  SimulationOptions options = Small(10);
  AMP_ASSERT_OK_AND_ASSIGN(options.fault, ParseSimulatedFault("no-tables@2"));
  AMP_ASSERT_OK_AND_ASSIGN(const ServerPtr server, SimulatedServer::Start(options));
  AMP_ASSERT_OK_AND_ASSIGN(Connection connection, Connection::Open(server->url()));
  for (int i = 0; i < 2; ++i) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto reader, connection.Stream(kLogs, {}));
    AMP_ASSERT_OK_AND_ASSIGN(const auto chunk, reader->Next());
    EXPECT_TRUE(chunk.app_metadata->ToString().starts_with(R"({"ranges":[],)"));
    EXPECT_EQ(chunk.data->num_rows(), 0);
    AMP_ASSERT_OK_AND_ASSIGN(const auto end, reader->Next());
    EXPECT_EQ(end.data, nullptr);
  }
  ReferenceClient client(kLogs, 9);
  AMP_ASSERT_OK(client.Run(server->url()));
}

}  // namespace
}  // namespace amp
