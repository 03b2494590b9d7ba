// What every loader must do, and what is PostgreSQL's own.

#include <thread>

#include "amp/testing/asserts.h"
#include "amp/testing/core_tests.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "amp/testing/streaming_tests.h"
#include "conformance/postgres_client.h"

namespace amp::testing {
namespace {

class PostgreSQLTestConfig : public LoaderTestConfig {
 public:
  PostgreSQLTestConfig() {
    supports_streaming = true;
    supports_multi_network = true;
  }
  std::string_view loader() const override { return "postgresql"; }
  Result<ConfigMap> WorkingConfig() override {
    ARROW_ASSIGN_OR_RAISE(const std::string url, ServerUrl("postgresql"));
    return ConfigMap{{"url", {.value = url}}};
  }
  ConfigMap UnreachableConfig() override {
    return {{"host", {.value = std::string("127.0.0.1")}}, {"port", {.value = int64_t{1}}}};
  }
  Result<int64_t> GetRowCount(const TableName& table) override {
    ARROW_ASSIGN_OR_RAISE(PostgresClient client, Client());
    ARROW_ASSIGN_OR_RAISE(const std::string count,
                          client.Value("SELECT count(*) FROM " + PostgresClient::Quote(table)));
    return std::stoll(count);
  }
  Result<std::vector<Row>> QueryRows(const TableName& table, const std::string& where,
                                     const std::string& order_by) override {
    ARROW_ASSIGN_OR_RAISE(PostgresClient client, Client());
    std::string sql = "SELECT * FROM " + PostgresClient::Quote(table);
    if (!where.empty()) sql += " WHERE " + where;
    if (!order_by.empty()) sql += " ORDER BY " + PostgresClient::Quote(order_by);
    return client.Query(sql);
  }
  Status CleanupTable(const TableName& table) override {
    ARROW_ASSIGN_OR_RAISE(PostgresClient client, Client());
    return client.Query("DROP TABLE IF EXISTS " + PostgresClient::Quote(table)).status();
  }
  Result<std::vector<std::string>> GetColumnNames(const TableName& table) override {
    ARROW_ASSIGN_OR_RAISE(PostgresClient client, Client());
    ARROW_ASSIGN_OR_RAISE(
        const auto rows,
        client.Query("SELECT attname FROM pg_attribute WHERE attnum > 0 AND "
                     "attrelid = '" +
                     PostgresClient::Quote(table) + "'::regclass ORDER BY attnum"));
    std::vector<std::string> names;
    for (const auto& row : rows) names.push_back(*row.at("attname"));
    return names;
  }

  static Result<PostgresClient> Client() {
    ARROW_ASSIGN_OR_RAISE(const std::string url, ServerUrl("postgresql"));
    return PostgresClient::Connect(url);
  }
};

AMP_CORE_TESTS(PostgreSQLCore, PostgreSQLTestConfig);
AMP_STREAMING_TESTS(PostgreSQLStreaming, PostgreSQLTestConfig);

/// A connected loader, a client beside it, and a table name that is free.
class PostgreSQL : public ::testing::Test {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(url_, ServerUrl("postgresql"));
    AMP_ASSERT_OK_AND_ASSIGN(client_, PostgreSQLTestConfig::Client());
    AMP_ASSERT_OK_AND_ASSIGN(loader_, Make());
    AMP_ASSERT_OK(loader_->Connect());
    Drop(table_);
  }
  void TearDown() override { Drop(table_); }

  void Drop(const std::string& table) {
    AMP_ASSERT_OK(client_->Query("DROP TABLE IF EXISTS " + PostgresClient::Quote(table)));
  }
  Result<std::unique_ptr<Loader>> Make(const ConfigMap& extra = {}) {
    return Registry::Global().MakeFromUrl(url_, extra);
  }
  std::string Value(const std::string& sql) {
    const auto value = client_->Value(sql);
    return value.ok() ? *value : value.status().ToString();
  }
  static LoadOptions Mode(LoadMode mode) { return {.mode = mode}; }

