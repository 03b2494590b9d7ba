// PostgreSQL through the command: exit codes and messages of what goes wrong, and no secret shown.

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "cli/job_cli.h"
#include "cli/run_ampload.h"
#include "conformance/postgres_client.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

class PostgreSQLCli : public ::testing::Test {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(url_, ServerUrl("postgresql"));
    AMP_ASSERT_OK_AND_ASSIGN(client_, PostgresClient::Connect(url_));
    AMP_ASSERT_OK(client_->Query("DROP TABLE IF EXISTS cli_test"));
    AMP_ASSERT_OK(WriteSampleLogs({.seed = 1, .blocks = 10, .logs_per_block = 10}, file_));
  }
  CommandResult Load(const std::string& to, std::vector<std::string> more = {},
                     const CommandOptions& options = {}) {
    std::vector<std::string> arguments{"load", "--from", file_, "--to", to, "--table", "cli_test"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunAmpload(arguments, options);
  }
  void ExpectError(const CommandResult& result, int code, const std::string& text) {
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(text), std::string::npos) << result.err;
    EXPECT_EQ(result.err.find("s3cret"), std::string::npos)
        << "a password is shown: " << result.err;
    EXPECT_EQ(result.out.find("s3cret"), std::string::npos)
        << "a password is shown: " << result.out;
  }
  // The same server, with other login and database.
  std::string With(const std::string& login, const std::string& database) {
    const std::string host = url_.substr(url_.find('@') + 1);
    return "postgresql://" + login + "@" + host.substr(0, host.find('/')) + "/" + database;
  }

  std::string url_;
  std::optional<PostgresClient> client_;
  TemporaryFolder folder_;
  const std::string file_ = folder_.file("logs.parquet");
};

TEST_F(PostgreSQLCli, LoadShowInfoCheck) {
  ASSERT_EQ(Load(url_).exit_code, 0);
  const auto info = nlohmann::json::parse(
      RunAmpload({"info", "--to", url_, "--table", "cli_test", "--output", "json"}).out);
  EXPECT_EQ(info["row_count"], 100);
  EXPECT_EQ(info["columns"][0]["type"], "numeric(20,0)");
  const CommandResult show =
      RunAmpload({"show", "--to", url_, "--table", "cli_test", "--limit", "1", "--output", "json"});
  const auto row = nlohmann::json::parse(show.out);
  EXPECT_EQ(row["block_num"], "0");
  EXPECT_EQ(row["timestamp"], "2023-11-14T22:13:20.000000Z");
  const CommandResult check =
      RunAmpload({"check", "--from", file_, "--to", url_, "--table", "new"});
  EXPECT_NE(check.out.find("CREATE TABLE \"new\""), std::string::npos);
}

TEST_F(PostgreSQLCli, WhatTheTargetRefusesIsExitCode4) {
  ExpectError(Load("postgresql://u:s3cret@127.0.0.1:1/db"), 4,
              "cannot connect to PostgreSQL at u@127.0.0.1:1/db: Connection refused");
  ExpectError(Load(With("postgres:s3cret", "no_such_database")), 4,
              "\"no_such_database\" does not exist");
  AMP_ASSERT_OK(client_->Query("DROP ROLE IF EXISTS locked"));
  AMP_ASSERT_OK(client_->Query("CREATE ROLE locked LOGIN PASSWORD 'right'"));
  ExpectError(Load(With("locked:s3cret", "postgres")), 4, "password authentication failed");
  ExpectError(Load(With("locked", "postgres")), 4, "Give a password");
  // A login that works, and nothing it may do.
  AMP_ASSERT_OK(client_->Query("CREATE TABLE cli_test (block_num numeric)"));
  ExpectError(Load(With("locked:right", "postgres"), {"--columns", "block_num"}), 4,
              "permission denied");
  AMP_ASSERT_OK(client_->Query("DROP TABLE cli_test"));
  AMP_ASSERT_OK(client_->Query("DROP OWNED BY locked"));
  AMP_ASSERT_OK(client_->Query("DROP ROLE locked"));
}

