// What S3 may answer, and what may happen instead: each as a server does it to a real client.

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "storage/faulty_s3.h"

namespace amp::testing {
namespace {

using storage::ObjectStore;
using storage::OpenStore;
using storage::PutOutcome;

constexpr const char* kCommit = "t/_delta_log/00000000000000000007.json";

class S3Faults : public ::testing::Test {
 protected:
  Result<PutOutcome> Commit(const std::string& bytes = "ours") {
    return store_->PutIfAbsent("_delta_log/00000000000000000007.json", bytes);
  }
  void ExpectOutcome(PutOutcome wanted) {
    AMP_ASSERT_OK_AND_ASSIGN(const PutOutcome outcome, Commit());
    EXPECT_EQ(outcome, wanted);
  }
  // The error of a commit that fails so.
  void ExpectCommitError(Fault fault, ErrorKind kind, const std::string& text, bool retryable) {
    fault.times = 100;
    server_.Fail(std::move(fault));
    const Status status = Commit().status();
    AMP_EXPECT_ERROR(status, kind, text);
    EXPECT_EQ(ErrorInfoOf(status).retryable, retryable) << status.message();
    EXPECT_EQ(status.message().find(FaultyS3::kSecret), std::string::npos);
    EXPECT_NE(status.message().find("s3://bucket/t/_delta_log/"), std::string::npos)
        << status.message();
  }
  int Requests(const std::string& method) {
    int count = 0;
    for (const SeenRequest& request : server_.seen()) count += request.method == method ? 1 : 0;
    return count;
  }

