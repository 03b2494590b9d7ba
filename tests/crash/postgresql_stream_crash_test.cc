// `ampload stream` into PostgreSQL, killed and cut off; and a server that is stopped and started.

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "conformance/postgres_client.h"
#include "crash/stream_crash.h"

namespace amp::testing {
namespace {

// A column as a line of the canonical rows has it.
std::string Cell(const arrow::Field& field) {
  const std::string name = PostgresClient::Quote(field.name());
  std::string text = name + "::text";
  if (field.type()->id() == arrow::Type::TIMESTAMP) {
    text = fmt::format("(extract(epoch from {}) * 1000000)::int8 || '000'", name);
  } else if (field.type()->id() == arrow::Type::FIXED_SIZE_BINARY ||
             field.type()->id() == arrow::Type::BINARY) {
    text = fmt::format("encode({}, 'hex')", name);
  }
  return fmt::format("coalesce({}, '\\N')", text);
}

class PostgresCrashTarget final : public CrashTarget {
 public:
  explicit PostgresCrashTarget(std::string url) : url_(std::move(url)) {}
  std::string url() const override { return url_; }
  std::string loader() const override { return "postgresql"; }
  Result<Lines> Read(const std::string& table, const arrow::Schema& schema) override {
    std::string cells;
    for (const auto& field : schema.fields()) {
      cells += (cells.empty() ? "" : " || '|' || ") + Cell(*field);
    }
    ARROW_ASSIGN_OR_RAISE(PostgresClient client, PostgresClient::Connect(url_));
    ARROW_ASSIGN_OR_RAISE(const auto rows,
                          client.Query(fmt::format("SELECT {} AS line FROM {}", cells,
                                                   PostgresClient::Quote(table))));
    Lines lines;
    for (const auto& row : rows) lines.push_back(*row.at("line"));
    std::sort(lines.begin(), lines.end());
    return lines;
  }

 private:
  std::string url_;
};

Result<std::unique_ptr<CrashTarget>> Make() {
  ARROW_ASSIGN_OR_RAISE(std::string url, ServerUrl("postgresql"));
  return std::make_unique<PostgresCrashTarget>(std::move(url));
}

/// A server of this test's own, as the shared one must not be stopped.
std::optional<PostgresServer>& OwnServer() {
  static std::optional<PostgresServer> server;
  return server;
}

Result<std::unique_ptr<CrashTarget>> MakeOwn() {
  ARROW_ASSIGN_OR_RAISE(OwnServer(), PostgresServer::Start());
  ARROW_ASSIGN_OR_RAISE(std::string url, OwnServer()->Url());
  return std::make_unique<PostgresCrashTarget>(std::move(url));
}

class PostgreSQLStreamServer : public CrashFixture {
 protected:
  void SetUp() override { SetUpAt(&MakeOwn); }
  void TearDown() override {
    target_.reset();
    if (OwnServer()) AMP_ASSERT_OK(OwnServer()->Stop());
  }
};

TEST_F(PostgreSQLStreamServer, StoppedAndStartedWhileAStreamRuns) {
  const Scenario scenario{.name = "stopped", .options = RestlessChain(seed_, 3000)};
  SCOPED_TRACE(fmt::format("AMPLOAD_CRASH_SEED={}", seed_));
  const AmpServer server(scenario.options);
  AmploadProcess process(
      Stream(scenario, server, {"--until", std::to_string(*scenario.options.blocks - 1)}));
  for (const char* how : {"immediate", "fast", "immediate", "fast"}) {
    const int commits = Occurrences(process.out(), R"("event":"commit")");
    ASSERT_TRUE(process.WaitForOutput(R"("event":"commit")", commits + 2)) << process.err();
    RandomPause();
    AMP_ASSERT_OK(OwnServer()->Halt(how));
    RandomPause();
    ASSERT_TRUE(process.running()) << process.err();
    AMP_ASSERT_OK(OwnServer()->Resume());
  }
  EXPECT_EQ(process.Wait(), 0) << process.err();
  EXPECT_GE(Occurrences(process.out(), R"("event":"retry")"), 4);
  ExpectCanonical(scenario);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(PostgreSQL, StreamCrash, ::testing::Values(&Make));
INSTANTIATE_TEST_SUITE_P(PostgreSQL, KilledStream, KilledStreams(&Make), NameOfKilledStream);

}  // namespace amp::testing
