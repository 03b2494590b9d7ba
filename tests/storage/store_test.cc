// What every store does alike: folders, and buckets of a real server.

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <unistd.h>

#include <atomic>
#include <thread>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "storage/open_store.h"
#include "storage/output_stream.h"

namespace amp::testing {
namespace {

using storage::ObjectInfo;
using storage::ObjectStore;
using storage::OpenStore;
using storage::PutOutcome;

using Strings = std::vector<std::string>;

/// The parameter says where: "folder" or "bucket".
class AnyStore : public ::testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (GetParam() == "folder") {
      AMP_ASSERT_OK_AND_ASSIGN(store_, OpenStore(folder_.file("a/table"), {}));
      return;
    }
    AMP_ASSERT_OK_AND_ASSIGN(const std::string url, ServerUrl("s3"));
    static std::atomic<int> count{0};
    const std::string bucket = "store-" + std::to_string(getpid()) + "-" + std::to_string(++count);
    AMP_ASSERT_OK(MakeBucket(url, bucket));
    storage::StoreConfig config;
    config.s3 = {.endpoint = url, .access_key_id = "test", .secret_access_key = "test"};
    AMP_ASSERT_OK_AND_ASSIGN(store_, OpenStore("s3://" + bucket + "/a/table", config));
  }
  std::string Read(const std::string& path) {
    const auto bytes = store_->Read(path);
    return bytes.ok() ? (*bytes)->ToString() : Describe(bytes.status());
  }
  Strings List(const std::string& folder, const ObjectStore::ListOptions& options = {}) {
    Strings paths;
    for (const ObjectInfo& object : store_->List(folder, options).ValueOrDie()) {
      paths.push_back(object.path);
    }
    return paths;
  }

  TemporaryFolder folder_;
  std::shared_ptr<ObjectStore> store_;
};

TEST_P(AnyStore, PutReplacesAndReadsBack) {
  AMP_ASSERT_OK(store_->Put("x/y", "one"));
  AMP_ASSERT_OK(store_->Put("x/y", ""));
  EXPECT_EQ(Read("x/y"), "");
  const std::string bytes("a\0b\xff", 4);
  AMP_ASSERT_OK(store_->Put("x/y", bytes));
  EXPECT_EQ(Read("x/y"), bytes);
}

TEST_P(AnyStore, WhatIsNotThereIsNotFound) {
  AMP_EXPECT_ERROR(store_->Read("none/a"), ErrorKind::kNotFound, "a/table/none/a");
  AMP_EXPECT_ERROR(store_->Open("none"), ErrorKind::kNotFound, "a/table/none");
  EXPECT_EQ(List("none", {.recursive = true}), Strings());
  AMP_ASSERT_OK(store_->Delete({"none", "none/other"}));
  AMP_ASSERT_OK(store_->Delete({}));
}

TEST_P(AnyStore, PutIfAbsentLeavesWhatIsThere) {
  EXPECT_EQ(store_->PutIfAbsent("log/1.json", "first").ValueOrDie(), PutOutcome::kWritten);
  EXPECT_EQ(store_->PutIfAbsent("log/1.json", "second").ValueOrDie(), PutOutcome::kExists);
  EXPECT_EQ(Read("log/1.json"), "first");
  EXPECT_EQ(List("log"), Strings{"log/1.json"});
}

TEST_P(AnyStore, OneOfEightWritersWins) {
  for (int round = 0; round < 5; ++round) {
    const std::string path = "log/" + std::to_string(round);
    std::atomic<int> won{0}, failed{0}, winner{-1};
    std::vector<std::thread> writers;
    for (int i = 0; i < 8; ++i) {
      writers.emplace_back([&, i] {
        const auto outcome = store_->PutIfAbsent(path, "writer " + std::to_string(i));
        if (!outcome.ok()) ++failed;
        if (outcome.ok() && *outcome == PutOutcome::kWritten) {
          ++won;
          winner = i;
        }
      });
    }
    for (std::thread& writer : writers) writer.join();
    EXPECT_EQ(won, 1);
    EXPECT_EQ(failed, 0);
    EXPECT_EQ(Read(path), "writer " + std::to_string(winner));
  }
}

