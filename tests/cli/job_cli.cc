// ampload load --job through the command: killed, run again, with files that come, change and go.

#include "cli/job_cli.h"

#include <arrow/io/file.h>
#include <arrow/table.h>
#include <parquet/arrow/writer.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "amp/loader.h"
#include "amp/testing/asserts.h"
#include "cli/run_ampload.h"
#include "sources/simulated/sample_chain.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;

/// `groups` row groups of 100 rows each; other seeds give other rows.
void WriteGroups(const std::string& path, uint64_t seed, int64_t groups) {
  const auto batch =
      MakeSampleLogs({.seed = seed, .blocks = 10 * groups, .logs_per_block = 10}).ValueOrDie();
  const auto table = arrow::Table::FromRecordBatches({batch}).ValueOrDie();
  const auto out = arrow::io::FileOutputStream::Open(path).ValueOrDie();
  ASSERT_TRUE(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), out, 100).ok());
  ASSERT_TRUE(out->Close().ok());
}

CommandResult Load(const std::string& url, const std::string& table, const std::string& from,
                   std::vector<std::string> more = {}, const CommandOptions& options = {}) {
  std::vector<std::string> arguments{"load",    "--from", from,       "--to", url,
                                     "--table", table,    "--output", "json"};
  arguments.insert(arguments.end(), more.begin(), more.end());
  return RunAmpload(arguments, options);
}

/// The metadata of a job's result, which must be a success.
Json Facts(const CommandResult& result) {
  EXPECT_EQ(result.exit_code, 0) << result.err;
  return result.exit_code == 0 ? Json::parse(result.out)["metadata"] : Json();
}