  std::string url_;
  std::optional<PostgresClient> client_;
  std::unique_ptr<Loader> loader_;
  const TableName table_ = "pg_test";
};

TEST_F(PostgreSQL, NamesWithAnythingInThemAreOrdinary) {
  const std::string column = "a\"b.c; DROP TABLE x --";
  for (const std::string& table :
       {std::string("select"), std::string("a.b"), std::string("Ünï \"q\""),
        std::string("'; DROP TABLE pg_test; --"), std::string(63, 'x')}) {
    const auto schema =
        arrow::schema({arrow::field(column, arrow::int64()), arrow::field("from", arrow::utf8())});
    AMP_ASSERT_OK_AND_ASSIGN(
        const auto batch,
        BatchFromJson(schema, R"([{"a\"b.c; DROP TABLE x --": 7, "from": "o'clock"}])"));
    AMP_ASSERT_OK(loader_->LoadBatch(*batch, table).status);
    EXPECT_EQ(Value("SELECT " + PostgresClient::Quote(column) + " || \"from\" FROM " +
                    PostgresClient::Quote(table)),
              "7o'clock");
    Drop(table);
  }
}

TEST_F(PostgreSQL, NamesThatAreTooLongAreRefusedNotCut) {
  AMP_EXPECT_ERROR(loader_->LoadBatch(*SampleBatch(1), std::string(64, 'x')).status,
                   ErrorKind::kConfigInvalid, "64 bytes");
  const auto schema = arrow::schema({arrow::field(std::string(64, 'c'), arrow::int64())});
  const auto batch = arrow::RecordBatch::Make(schema, 0, {*arrow::MakeEmptyArray(arrow::int64())});
  AMP_EXPECT_ERROR(loader_->LoadBatch(*batch, table_).status, ErrorKind::kSchemaMismatch,
                   "64 bytes");
  AMP_EXPECT_ERROR(loader_->LoadBatch(*SampleBatch(1), "_amp_mine").status,
                   ErrorKind::kConfigInvalid, "_amp_");
}

TEST_F(PostgreSQL, OverwriteIsOneCommitForReaders) {
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(5), table_).status);
  AMP_ASSERT_OK(client_->Query("BEGIN ISOLATION LEVEL REPEATABLE READ"));
  EXPECT_EQ(Value("SELECT count(*) FROM pg_test"), "5");
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(2), table_, Mode(LoadMode::kOverwrite)).status);
  EXPECT_EQ(Value("SELECT count(*) FROM pg_test"), "5") << "the old snapshot still sees old rows";
  AMP_ASSERT_OK(client_->Query("COMMIT"));
  EXPECT_EQ(Value("SELECT count(*) FROM pg_test"), "2");
}

TEST_F(PostgreSQL, TwoOverwritesAtOnceLeaveOneOfThem) {
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(5), table_).status);
  std::vector<std::thread> threads;
  std::vector<LoadResult> results(4);
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] {
      results[i] = loader_->LoadBatch(*SampleBatch(10), table_, Mode(LoadMode::kOverwrite));
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (const LoadResult& result : results) EXPECT_TRUE(result.success) << result.error;
  EXPECT_EQ(Value("SELECT count(*) FROM pg_test"), "10");
}

TEST_F(PostgreSQL, ThreadsMayMakeTheSameTableAtOnce) {
  std::vector<std::thread> threads;
  std::vector<LoadResult> results(8);
  for (size_t i = 0; i < results.size(); ++i) {
    threads.emplace_back([&, i] { results[i] = loader_->LoadBatch(*SampleBatch(100), table_); });
  }
  for (std::thread& thread : threads) thread.join();
  for (const LoadResult& result : results) EXPECT_TRUE(result.success) << result.error;
  EXPECT_EQ(Value("SELECT count(*) FROM pg_test"), "800");
}

TEST_F(PostgreSQL, ExistingTableMayOrderItsColumnsOtherwiseAndHaveDefaults) {
  AMP_ASSERT_OK(client_->Query(
      "CREATE TABLE pg_test (extra int DEFAULT 42, payload bytea, id bigint, name varchar(100), "
      "value float8, active bool, at timestamptz, n int GENERATED ALWAYS AS IDENTITY)"));
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(3), table_).status);
  EXPECT_EQ(
      Value("SELECT string_agg(name || '/' || extra || '/' || n, ' ' ORDER BY id) FROM pg_test"),
      "row 0/42/1 row 1/42/2 row 2/42/3");
}

