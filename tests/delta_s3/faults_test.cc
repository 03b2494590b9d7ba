// What S3 may answer while a Delta table is loaded: the right kind of error, nothing lost, nothing
// twice.

#include <arrow/table.h>

#include <set>

#include "conformance/delta_stream_fixture.h"
#include "storage/faulty_s3.h"

namespace amp::testing {
namespace {

class DeltaS3Faults : public DeltaStreamFixture {
 protected:
  static constexpr const char* kLog = "/_delta_log/0000000000";

  Result<Loaded> MakeAt(const std::string& secret = FaultyS3::kSecret,
                        const std::string& bucket = "bucket") {
    const ConfigValue::Map options{{"endpoint", server_.url()},
                                   {"region", "eu-north-1"},
                                   {"access_key_id", FaultyS3::kKeyId},
                                   {"secret_access_key", secret}};
    ARROW_ASSIGN_OR_RAISE(
        auto loader,
        Registry::Global().Make("delta", {{"path", {.value = "s3://" + bucket + "/lake"}},
                                          {"storage_options", {.value = options}}}));
    ARROW_RETURN_NOT_OK(loader->Connect());
    return loader;
  }
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(loader_, MakeAt());
    AMP_ASSERT_OK_AND_ASSIGN(state_, loader_->OpenStream(Spec()));
    AMP_ASSERT_OK(CommitBatch(loader_.get(), &state_, 1, {{1, "a"}}));
  }
  Status CommitTwo() { return CommitBatch(loader_.get(), &state_, 2, {{2, "b"}}); }
  /// What a fresh loader reads.
  Lines Found() {
    const auto loader = MakeAt();
    if (!loader.ok()) return {loader.status().ToString()};
    const auto reader = (*loader)->ReadTable("t");
    if (!reader.ok()) return {reader.status().ToString()};
    const auto table = (*reader)->ToTable().ValueOrDie();
    Lines lines;
    for (int64_t i = 0; i < table->num_rows(); ++i) {
      lines.push_back(table->column(0)->GetScalar(i).ValueOrDie()->ToString() + " " +
                      table->column(1)->GetScalar(i).ValueOrDie()->ToString());
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }
  size_t Objects(const std::string& part) {
    size_t count = 0;
    for (const auto& [key, bytes] : server_.objects()) {
      count += key.find(part) != std::string::npos ? 1 : 0;
    }
    return count;
  }
  /// A commit that fails so, and nothing of it; then one that goes well.
  void ExpectNothingStored(Fault fault, ErrorKind kind, int exit_code) {
    fault.path = fault.path.empty() ? kLog : fault.path;
    fault.times = 100;
    server_.Fail(std::move(fault));
    const Status status = CommitTwo();
    EXPECT_EQ(KindOf(status), kind) << status.ToString();
    EXPECT_EQ(ExitCodeOf(status), exit_code) << status.ToString();
    EXPECT_EQ(status.message().find(FaultyS3::kSecret), std::string::npos);
    server_.Heal();
    EXPECT_EQ(Found(), Lines{"1 a"});
    EXPECT_EQ(Objects(".parquet"), 1U);
    AMP_ASSERT_OK(CommitTwo());
    EXPECT_EQ(Found(), (Lines{"1 a", "2 b"}));
  }

  FaultyS3 server_;
  Loaded loader_;
  StreamState state_;
};

TEST_F(DeltaS3Faults, ALogThatMayNotBeWritten) {
  ExpectNothingStored({.status = 403, .code = "AccessDenied"}, ErrorKind::kUnauthenticated, 4);
}
TEST_F(DeltaS3Faults, CredentialsThatHaveExpired) {
  ExpectNothingStored({.status = 400, .code = "ExpiredToken"}, ErrorKind::kUnauthenticated, 4);
}
TEST_F(DeltaS3Faults, ABucketThatIsGone) {
  ExpectNothingStored({.status = 404, .code = "NoSuchBucket"}, ErrorKind::kNotFound, 4);
}
TEST_F(DeltaS3Faults, DataFilesThatMayNotBeWritten) {
  ExpectNothingStored({.status = 403, .code = "AccessDenied", .path = ".parquet"},
                      ErrorKind::kUnauthenticated, 4);
}
TEST_F(DeltaS3Faults, AStateThatMayNotBeWritten) {
  ExpectNothingStored({.status = 403, .code = "AccessDenied", .path = "/_ampload/"},
                      ErrorKind::kUnauthenticated, 4);
}
TEST_F(DeltaS3Faults, AServerWithoutConditionalPuts) {
  ExpectNothingStored({.status = 501, .code = "NotImplemented"}, ErrorKind::kUnsupported, 5);
}

TEST_F(DeltaS3Faults, WhatPassesIsTriedAgain) {
  for (const auto& [status, code] :
       {std::pair(500, "InternalError"), std::pair(503, "SlowDown"),
        std::pair(409, "ConditionalRequestConflict"), std::pair(503, "ServiceUnavailable")}) {
    server_.Fail({.status = status, .code = code, .path = kLog});
  }
  AMP_ASSERT_OK(CommitTwo());
  EXPECT_EQ(Found(), (Lines{"1 a", "2 b"}));
}

TEST_F(DeltaS3Faults, ACommitWhoseAnswerWasLostIsFoundAndNotRepeated) {
  server_.Fail({.status = 500, .code = "InternalError", .carried_out = true, .path = kLog});
  AMP_ASSERT_OK(CommitTwo());
  server_.Fail({.carried_out = true, .drop = true, .path = kLog});
  AMP_ASSERT_OK(CommitBatch(loader_.get(), &state_, 3, {{3, "c"}}));
  EXPECT_EQ(Found(), (Lines{"1 a", "2 b", "3 c"}));
  EXPECT_EQ(Objects("_delta_log/0000"), 4U);
}

TEST_F(DeltaS3Faults, ACommitThatNobodyKnowsOfLeavesItsFiles) {
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state_)));
  AMP_ASSERT_OK(Write(transaction.get(), 2, {{2, "b"}}));
  // Written, but every answer is lost, and the log cannot be looked into.
  Fault lost{.status = 500, .code = "InternalError", .carried_out = true, .times = 100};
  lost.path = kLog;
  server_.Fail(lost);
  Fault blind{.method = "GET", .status = 403, .code = "AccessDenied", .times = 100};
  blind.path = kLog;
  server_.Fail(blind);
  const Status status = CommitWith(transaction.get(), &state_, 2, {EntryOf(2, 2)});
  transaction.reset();
  server_.Heal();
  AMP_EXPECT_ERROR(status, ErrorKind::kCommitUnknown, "not known");
  EXPECT_EQ(Found(), (Lines{"1 a", "2 b"}));
  StreamSpec spec = Spec();
  spec.held_epoch = state_.epoch;
  AMP_ASSERT_OK_AND_ASSIGN(state_, loader_->OpenStream(spec));
  EXPECT_EQ(state_.checkpoint.last_batch_id, 2);
}