TEST_P(AnyStore, ListsInByteOrderAfterAPath) {
  for (const char* path : {"log/10", "log/9", "log/1", "log/a/b", "log/a-b", "log/\u00e4", "l"}) {
    AMP_ASSERT_OK(store_->Put(path, "1234"));
  }
  EXPECT_EQ(List("log"), (Strings{"log/1", "log/10", "log/9", "log/a-b", "log/\u00e4"}));
  EXPECT_EQ(List("log", {.recursive = true}),
            (Strings{"log/1", "log/10", "log/9", "log/a-b", "log/a/b", "log/\u00e4"}));
  EXPECT_EQ(List("log", {.after = "log/10"}), (Strings{"log/9", "log/a-b", "log/\u00e4"}));
  EXPECT_EQ(List("log", {.after = "log/a-b", .recursive = true}),
            (Strings{"log/a/b", "log/\u00e4"}));
  EXPECT_EQ(List(""), Strings{"l"});
  EXPECT_EQ(List("", {.recursive = true}).size(), 7U);
  const auto one = store_->List("", {}).ValueOrDie();
  EXPECT_EQ(one[0].size, 4);
  const int64_t now = std::chrono::duration_cast<std::chrono::milliseconds>(
                          std::chrono::system_clock::now().time_since_epoch())
                          .count();
  EXPECT_NEAR(static_cast<double>(one[0].modified_at), static_cast<double>(now), 120'000);
}

TEST_P(AnyStore, NamesAreTakenAsTheyAre) {
  const Strings names{"p=a b/f+1.parquet",      "p=100%25/x", "p=\u00e4\u20ac/\U0001F600",
                      "p=a&b<c>'\"/q?#[x]=1;,", "p= x /y",    "p=~*!()$@/.hidden"};
  for (const std::string& name : names) AMP_ASSERT_OK(store_->Put(name, name));
  for (const std::string& name : names) EXPECT_EQ(Read(name), name);
  Strings sorted = names;
  std::sort(sorted.begin(), sorted.end());
  EXPECT_EQ(List("", {.recursive = true}), sorted);
  AMP_ASSERT_OK(store_->Delete(names));
  EXPECT_EQ(List("", {.recursive = true}), Strings());
}

TEST_P(AnyStore, PathsDoNotLeadOut) {
  for (const char* path : {"../x", "a/../../x", "..", "./x"}) {
    AMP_EXPECT_ERROR(store_->Put(path, "x"), ErrorKind::kDataInvalid, "leads out");
    AMP_EXPECT_ERROR(store_->Delete({path}), ErrorKind::kDataInvalid, "leads out");
    AMP_EXPECT_ERROR(store_->Read(path), ErrorKind::kDataInvalid, "leads out");
  }
}

TEST_P(AnyStore, ObjectsAreWrittenInPieces) {
  AMP_ASSERT_OK_AND_ASSIGN(auto object, store_->Create("p=1/part-1.parquet"));
  const auto stream = storage::AsOutputStream(std::move(object));
  std::string whole;
  for (int i = 0; i < 2000; ++i) {
    const std::string piece = std::to_string(i) + std::string(static_cast<size_t>(i), 'x');
    AMP_ASSERT_OK(stream->Write(piece));
    whole += piece;
    EXPECT_EQ(stream->Tell().ValueOrDie(), static_cast<int64_t>(whole.size()));
  }
  const std::string large(10 << 20, 'y');
  AMP_ASSERT_OK(stream->Write(arrow::Buffer::FromString(large)));
  whole += large;
  AMP_ASSERT_OK(stream->Close());
  AMP_ASSERT_OK(store_->SyncFolders({"p=1"}));
  EXPECT_TRUE(Read("p=1/part-1.parquet") == whole);
}

TEST_P(AnyStore, ObjectsThatAreAbortedOrDroppedLeaveNothing) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto aborted, store_->Create("a"));
  AMP_ASSERT_OK(aborted->Write(arrow::Buffer::FromString(std::string(9 << 20, 'x'))));
  AMP_ASSERT_OK(aborted->Abort());
  {
    AMP_ASSERT_OK_AND_ASSIGN(const auto dropped, store_->Create("b"));
    AMP_ASSERT_OK(dropped->Write(arrow::Buffer::FromString("x")));
  }
  EXPECT_EQ(List("", {.recursive = true}), Strings());
}