TEST_F(PostgreSQL, ExistingTableThatDoesNotFitIsRefusedColumnByColumn) {
  AMP_ASSERT_OK(
      client_->Query("CREATE TABLE pg_test (id text, must int NOT NULL, name text, "
                     "value float8, active bool, at timestamp)"));
  const LoadResult result = loader_->LoadBatch(*SampleBatch(3), table_);
  for (const char* part : {"'id' is text", "'at' is timestamp without time zone",
                           "'payload' is not in the table", "'must' is NOT NULL"}) {
    AMP_EXPECT_ERROR(result.status, ErrorKind::kSchemaMismatch, part);
  }
  EXPECT_EQ(ExitCodeOf(result.status), 5);
}

TEST_F(PostgreSQL, ColumnsThatWouldRoundAreRefused) {
  using arrow::TimeUnit;
  AMP_ASSERT_OK(
      client_->Query("CREATE TABLE pg_test (d numeric(10,2), t timestamp(0), m time(3), "
                     "i interval(0), c char(5))"));
  const auto refused = arrow::schema({arrow::field("d", arrow::decimal128(10, 4)),
                                      arrow::field("t", arrow::timestamp(TimeUnit::MILLI)),
                                      arrow::field("m", arrow::time64(TimeUnit::MICRO)),
                                      arrow::field("i", arrow::duration(TimeUnit::MILLI)),
                                      arrow::field("c", arrow::utf8())});
  for (const char* name : {"'d' is numeric(10,2)", "'t' is timestamp(0)", "'m' is time(3)",
                           "'i' is interval(0)", "'c' is character(5)"}) {
    AMP_EXPECT_ERROR(loader_->BeginTransaction({.table = table_, .schema = refused}),
                     ErrorKind::kSchemaMismatch, name);
  }
  const auto taken = arrow::schema({arrow::field("d", arrow::decimal128(8, 2)),
                                    arrow::field("t", arrow::timestamp(TimeUnit::SECOND)),
                                    arrow::field("m", arrow::time32(TimeUnit::MILLI)),
                                    arrow::field("i", arrow::duration(TimeUnit::SECOND))});
  AMP_ASSERT_OK_AND_ASSIGN(const auto batch,
                           BatchFromJson(taken, R"([{"d": "1.25", "t": 1, "m": 1500, "i": 2}])"));
  AMP_ASSERT_OK(loader_->LoadBatch(*batch, table_).status);
  EXPECT_EQ(Value("SELECT concat_ws(' ', d, t, m, i) FROM pg_test"),
            "1.25 1970-01-01 00:00:01 00:00:01.5 PT2S");
}

TEST_F(PostgreSQL, AKeyWithoutUpsertIsRefused) {
  AMP_EXPECT_ERROR(loader_->LoadBatch(*SampleBatch(1), table_, {.key = {"id"}}).status,
                   ErrorKind::kConfigInvalid, "no use for a key");
}

TEST_F(PostgreSQL, NarrowerIntegerColumnsTakeValuesThatFit) {
  AMP_ASSERT_OK(client_->Query("CREATE TABLE pg_test (n bigint)"));
  const auto schema = arrow::schema({arrow::field("n", arrow::uint64())});
  AMP_ASSERT_OK_AND_ASSIGN(const auto fits,
                           BatchFromJson(schema, R"([{"n": 9223372036854775807}])"));
  AMP_ASSERT_OK(loader_->LoadBatch(*fits, table_).status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto not_fits,
                           BatchFromJson(schema, R"([{"n": 1}, {"n": 9223372036854775808}])"));
  const LoadResult result = loader_->LoadBatch(*not_fits, table_);
  AMP_EXPECT_ERROR(result.status, ErrorKind::kDataInvalid, "column 'n', row 1 of the load");
  AMP_EXPECT_ERROR(result.status, ErrorKind::kDataInvalid, "9223372036854775808");
  EXPECT_EQ(Value("SELECT sum(n) FROM pg_test"), "9223372036854775807");
}