  FaultyS3 server_;
  std::shared_ptr<ObjectStore> store_ = server_.Store("t");
};

TEST_F(S3Faults, EveryRequestIsSignedAsTheServerExpects) {
  const std::string odd = "part=a b+c/\u00e4=1&2;x,y/100%25 'q'(*)!~$@.json";
  AMP_ASSERT_OK(store_->Put(odd, "bytes"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto read, store_->Read(odd));
  EXPECT_EQ(read->ToString(), "bytes");
  AMP_ASSERT_OK_AND_ASSIGN(const auto listed, store_->List("part=a b+c", {.recursive = true}));
  ASSERT_EQ(listed.size(), 1U);
  EXPECT_EQ(listed[0].path, odd);
  AMP_ASSERT_OK(store_->Delete({odd}));
  EXPECT_TRUE(server_.objects().empty());
}

TEST_F(S3Faults, SessionTokensAreSent) {
  auto config = server_.Config();
  config.s3.session_token = "the-session-token/+=";
  AMP_ASSERT_OK_AND_ASSIGN(const auto store, OpenStore("s3://bucket/t", config));
  AMP_ASSERT_OK(store->Put("a", "bytes"));
  EXPECT_EQ(server_.seen().back().Header("x-amz-security-token"), "the-session-token/+=");
}

TEST_F(S3Faults, WrongKeysAreNamedAndKeptSecret) {
  auto config = server_.Config();
  config.s3.secret_access_key = "a-wrong-secret";
  AMP_ASSERT_OK_AND_ASSIGN(const auto wrong, OpenStore("s3://bucket/t", config));
  const Status status = wrong->Put("a", "x");
  AMP_EXPECT_ERROR(status, ErrorKind::kUnauthenticated, "The secret access key is wrong");
  EXPECT_EQ(status.message().find("a-wrong-secret"), std::string::npos);
  config.s3.access_key_id = "another";
  AMP_ASSERT_OK_AND_ASSIGN(const auto unknown, OpenStore("s3://bucket/t", config));
  AMP_EXPECT_ERROR(unknown->Read("a"), ErrorKind::kUnauthenticated, "does not know the access key");
}

TEST_F(S3Faults, Refused403IsUnauthenticated) {
  ExpectCommitError({.status = 403, .code = "AccessDenied"}, ErrorKind::kUnauthenticated,
                    "do not allow", false);
}
TEST_F(S3Faults, ExpiredTokenIsNamed) {
  ExpectCommitError({.status = 400, .code = "ExpiredToken"}, ErrorKind::kUnauthenticated,
                    "token has expired", true);
}
TEST_F(S3Faults, SkewedClockIsNamed) {
  ExpectCommitError({.status = 403, .code = "RequestTimeTooSkewed"}, ErrorKind::kUnauthenticated,
                    "clock", false);
}
TEST_F(S3Faults, MissingBucket404IsNamed) {
  ExpectCommitError({.status = 404, .code = "NoSuchBucket"}, ErrorKind::kNotFound,
                    "There is no such bucket", false);
}
TEST_F(S3Faults, AnotherRegionIsNamed) {
  ExpectCommitError({.status = 301,
                     .code = "PermanentRedirect",
                     .headers = {{"x-amz-bucket-region", "ap-south-2"}}},
                    ErrorKind::kConfigInvalid, "in region ap-south-2, not eu-north-1", false);
}
TEST_F(S3Faults, AnotherRegionInTheDocumentIsNamed) {
  ExpectCommitError({.status = 400,
                     .code = "AuthorizationHeaderMalformed",
                     .extra = "<Region>eu-west-3</Region>"},
                    ErrorKind::kConfigInvalid, "in region eu-west-3", false);
}
TEST_F(S3Faults, NoConditionalPuts501IsUnsupported) {
  ExpectCommitError({.status = 501, .code = "NotImplemented"}, ErrorKind::kUnsupported,
                    "If-None-Match", false);
}
TEST_F(S3Faults, NoS3ServerIsProtocol) {
  ExpectCommitError({.status = 405}, ErrorKind::kProtocol, "address of an S3 server", false);
}
TEST_F(S3Faults, SlowDown503ToTheEndIsRateLimited) {
  ExpectCommitError({.status = 503, .code = "SlowDown"}, ErrorKind::kRateLimited, "SlowDown", true);
  EXPECT_EQ(Requests("PUT"), 3);
}
TEST_F(S3Faults, Conflict409ToTheEndIsAConflict) {
  ExpectCommitError({.status = 409, .code = "ConditionalRequestConflict"}, ErrorKind::kConflict,
                    "Another writer", true);
}

TEST_F(S3Faults, MissingObject404IsNotFound) {
  AMP_EXPECT_ERROR(store_->Read("none"), ErrorKind::kNotFound, "s3://bucket/t/none");
  AMP_EXPECT_ERROR(store_->Open("none"), ErrorKind::kNotFound, "s3://bucket/t/none");
}

TEST_F(S3Faults, Conflict409IsTriedAgain) {
  server_.Fail({.status = 409, .code = "ConditionalRequestConflict"});
  ExpectOutcome(PutOutcome::kWritten);
  EXPECT_EQ(Requests("PUT"), 2);
}

TEST_F(S3Faults, SlowDown503AndErrors500AreTriedAgain) {
  server_.Fail({.status = 503, .code = "SlowDown"});
  server_.Fail({.status = 500, .code = "InternalError"});
  ExpectOutcome(PutOutcome::kWritten);
  EXPECT_EQ(Requests("PUT"), 3);
}

TEST_F(S3Faults, AnotherWritersObject412Exists) {
  server_.Put(kCommit, "theirs");
  ExpectOutcome(PutOutcome::kExists);
  EXPECT_EQ(server_.objects()[kCommit], "theirs");
}

TEST_F(S3Faults, OurOwnObjectBehind412IsWritten) {
  server_.Fail({.status = 500, .code = "InternalError", .carried_out = true});
  ExpectOutcome(PutOutcome::kWritten);
  EXPECT_EQ(Requests("PUT"), 2);
  EXPECT_EQ(server_.objects()[kCommit], "ours");
}

TEST_F(S3Faults, AnotherWriterWhileOurAnswerWasLostExists) {
  server_.Put(kCommit, "theirs");
  server_.Fail({.status = 500, .code = "InternalError"});
  ExpectOutcome(PutOutcome::kExists);
}

TEST_F(S3Faults, TimeoutAfterTheWriteIsWritten) {
  auto config = server_.Config();
  config.s3.timeout = std::chrono::milliseconds(300);
  config.s3.retry_tries = 1;
  AMP_ASSERT_OK_AND_ASSIGN(store_, OpenStore("s3://bucket/t", config));
  server_.Fail({.carried_out = true, .delay_ms = 900});
  ExpectOutcome(PutOutcome::kWritten);
}

TEST_F(S3Faults, AConnectionThatEndsAfterTheWriteIsWritten) {
  server_.Fail({.carried_out = true, .drop = true});
  ExpectOutcome(PutOutcome::kWritten);
}

// Where a kept connection dies curl sends the request again by itself, and tells nobody.
TEST_F(S3Faults, AKeptConnectionThatEndsAfterTheWriteIsWritten) {
  AMP_ASSERT_OK(store_->Put("opens-the-connection", "x"));
  server_.Fail({.carried_out = true, .drop = true});
  ExpectOutcome(PutOutcome::kWritten);
  EXPECT_EQ(server_.objects()[kCommit], "ours");
}

TEST_F(S3Faults, LostAnswersWithoutAnObjectAreCommitUnknown) {
  server_.Fail({.status = 500, .code = "InternalError", .times = 3});
  const Status status = Commit().status();
  AMP_EXPECT_ERROR(status, ErrorKind::kCommitUnknown, "may still come");
  EXPECT_TRUE(ErrorInfoOf(status).retryable);
}

TEST_F(S3Faults, LostAnswersThatCannotBeLookedIntoAreCommitUnknown) {
  server_.Fail({.status = 504, .times = 3});
  server_.Fail({.method = "GET", .status = 403, .code = "AccessDenied"});
  AMP_EXPECT_ERROR(Commit(), ErrorKind::kCommitUnknown, "could not be found out");
}

TEST_F(S3Faults, NoServerIsUnavailable) {
  AMP_ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  auto config = server_.Config();
  config.s3.endpoint = "http://127.0.0.1:" + std::to_string(port);
  AMP_ASSERT_OK_AND_ASSIGN(const auto nowhere, OpenStore("s3://bucket/t", config));
  const Status status = nowhere->PutIfAbsent("a", "x").status();
  AMP_EXPECT_ERROR(status, ErrorKind::kUnavailable, "s3://bucket/t/a");
  EXPECT_TRUE(ErrorInfoOf(status).retryable);
}

TEST_F(S3Faults, ReadsAreTriedAgain) {
  server_.Put("t/a", "bytes");
  server_.Fail({.method = "GET", .drop = true});
  server_.Fail({.method = "GET", .status = 503, .code = "SlowDown"});
  AMP_ASSERT_OK_AND_ASSIGN(const auto read, store_->Read("a"));
  EXPECT_EQ(read->ToString(), "bytes");
}

TEST_F(S3Faults, ListingsComeInPagesAndGoOnAfterAPath) {
  for (int i = 0; i < 10; ++i) server_.Put("t/log/" + std::to_string(i), std::string(5, 'x'));
  server_.Put("t/log/deep/0", "x");
  server_.Put("t/log-not-this", "x");
  AMP_ASSERT_OK_AND_ASSIGN(const auto some, store_->List("log", {.after = "log/4"}));
  ASSERT_EQ(some.size(), 5U);
  EXPECT_EQ(some[0].path, "log/5");
  EXPECT_EQ(some[0].size, 5);
  EXPECT_EQ(some[0].modified_at, 1795490100250);
  AMP_ASSERT_OK_AND_ASSIGN(const auto all, store_->List("log", {.recursive = true}));
  EXPECT_EQ(all.size(), 11U);
}

TEST_F(S3Faults, BrokenListingsAreProtocol) {
  server_.Fail({.method = "GET", .status = 200});
  AMP_EXPECT_ERROR(store_->List("log", {}), ErrorKind::kProtocol, "ListBucketResult");
}

class S3Parts : public S3Faults {
 protected:
  void Write(storage::OutputObject* output, size_t bytes) {
    for (size_t done = 0; done < bytes; done += 1 << 20) {
      std::string piece(std::min<size_t>(1 << 20, bytes - done), 'a');
      piece[0] = static_cast<char>('b' + (done >> 20) % 20);
      whole_ += piece;
      AMP_ASSERT_OK(output->Write(arrow::Buffer::FromString(std::move(piece))));
    }
  }
  std::string whole_;
};

TEST_F(S3Parts, LargeObjectsGoInParts) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto output, store_->Create("big"));
  Write(output.get(), (20 << 20) + 7);
  EXPECT_FALSE(server_.objects().contains("t/big")) << "nothing is to be seen before Close";
  AMP_ASSERT_OK(output->Close());
  EXPECT_TRUE(server_.objects()["t/big"] == whole_);
  EXPECT_EQ(server_.open_uploads(), 0U);
  EXPECT_EQ(Requests("PUT"), 3);
}

TEST_F(S3Parts, SmallObjectsGoInOneRequest) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto output, store_->Create("small"));
  Write(output.get(), 8 << 20);
  AMP_ASSERT_OK(output->Close());
  EXPECT_TRUE(server_.objects()["t/small"] == whole_);
  EXPECT_EQ(server_.seen().size(), 1U);
}

