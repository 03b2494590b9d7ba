// `ampload verify` of files against PostgreSQL and LMDB.

#include <nlohmann/json.hpp>

#include "amp/loader.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "cli/run_ampload.h"
#include "conformance/postgres_client.h"
#include "pipeline/verify.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

class VerifyCli : public ::testing::Test {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(url_, ServerUrl("postgresql"));
    AMP_ASSERT_OK_AND_ASSIGN(client_, PostgresClient::Connect(url_));
    AMP_ASSERT_OK(client_->Query("DROP TABLE IF EXISTS verify_test"));
    AMP_ASSERT_OK(WriteSampleLogs({.seed = 1, .blocks = 10, .logs_per_block = 10}, file_));
  }
  CommandResult Run(const std::string& command, const std::string& to,
                    std::vector<std::string> more = {}) {
    std::vector<std::string> arguments{command, "--from",  file_,        "--to",
                                       to,      "--table", "verify_test"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return RunAmpload(arguments);
  }

  std::string url_;
  std::optional<PostgresClient> client_;
  TemporaryFolder folder_;
  const std::string file_ = folder_.file("logs.parquet");
};

TEST_F(VerifyCli, EqualUntilACellIsChanged) {
  for (const std::string& to : {url_, "lmdb:" + folder_.file("db")}) {
    ASSERT_EQ(Run("load", to).exit_code, 0);
    const CommandResult equal = Run("verify", to);
    EXPECT_EQ(equal.exit_code, 0) << equal.err;
    EXPECT_EQ(equal.out, "equal: 100 rows\n");
  }
  AMP_ASSERT_OK(
      client_->Query("UPDATE verify_test SET log_index = log_index + 1000 WHERE block_num = 3 AND "
                     "log_index = (SELECT "
                     "min(log_index) FROM verify_test WHERE block_num = 3)"));
  const CommandResult differs = Run("verify", url_, {"--output", "json"});
  EXPECT_EQ(differs.exit_code, 1);
  EXPECT_NE(differs.err.find("both sides have 100 rows, but not the same ones"), std::string::npos)
      << differs.err;
  EXPECT_EQ(nlohmann::json::parse(differs.out)["equal"], false);
}

TEST_F(VerifyCli, FiltersApplyToTheSourceOnly) {
  ASSERT_EQ(Run("load", url_, {"--where", "block_num < 4"}).exit_code, 0);
  EXPECT_EQ(Run("verify", url_, {"--where", "block_num < 4"}).exit_code, 0);
  const CommandResult more = Run("verify", url_);
  EXPECT_EQ(more.exit_code, 1);
  EXPECT_NE(more.err.find("the source has 100 rows, the table 40"), std::string::npos) << more.err;
}

TEST_F(VerifyCli, WhatCannotBeComparedIsSaid) {
  EXPECT_EQ(Run("verify", url_).exit_code, 4) << "there is no table";
  ASSERT_EQ(Run("load", url_, {"--columns", "block_num"}).exit_code, 0);
  const CommandResult columns = Run("verify", url_);
  EXPECT_EQ(columns.exit_code, 1);
  EXPECT_NE(columns.err.find("of the source is not in the table"), std::string::npos);
  EXPECT_EQ(Run("verify", url_, {"--query", "SELECT 1"}).exit_code, 2);
}

TEST_F(VerifyCli, EveryTypeComesBackEqual) {
  for (const std::string& to : {url_, "lmdb:" + folder_.file("db")}) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto loader, Registry::Global().MakeFromUrl(to));
    AMP_ASSERT_OK(loader->Connect());
    const auto batch = AllTypesBatch();
    AMP_ASSERT_OK(loader->LoadBatch(*batch, "verify_test").status);
    AMP_ASSERT_OK_AND_ASSIGN(const auto source, arrow::RecordBatchReader::Make({batch}));
    AMP_ASSERT_OK_AND_ASSIGN(const VerifyResult result,
                             VerifyFiles(loader.get(), source, "verify_test"));
    EXPECT_TRUE(result.equal()) << to << ": " << result.ToJson();
  }
}

}  // namespace
}  // namespace amp::testing