TEST_F(PostgreSQL, NotNullAndUniqueViolationsRollTheLoadBack) {
  AMP_ASSERT_OK(
      client_->Query("CREATE TABLE pg_test (id bigint UNIQUE, name text NOT NULL, value "
                     "float8, active bool, at timestamptz, payload bytea)"));
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(1), table_).status);
  const LoadResult null = loader_->LoadBatch(*SampleBatchWithNulls()->Slice(1), table_);
  AMP_EXPECT_ERROR(null.status, ErrorKind::kDataInvalid, "\"name\"");
  const LoadResult twice = loader_->LoadBatch(*SampleBatch(2), table_);
  AMP_EXPECT_ERROR(twice.status, ErrorKind::kDataInvalid, "(id)=(0) already exists");
  EXPECT_EQ(ExitCodeOf(twice.status), 5);
  EXPECT_EQ(Value("SELECT count(*) FROM pg_test"), "1");
  // The connection is good for the next load.
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(1, 9), table_).status);
}

TEST_F(PostgreSQL, AViewIsNotATable) {
  AMP_ASSERT_OK(client_->Query("CREATE OR REPLACE VIEW pg_view AS SELECT 1 AS id"));
  AMP_EXPECT_ERROR(loader_->LoadBatch(*SampleBatch(1), "pg_view").status, ErrorKind::kUnsupported,
                   "not a table");
  AMP_ASSERT_OK(client_->Query("DROP VIEW pg_view"));
}

TEST_F(PostgreSQL, SchemaOptionSaysWhereTablesAre) {
  AMP_ASSERT_OK(client_->Query("CREATE SCHEMA IF NOT EXISTS \"my schema\""));
  AMP_ASSERT_OK_AND_ASSIGN(auto there, Make({{"schema", {.value = std::string("my schema")}}}));
  AMP_ASSERT_OK(there->Connect());
  AMP_ASSERT_OK(there->LoadBatch(*SampleBatch(4), table_).status);
  EXPECT_EQ(Value("SELECT count(*) FROM \"my schema\".pg_test"), "4");
  AMP_ASSERT_OK(client_->Query("DROP SCHEMA \"my schema\" CASCADE"));
  AMP_ASSERT_OK_AND_ASSIGN(auto gone, Make({{"schema", {.value = std::string("my schema")}}}));
  AMP_EXPECT_ERROR(gone->Connect(), ErrorKind::kNotFound, "CREATE SCHEMA \"my schema\"");
}

TEST_F(PostgreSQL, ReadTableGivesRowsBack) {
  const auto batch = SampleBatchWithNulls();
  AMP_ASSERT_OK(loader_->LoadBatch(*batch, table_).status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto reader, loader_->ReadTable(table_));
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, reader->ToTable());
  AMP_ASSERT_OK_AND_ASSIGN(const auto expected, arrow::Table::FromRecordBatches({batch}));
  EXPECT_TRUE(rows->Equals(*expected)) << rows->ToString();
  AMP_ASSERT_OK_AND_ASSIGN(const auto two, loader_->ReadTable(table_, {.limit = 2}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto first, two->ToTable());
  EXPECT_EQ(first->num_rows(), 2);
  AMP_EXPECT_ERROR(loader_->ReadTable("none"), ErrorKind::kNotFound, "no table 'none'");
}

TEST_F(PostgreSQL, PlanSaysWhatWouldBeDoneAndDoesNothing) {
  const WriteSpec spec{.table = table_, .schema = SampleBatch(1)->schema()};
  AMP_ASSERT_OK_AND_ASSIGN(const TablePlan plan, loader_->PlanTable(spec));
  EXPECT_FALSE(plan.exists);
  ASSERT_EQ(plan.statements.size(), 1U);
  EXPECT_NE(plan.statements[0].find("\"id\" bigint NOT NULL"), std::string::npos);
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader_->GetTableInfo(table_));
  EXPECT_FALSE(info.has_value());
}