TEST_F(PostgreSQLCli, PasswordsComeFromTheEnvironmentAndFilesToo) {
  AMP_ASSERT_OK(client_->Query("DROP ROLE IF EXISTS locked"));
  AMP_ASSERT_OK(client_->Query("CREATE ROLE locked SUPERUSER LOGIN PASSWORD 'right'"));
  const std::string to = With("locked", "postgres");
  const std::string file = WriteFile(folder_.file("password"), "right\n");
  EXPECT_EQ(Load(to, {"--set", "password=file:" + file}).exit_code, 0);
  EXPECT_EQ(Load(to, {"--set", "password=${SECRET}"}, {.environment = {"SECRET=right"}}).exit_code,
            0);
  EXPECT_EQ(Load(to, {}, {.environment = {"AMPLOAD_POSTGRESQL_PASSWORD=right"}}).exit_code, 0);
  EXPECT_EQ(Load(to, {}, {.environment = {"PGPASSWORD=right"}}).exit_code, 0);
  EXPECT_EQ(Load(to, {}, {.environment = {"PGPASSWORD=right", "AMPLOAD_POSTGRESQL_PASSWORD=no"}})
                .exit_code,
            4)
      << "PGPASSWORD only fills what is unset";
  ExpectError(Load(to, {"--set", "password=${NOT_SET}"}), 2, "NOT_SET, which is not set");
  AMP_ASSERT_OK(client_->Query("DROP TABLE IF EXISTS cli_test"));
  AMP_ASSERT_OK(client_->Query("DROP ROLE locked"));
}

TEST_F(PostgreSQLCli, ConfigurationErrorsAreExitCode2) {
  ExpectError(Load(url_, {"--set", "prot=1"}), 2, "did you mean 'port'?");
  ExpectError(Load(url_ + "?sslmode=maybe"), 2, "must be one of default, disable");
  ExpectError(Load("postgresql://u:s3cret@h:99999/db"), 2, "between 1 and 65535");
  ExpectError(Load("postgresql://u:s3cret@h:port/db"), 2, "must be a whole number");
  ExpectError(Load("postgresql://u:s3cret@h/db%zz"), 2, "two hex digits");
  ExpectError(Load(url_, {"--mode", "upsert"}), 2, "needs a key; name its columns with --key");
}

TEST_F(PostgreSQLCli, ValuesThatCannotBeStoredAreExitCode5) {
  WriteFile(folder_.file("zero.jsonl"), "{\"name\":\"fine\"}\n{\"name\":\"a\\u0000b\"}\n");
  const CommandResult result = RunAmpload(
      {"load", "--from", folder_.file("zero.jsonl"), "--to", url_, "--table", "cli_test"});
  ExpectError(result, 5, "column 'name', row 1 of the load: the text has a 0x00 at byte 1");
  AMP_ASSERT_OK_AND_ASSIGN(const std::string gone,
                           client_->Value("SELECT to_regclass('cli_test')"));
  EXPECT_EQ(gone, "NULL") << "nothing half done: the table is not there";
}

TEST_F(PostgreSQLCli, OverwriteKeepsOldRowsWhenTheSourceBreaks) {
  ASSERT_EQ(Load(url_).exit_code, 0);
  ASSERT_TRUE(WriteSampleLogs({.seed = 2, .blocks = 5000, .logs_per_block = 20}, file_).ok());
  std::fstream file(file_, std::ios::in | std::ios::out | std::ios::binary);
  file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(file_) / 2));
  file << std::string(20'000, '\xAA');
  file.close();
  ExpectError(Load(url_, {"--mode", "overwrite"}), 3, "logs.parquet");
  AMP_ASSERT_OK_AND_ASSIGN(const std::string count,
                           client_->Value("SELECT count(*) FROM cli_test"));
  EXPECT_EQ(count, "100");
}

std::string JobUrl(const TemporaryFolder&) { return ServerUrl("postgresql").ValueOrDie(); }
INSTANTIATE_TEST_SUITE_P(PostgreSQL, JobCli, ::testing::Values(&JobUrl));

}  // namespace
}  // namespace amp::testing