TEST_F(S3Parts, AnUploadThatIsDroppedLeavesNothing) {
  {
    AMP_ASSERT_OK_AND_ASSIGN(const auto output, store_->Create("big"));
    Write(output.get(), 9 << 20);
    EXPECT_EQ(server_.open_uploads(), 1U);
  }
  EXPECT_EQ(server_.open_uploads(), 0U);
  EXPECT_TRUE(server_.objects().empty());
}

TEST_F(S3Parts, ACompletionWhoseAnswerIsLostIsFound) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto output, store_->Create("big"));
  Write(output.get(), 9 << 20);
  server_.Fail({.method = "POST", .status = 500, .code = "InternalError", .carried_out = true});
  AMP_ASSERT_OK(output->Close());
  EXPECT_TRUE(server_.objects()["t/big"] == whole_);
}

TEST_F(S3Parts, AnErrorInACompletionWithStatus200Fails) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto output, store_->Create("big"));
  Write(output.get(), 9 << 20);
  server_.Fail({.method = "POST", .status = 200, .code = "InternalError"});
  AMP_EXPECT_ERROR(output->Close(), ErrorKind::kUnavailable, "InternalError");
  AMP_ASSERT_OK(output->Abort());
  EXPECT_EQ(server_.open_uploads(), 0U);
}