TEST_P(AnyStore, FilesAreReadInParts) {
  std::string bytes;
  for (int i = 0; i < 300'000; ++i) bytes += std::to_string(i) + ",";
  AMP_ASSERT_OK(store_->Put("f", bytes));
  AMP_ASSERT_OK_AND_ASSIGN(const auto file, store_->Open("f"));
  EXPECT_EQ(file->GetSize().ValueOrDie(), static_cast<int64_t>(bytes.size()));
  for (const size_t at : {size_t{0}, size_t{999'999}, bytes.size() - 70'000, bytes.size() - 1}) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto part, file->ReadAt(static_cast<int64_t>(at), 80'000));
    EXPECT_TRUE(part->ToString() == bytes.substr(at, 80'000)) << at;
  }
  std::string streamed;
  AMP_ASSERT_OK(file->Seek(0));
  for (bool more = true; more;) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto part, file->Read(333'333));
    streamed += part->ToString();
    more = part->size() > 0;
  }
  EXPECT_TRUE(streamed == bytes);
  EXPECT_EQ((*file->ReadAt(static_cast<int64_t>(bytes.size()), 5))->size(), 0);
}

TEST_P(AnyStore, ManyAreDeletedAtOnce) {
  Strings paths;
  for (int i = 0; i < 40; ++i) {
    paths.push_back("d/" + std::to_string(i));
    AMP_ASSERT_OK(store_->Put(paths.back(), "x"));
  }
  AMP_ASSERT_OK(store_->Put("d/kept", "x"));
  paths.emplace_back("d/never-was-there");
  AMP_ASSERT_OK(store_->Delete(paths));
  EXPECT_EQ(List("d"), Strings{"d/kept"});
}

INSTANTIATE_TEST_SUITE_P(Stores, AnyStore, ::testing::Values("folder", "bucket"),
                         [](const auto& test) { return test.param; });

TEST(OpenStoreTest, TakesPathsAndTwoSchemes) {
  EXPECT_EQ(OpenStore("/a/b/", {}).ValueOrDie()->Describe("c"), "/a/b/c");
  EXPECT_EQ(OpenStore("file:///a/b", {}).ValueOrDie()->Describe(), "/a/b");
  EXPECT_EQ(OpenStore("a", {}).ValueOrDie()->Describe(), "a");
  EXPECT_EQ(OpenStore("s3://b", {}).ValueOrDie()->Describe(), "s3://b/");
  EXPECT_EQ(OpenStore("s3://b/p/q/", {}).ValueOrDie()->Describe("c"), "s3://b/p/q/c");
  EXPECT_EQ(OpenStore("s3://b/p/q/", {}).ValueOrDie()->Describe(), "s3://b/p/q");
}

TEST(OpenStoreTest, RefusesTheRestByName) {
  AMP_EXPECT_ERROR(OpenStore("az://c/p", {}), ErrorKind::kUnsupported, "no storage 'az'");
  AMP_EXPECT_ERROR(OpenStore("gs://c/p", {}), ErrorKind::kUnsupported, "s3://BUCKET/PATH");
  AMP_EXPECT_ERROR(OpenStore("s3://", {}), ErrorKind::kConfigInvalid, "no bucket");
  AMP_EXPECT_ERROR(OpenStore("file://host/p", {}), ErrorKind::kConfigInvalid, "absolute path");
  const Status status = OpenStore("s3://key:geheim@b/p", {}).status();
  AMP_EXPECT_ERROR(status, ErrorKind::kConfigInvalid, "credentials");
  EXPECT_EQ(status.message().find("geheim"), std::string::npos) << status.message();
}

TEST(S3OptionsTest, NamesAsElsewhere) {
  const auto config = storage::ParseS3Options({{"AWS_ACCESS_KEY_ID", "k"},
                                               {"aws_secret_access_key", "s"},
                                               {"endpoint_url", "http://h:1"},
                                               {"AWS_REGION", "r"},
                                               {"AWS_ALLOW_HTTP", "true"},
                                               {"aws_virtual_hosted_style_request", "TRUE"},
                                               {"aws_skip_signature", "false"}})
                          .ValueOrDie();
  EXPECT_EQ(config.access_key_id + config.secret_access_key + config.region, "ksr");
  EXPECT_EQ(config.endpoint, "http://h:1");
  EXPECT_EQ(config.path_style, false);
  AMP_EXPECT_ERROR(storage::ParseS3Options({{"aws_regoin", "x"}}), ErrorKind::kConfigInvalid,
                   "did you mean 'region'?");
}

}  // namespace
}  // namespace amp::testing