// The first try's answer is lost and the object is not there; the next one is refused. The first
// may still come, so the files that it names must stay.
TEST_F(DeltaS3Faults, ATryThatMayStillComeKeepsItsFiles) {
  server_.Fail({.status = 500, .code = "InternalError", .times = 6, .path = kLog});
  server_.Fail({.status = 403, .code = "AccessDenied", .path = kLog});
  const Status status = CommitTwo();
  AMP_EXPECT_ERROR(status, ErrorKind::kCommitUnknown, "not known");
  EXPECT_EQ(Objects(".parquet"), 2U);
  EXPECT_EQ(Found(), Lines{"1 a"});
  std::string late;
  for (const SeenRequest& request : server_.seen()) {
    if (request.method == "PUT" && request.path.find(kLog) != std::string::npos) {
      late = request.body;
    }
  }
  server_.Put("lake/t/_delta_log/00000000000000000002.json", late);
  EXPECT_EQ(Found(), (Lines{"1 a", "2 b"}));
}

TEST_F(DeltaS3Faults, AnotherWritersCommitIsFollowed) {
  AMP_ASSERT_OK_AND_ASSIGN(auto other, MakeAt());
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state_)));
  AMP_ASSERT_OK(Write(transaction.get(), 2, {{2, "b"}}));
  AMP_ASSERT_OK(other->LoadBatch(*Plain(9), "t").status);
  // 412, and once in doubt whether it was ours.
  server_.Fail({.status = 500, .code = "InternalError", .path = kLog});
  AMP_ASSERT_OK(CommitWith(transaction.get(), &state_, 2, {EntryOf(2, 2)}));
  EXPECT_EQ(Found(), (Lines{"1 a", "2 b", "9 load"}));
}

TEST_F(DeltaS3Faults, MaintenanceDeletesWhatNoVersionNeeds) {
  AMP_ASSERT_OK(loader_->LoadBatch(*Plain(3), "other").status);
  AMP_ASSERT_OK(loader_->LoadBatch(*Plain(4), "other", {.mode = LoadMode::kOverwrite}).status);
  ASSERT_EQ(Objects("other/part-"), 2U);
  const MaintainOptions at_once{.retention = std::chrono::milliseconds(0), .force = true};
  server_.Fail({.method = "DELETE", .status = 403, .code = "AccessDenied"});
  AMP_EXPECT_ERROR(loader_->MaintainTable("other", at_once), ErrorKind::kUnauthenticated,
                   "other/part-");
  server_.Heal();
  EXPECT_EQ(Objects("other/part-"), 2U);
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult done, loader_->MaintainTable("other", at_once));
  EXPECT_EQ(done.files.size(), 1U);
  EXPECT_EQ(Objects("other/part-"), 1U);
  EXPECT_EQ(Objects("other" + std::string(kLog) + "0000000001.checkpoint.parquet"), 1U);
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, loader_->ReadTable("other"));
  EXPECT_EQ(rows->ToTable().ValueOrDie()->num_rows(), 1);
}

TEST_F(DeltaS3Faults, WrongKeysAndBucketsAreSaidBeforeAnythingIsWritten) {
  const Status wrong = MakeAt("another-secret").status();
  AMP_EXPECT_ERROR(wrong, ErrorKind::kUnauthenticated, "secret access key is wrong");
  EXPECT_EQ(wrong.message().find("another-secret"), std::string::npos);
  EXPECT_EQ(ExitCodeOf(wrong), 4);
  AMP_EXPECT_ERROR(MakeAt(FaultyS3::kSecret, "no-bucket"), ErrorKind::kNotFound, "no-bucket");
}

}  // namespace
}  // namespace amp::testing