/// All rows without the batch id, in an order of their own.
std::vector<std::string> Rows(const std::string& url, const std::string& table) {
  std::istringstream lines(
      RunAmpload({"show", "--to", url, "--table", table, "--limit", "100000", "--output", "json"})
          .out);
  std::vector<std::string> rows;
  for (std::string line; std::getline(lines, line);) {
    Json row = Json::parse(line);
    row.erase("_amp_batch_id");
    rows.push_back(row.dump());
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

void Reset(const std::string& url) {
  auto loader = Registry::Global().MakeFromUrl(url, {}).ValueOrDie();
  const auto session = loader->Open();
  AMP_ASSERT_OK(session.status());
  for (const char* table : {"job", "plain"}) AMP_ASSERT_OK(loader->ResetTable(table));
}

}  // namespace

void JobCli::SetUp() {
  url_ = GetParam()(folder_);
  Reset(url_);
  std::filesystem::create_directory(folder_.file("data"));
  WriteGroups(folder_.file("data/b.parquet"), 1, 6);
  WriteGroups(folder_.file("data/d.parquet"), 2, 4);
}

void JobCli::TearDown() { Reset(url_); }

TEST_P(JobCli, LoadsOnceAndThenNothing) {
  const std::string data = folder_.file("data");
  Json facts = Facts(Load(url_, "job", data, {"--job", "logs"}));
  EXPECT_EQ(facts["operation"], "load_job");
  EXPECT_EQ(facts["units"], 10);
  EXPECT_EQ(facts["units_loaded"], 10);
  EXPECT_EQ(facts["total_rows"], 1000);
  ASSERT_EQ(Load(url_, "plain", data).exit_code, 0);
  EXPECT_EQ(Rows(url_, "job"), Rows(url_, "plain"));

  facts = Facts(Load(url_, "job", data + "/../data", {"--job", "logs"}));
  EXPECT_EQ(facts["units_loaded"], 0);
  EXPECT_EQ(facts["units_already_loaded"], 10);
  const CommandResult text =
      RunAmpload({"load", "--from", data, "--to", url_, "--table", "job", "--job", "logs"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("Nothing to do"), std::string::npos) << text.out;
  EXPECT_EQ(Rows(url_, "job").size(), 1000U);
}

TEST_P(JobCli, FilesThatComeAndGo) {
  const std::string data = folder_.file("data");
  ASSERT_EQ(Load(url_, "job", data, {"--job", "logs"}).exit_code, 0);
  WriteGroups(folder_.file("data/a.parquet"), 3, 1);
  WriteGroups(folder_.file("data/c.parquet"), 4, 2);
  ASSERT_EQ(Load(url_, "plain", data).exit_code, 0);
  std::filesystem::remove(folder_.file("data/d.parquet"));
  const CommandResult text =
      RunAmpload({"load", "--from", data, "--to", url_, "--table", "job", "--job", "logs"});
  EXPECT_EQ(text.exit_code, 0) << text.err;
  EXPECT_NE(text.out.find("Loaded 3 of 9 units (6 were there already), 300 rows"),
            std::string::npos)
      << text.out;
  EXPECT_EQ(Rows(url_, "job"), Rows(url_, "plain"));
}

TEST_P(JobCli, AChangedFileIsRefused) {
  const std::string data = folder_.file("data");
  ASSERT_EQ(Load(url_, "job", data, {"--job", "logs"}).exit_code, 0);
  WriteGroups(folder_.file("data/b.parquet"), 9, 7);
  WriteGroups(folder_.file("data/a.parquet"), 3, 1);
  const CommandResult refused = Load(url_, "job", data, {"--job", "logs"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_NE(refused.err.find("b.parquet' has changed"), std::string::npos) << refused.err;
  EXPECT_EQ(Rows(url_, "job").size(), 1000U);
  EXPECT_EQ(Facts(Load(url_, "job", data, {"--job", "other"}))["units_loaded"], 12);
}

TEST_P(JobCli, KilledAtEveryStepAndRunAgain) {
  const std::string data = folder_.file("data");
  ASSERT_EQ(Load(url_, "plain", data).exit_code, 0);
  const std::vector<std::string> job{"--job", "logs", "--set", "commit_rows=200"};
  int kills = 0;
  for (const char* step : {"before_write", "after_write", "before_commit", "after_commit"}) {
    for (const char* time : {"1", "2"}) {
      const CommandResult killed = Load(
          url_, "job", data, job,
          {.environment = {std::string("AMPLOAD_FAILPOINTS=stream.") + step + "=kill@" + time}});
      if (killed.exit_code == 128 + 9) ++kills;
      const size_t rows = Rows(url_, "job").size();
      EXPECT_EQ(rows % 100, 0U) << "part of a unit is stored";
    }
  }
  EXPECT_GE(kills, 6);
  EXPECT_EQ(Load(url_, "job", data, job).exit_code, 0);
  EXPECT_EQ(Rows(url_, "job"), Rows(url_, "plain"));
}

TEST_P(JobCli, FailuresThatPassAreTriedAgain) {
  const std::string data = folder_.file("data");
  ASSERT_EQ(Load(url_, "plain", data).exit_code, 0);
  const Json facts = Facts(Load(
      url_, "job", data, {"--job", "logs", "--set", "commit_rows=200", "--set", "retry_delay=1ms"},
      {.environment = {"AMPLOAD_FAILPOINTS=stream.after_write=error@3,"
                       "stream.before_commit=error@2,stream.after_commit=error@3"}}));
  // A commit whose answer was lost counts, as it is in the target.
  EXPECT_EQ(facts["units_loaded"], 10);
  EXPECT_EQ(facts["total_rows"], 1000);
  EXPECT_EQ(Rows(url_, "job"), Rows(url_, "plain"));
}

// The footer is whole, so the failure comes only when a later row group is read.
TEST_P(JobCli, ABrokenFileKeepsWhatWasComplete) {
  const std::string data = folder_.file("data");
  ASSERT_EQ(Load(url_, "plain", data).exit_code, 0);
  const std::string path = folder_.file("data/d.parquet");
  std::filesystem::copy_file(path, folder_.file("good"));
  {
    std::fstream file(path, std::ios::binary | std::ios::in | std::ios::out);
    file.seekp(static_cast<std::streamoff>(std::filesystem::file_size(path) * 6 / 10));
    file << std::string(2000, '\xee');
  }
  const std::vector<std::string> job{"--job", "logs", "--set", "commit_rows=100000"};
  const CommandResult broken = Load(url_, "job", data, job);
  EXPECT_EQ(broken.exit_code, 3) << broken.err;
  EXPECT_NE(broken.err.find("d.parquet"), std::string::npos) << broken.err;
  const size_t rows = Rows(url_, "job").size();
  EXPECT_EQ(rows % 100, 0U);
  EXPECT_GE(rows, 600U);
  EXPECT_LT(rows, 1000U);
  EXPECT_EQ(Json::parse(broken.out)["rows_loaded"], rows);
  std::filesystem::rename(folder_.file("good"), path);
  EXPECT_EQ(Load(url_, "job", data, job).exit_code, 0);
  EXPECT_EQ(Rows(url_, "job"), Rows(url_, "plain"));
}

TEST_P(JobCli, StoppedInOrderAndRunAgain) {
  const std::string data = folder_.file("data");
  WriteGroups(folder_.file("data/e.parquet"), 5, 1'000);
  const CommandResult stopped =
      Load(url_, "job", data, {"--job", "logs"}, {.interrupt_after_ms = 60});
  EXPECT_TRUE(stopped.exit_code == 130 || stopped.exit_code == 0) << stopped.err;
  EXPECT_EQ(Facts(Load(url_, "job", data, {"--job", "logs"}))["units"], 1'010);
  const CommandResult info =
      RunAmpload({"info", "--to", url_, "--table", "job", "--output", "json"});
  EXPECT_EQ(Json::parse(info.out)["row_count"], 101'000);
}

TEST_P(JobCli, WhatAJobRefuses) {
  const std::string data = folder_.file("data");
  const auto refused = [&](std::vector<std::string> more, const std::string& text) {
    const CommandResult result = Load(url_, "job", data, std::move(more));
    EXPECT_EQ(result.exit_code, 2) << result.err;
    EXPECT_NE(result.err.find(text), std::string::npos) << result.err;
  };
  refused({"--job", "logs", "--mode", "overwrite"}, "ampload reset");
  refused({"--job", ""}, "--job");
  refused({"--adopt"}, "--job");
  const CommandResult input = Load(url_, "job", "-", {"--job", "logs"});
  EXPECT_EQ(input.exit_code, 2);
  EXPECT_NE(input.err.find("standard input"), std::string::npos) << input.err;
  ASSERT_EQ(Load(url_, "job", data, {"--job", "logs", "--where", "log_index < 5"}).exit_code, 0);
  refused({"--job", "logs"}, "--where log_index < 5");
  EXPECT_EQ(
      Facts(Load(url_, "job", data, {"--job", "logs", "--where", "log_index<5"}))["units_loaded"],
      0);
}

TEST_P(JobCli, ATableThatIsThereIsAdoptedWhenAsked) {
  const std::string data = folder_.file("data");
  ASSERT_EQ(Load(url_, "job", folder_.file("data/b.parquet")).exit_code, 0);
  const CommandResult refused = Load(url_, "job", data, {"--job", "logs"});
  EXPECT_EQ(refused.exit_code, 5);
  EXPECT_NE(refused.err.find("--adopt"), std::string::npos) << refused.err;
  EXPECT_EQ(Rows(url_, "job").size(), 600U);
}

}  // namespace amp::testing