TEST_F(S3Faults, FilesAreReadInFewRequests) {
  std::string bytes(5 << 20, '\0');
  for (size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<char>(i * 31 >> 3);
  server_.Put("t/f", bytes);
  AMP_ASSERT_OK_AND_ASSIGN(const auto file, store_->Open("f"));
  EXPECT_EQ(file->GetSize().ValueOrDie(), 5 << 20);
  AMP_ASSERT_OK_AND_ASSIGN(const auto tail, file->ReadAt((5 << 20) - 5000, 9000));
  EXPECT_TRUE(tail->ToString() == bytes.substr(bytes.size() - 5000));
  EXPECT_EQ(Requests("GET"), 1) << "the end comes with opening";
  for (int64_t at = 0; at < 2 << 20; at += 1 << 18) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto one, file->ReadAt(at, 1 << 18));
    AMP_ASSERT_OK_AND_ASSIGN(const auto other, file->ReadAt(at + (2 << 20), 1 << 18));
    EXPECT_TRUE(one->ToString() == bytes.substr(static_cast<size_t>(at), 1 << 18));
    EXPECT_TRUE(other->ToString() == bytes.substr(static_cast<size_t>(at) + (2 << 20), 1 << 18));
  }
  EXPECT_EQ(Requests("GET"), 1 + 4) << "a MiB at a time, two places side by side";
}

TEST_F(S3Faults, AFileThatIsReplacedMeanwhileIsRefused) {
  server_.Put("t/f", std::string(1 << 20, 'a'));
  AMP_ASSERT_OK_AND_ASSIGN(const auto file, store_->Open("f"));
  server_.Put("t/f", std::string(1 << 20, 'b'));
  AMP_EXPECT_ERROR(file->ReadAt(0, 100), ErrorKind::kDataInvalid, "was replaced");
}

TEST_F(S3Faults, EmptyFilesOpen) {
  server_.Put("t/empty", "");
  AMP_ASSERT_OK_AND_ASSIGN(const auto file, store_->Open("empty"));
  EXPECT_EQ(file->GetSize().ValueOrDie(), 0);
}

}  // namespace
}  // namespace amp::testing