/// Gives some batches; between them it does something to the server.
class DisturbingReader final : public arrow::RecordBatchReader {
 public:
  explicit DisturbingReader(std::function<void()> disturb) : disturb_(std::move(disturb)) {}
  std::shared_ptr<arrow::Schema> schema() const override { return SampleBatch(0)->schema(); }
  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    if (given_ == 20) {
      disturb_();
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    *out = given_++ < 200 ? SampleBatch(1000) : nullptr;
    return Status::OK();
  }

 private:
  std::function<void()> disturb_;
  int given_ = 0;
};

TEST_F(PostgreSQL, ALostConnectionInTheMiddleOfALoadRollsItBack) {
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(3), table_).status);
  // Reading runs ahead of writing: wait until rows are on their way.
  const auto reader = std::make_shared<DisturbingReader>([&] {
    for (std::string killed = "0"; killed == "0";) {
      killed = Value(
          "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE state = 'active' "
          "AND "
          "query LIKE 'COPY %\"pg_test\" (%'");
    }
  });
  const LoadResult result = loader_->LoadStream(reader, table_);
  EXPECT_FALSE(result.success);
  EXPECT_EQ(result.rows_loaded, 0);
  EXPECT_EQ(KindOf(result.status), ErrorKind::kUnavailable) << result.error;
  EXPECT_EQ(ExitCodeOf(result.status), 4);
  EXPECT_EQ(Value("SELECT count(*) FROM pg_test"), "3");
  // A new connection is made for the next load.
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(1), table_).status);
}

TEST_F(PostgreSQL, AServerErrorStopsSendingEarly) {
  AMP_ASSERT_OK(
      client_->Query("CREATE TABLE pg_test (id bigint CHECK (id < 999), name text, value "
                     "float8, active bool, at timestamptz, payload bytea)"));
  int64_t written = 0;
  LoadOptions options;
  options.on_progress = [&](const LoadProgress& progress) { written = progress.rows; };
  const auto reader = std::make_shared<DisturbingReader>([] {});
  const LoadResult result = loader_->LoadStream(reader, table_, options);
  AMP_EXPECT_ERROR(result.status, ErrorKind::kDataInvalid, "check constraint");
  EXPECT_LT(written, 200'000) << "the rest need not be sent";
}

TEST_F(PostgreSQL, StopRollsBackAtABatchBoundary) {
  std::atomic<bool> stop = false;
  LoadOptions options;
  options.stop = &stop;
  options.on_progress = [&](const LoadProgress& progress) { stop = progress.batches == 3; };
  const LoadResult result = loader_->LoadTable(*SampleTable(10'000, 1000), table_, options);
  EXPECT_EQ(ExitCodeOf(result.status), 130) << result.error;
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader_->GetTableInfo(table_));
  EXPECT_FALSE(info.has_value()) << "also the table that the load made is gone";
}

TEST_F(PostgreSQL, StatementTimeoutIsAnErrorOfTheTarget) {
  AMP_ASSERT_OK(client_->Query("CREATE TABLE pg_test AS SELECT 1::bigint AS id"));
  AMP_ASSERT_OK_AND_ASSIGN(auto hasty,
                           Make({{"statement_timeout", {.value = std::string("50ms")}}}));
  AMP_ASSERT_OK(hasty->Connect());
  AMP_ASSERT_OK(client_->Query("BEGIN"));
  AMP_ASSERT_OK(client_->Query("LOCK TABLE pg_test IN ACCESS EXCLUSIVE MODE"));
  const auto info = hasty->GetTableInfo(table_);
  EXPECT_EQ(ExitCodeOf(info.status()), 4) << info.status().message();
  AMP_EXPECT_ERROR(info, ErrorKind::kUnavailable, "statement_timeout");
  AMP_ASSERT_OK(client_->Query("ROLLBACK"));
}

TEST_F(PostgreSQL, LoadsFromManyThreadsShareThePool) {
  AMP_ASSERT_OK_AND_ASSIGN(auto one, Make({{"pool_size", {.value = int64_t{1}}}}));
  AMP_ASSERT_OK(one->Connect());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] { good += one->LoadBatch(*SampleBatch(10), table_).success ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 4);
  EXPECT_EQ(Value("SELECT count(*) FROM pg_test"), "40");
}

}  // namespace
}  // namespace amp::testing
