// Loading from buckets, through the command, against a real server.

#include <arrow/buffer.h>
#include <unistd.h>

#include <atomic>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "cli/run_ampload.h"
#include "sources/simulated/sample_chain.h"
#include "storage/open_store.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;
using Strings = std::vector<std::string>;

class S3Source : public ::testing::Test {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(url_, ServerUrl("s3"));
    static std::atomic<int> count{0};
    bucket_ = "source-" + std::to_string(getpid()) + "-" + std::to_string(++count);
    AMP_ASSERT_OK(MakeBucket(url_, bucket_));
    storage::StoreConfig config;
    config.s3 = {.endpoint = url_, .access_key_id = "test", .secret_access_key = "test"};
    AMP_ASSERT_OK_AND_ASSIGN(store_, storage::OpenStore("s3://" + bucket_, config));
  }
  // A sample of so many blocks, ten rows each.
  void PutSample(const std::string& key, int64_t blocks) {
    const std::string path = folder_.file("sample.parquet");
    AMP_ASSERT_OK(WriteSampleLogs(
        {.seed = static_cast<uint64_t>(blocks), .blocks = blocks, .logs_per_block = 10}, path));
    std::ostringstream bytes;
    bytes << std::ifstream(path, std::ios::binary).rdbuf();
    AMP_ASSERT_OK(store_->Put(key, bytes.str()));
  }
  std::string Uri(const std::string& key) const { return "s3://" + bucket_ + "/" + key; }
  CommandResult Load(Strings from, const Strings& more = {}) {
    Strings arguments{"load", "--from"};
    arguments.insert(arguments.end(), from.begin(), from.end());
    arguments.insert(arguments.end(), {"--table", "t", "--output", "json", "--to",
                                       "lmdb:" + folder_.file("db" + std::to_string(++loads_))});
    arguments.insert(arguments.end(), more.begin(), more.end());
    CommandOptions options;
    options.environment = environment_.empty() ? S3Environment(url_) : environment_;
    options.directory = folder_.path();
    return RunAmpload(arguments, options);
  }
  void ExpectRows(const Strings& from, int64_t rows, const Strings& more = {}) {
    const CommandResult result = Load(from, more);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    EXPECT_EQ(Json::parse(result.out)["rows_loaded"], rows) << result.err;
  }
  void ExpectError(const Strings& from, int code, const std::string& text,
                   const Strings& more = {}) {
    const CommandResult result = Load(from, more);
    EXPECT_EQ(result.exit_code, code) << result.err;
    EXPECT_NE(result.err.find(text), std::string::npos)
        << "'" << text << "' is not in: " << result.err;
  }

  TemporaryFolder folder_;
  std::string url_, bucket_;
  std::shared_ptr<storage::ObjectStore> store_;
  Strings environment_;
  int loads_ = 0;
};

TEST_F(S3Source, ObjectsPatternsAndFolders) {
  PutSample("d/a.parquet", 1);
  PutSample("d/b.parquet", 2);
  PutSample("d/deep/c.parquet", 4);
  PutSample("d/_hidden.parquet", 8);
  PutSample("d/.hidden/e.parquet", 16);
  AMP_ASSERT_OK(store_->Put("d/_SUCCESS", ""));
  AMP_ASSERT_OK(store_->Put("d/readme.txt", "no data"));
  ExpectRows({Uri("d/a.parquet")}, 10);
  ExpectRows({Uri("d/a.parquet"), Uri("d/b.parquet")}, 30);
  ExpectRows({Uri("d/[ab].parquet")}, 30);
  ExpectRows({Uri("d/*.parquet")}, 110);  // as a shell does: only a dot hides from patterns
  ExpectRows({Uri("d/*/*.parquet")}, 40);
  ExpectRows({Uri("d/{b,deep/c}.parquet")}, 60);
  ExpectRows({Uri("d/dee?")}, 40);
  ExpectRows({Uri("d")}, 70);
  ExpectRows({Uri("d/")}, 70);
  ExpectRows({Uri("")}, 70);
}

TEST_F(S3Source, AllFormatsAndSomeColumns) {
  PutSample("a.parquet", 100);
  AMP_ASSERT_OK(store_->Put("a.csv", "a,b\n1,x\n2,y\n"));
  AMP_ASSERT_OK(store_->Put("a.jsonl", "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n"));
  ExpectRows({Uri("a.csv")}, 2);
  ExpectRows({Uri("a.jsonl")}, 3);
  ExpectRows({Uri("a.parquet")}, 20,
             {"--columns", "log_index", "--where", "block_num >= 5 AND block_num < 7"});
}

TEST_F(S3Source, JobsKnowObjectsAgain) {
  PutSample("j/a.parquet", 3);
  const std::string to = "lmdb:" + folder_.file("job");
  const auto rows = [&] {
    CommandOptions options;
    options.environment = S3Environment(url_);
    const CommandResult result = RunAmpload({"load", "--from", Uri("j"), "--table", "t", "--output",
                                             "json", "--to", to, "--job", "nightly"},
                                            options);
    EXPECT_EQ(result.exit_code, 0) << result.err;
    return Json::parse(result.out)["rows_loaded"].get<int64_t>();
  };
  EXPECT_EQ(rows(), 30);
  EXPECT_EQ(rows(), 0);
  PutSample("j/b.parquet", 5);
  EXPECT_EQ(rows(), 50);
  EXPECT_EQ(rows(), 0);
}

TEST_F(S3Source, WhatIsMissingIsExitCode3) {
  ExpectError({Uri("none.parquet")}, 3, "there is no such object or folder");
  ExpectError({Uri("*.parquet")}, 3, "no object matches");
  AMP_ASSERT_OK(store_->Put("empty.parquet", ""));
  ExpectError({Uri("empty.parquet")}, 3, "is empty");
  AMP_ASSERT_OK(store_->Put("fake.parquet", "this is no Parquet file at all"));
  ExpectError({Uri("fake.parquet")}, 3, "cannot be read as parquet");
  ExpectError({"s3://no-such-bucket-here/a.parquet"}, 3, "There is no such bucket");
  ExpectError({"gs://bucket/a.parquet"}, 3, "no storage 'gs'");
}

TEST_F(S3Source, NoCredentialsAreNamed) {
  environment_ = {"AWS_ENDPOINT_URL=" + url_, "AWS_EC2_METADATA_DISABLED=true"};
  ExpectError({Uri("a.parquet")}, 3, "AWS_ACCESS_KEY_ID");
}

TEST_F(S3Source, NoServerIsSaidSo) {
  AMP_ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  environment_ = S3Environment("http://127.0.0.1:" + std::to_string(port));
  ExpectError({Uri("a.parquet")}, 3, "s3://" + bucket_ + "/a.parquet");
}

}  // namespace
}  // namespace amp::testing
