// Where credentials come from, each place with a service that gives them.

#include "storage/aws_credentials.h"

#include <arrow/buffer.h>
#include <fmt/chrono.h>
#include <fmt/format.h>

#include <atomic>
#include <filesystem>
#include <fstream>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "storage/faulty_s3.h"

namespace amp::testing {
namespace {

using storage::AwsCredentialChain;
using storage::AwsCredentials;
using storage::S3Config;

std::string InSeconds(int seconds) {
  return fmt::format("{:%Y-%m-%dT%H:%M:%SZ}",
                     fmt::gmtime(std::time(nullptr) + static_cast<std::time_t>(seconds)));
}

class Credentials : public ::testing::Test {
 protected:
  void SetUp() override {
    environment_["HOME"] = folder_.path();
    environment_["AWS_EC2_METADATA_DISABLED"] = "true";
  }
  storage::Environment Look() {
    return [this](const char* name) {
      const auto found = environment_.find(name);
      return found == environment_.end() ? std::string() : found->second;
    };
  }
  Result<AwsCredentials> Find(S3Config config = {}) {
    return AwsCredentialChain(std::move(config), "us-east-1", Look()).Get();
  }
  void ExpectKey(const std::string& key, const std::string& token, S3Config config = {}) {
    AMP_ASSERT_OK_AND_ASSIGN(const AwsCredentials found, Find(std::move(config)));
    EXPECT_EQ(found.access_key_id, key);
    EXPECT_EQ(found.secret_access_key, "secret of " + key);
    EXPECT_EQ(found.session_token, token);
  }
  void SetKey(const std::string& key) {
    environment_["AWS_ACCESS_KEY_ID"] = key;
    environment_["AWS_SECRET_ACCESS_KEY"] = "secret of " + key;
  }
  void WriteProfiles(const std::string& credentials, const std::string& config = {}) {
    std::filesystem::create_directories(folder_.file(".aws"));
    std::ofstream(folder_.file(".aws/credentials")) << credentials;
    std::ofstream(folder_.file(".aws/config")) << config;
  }
  static std::string JsonOf(const std::string& key, int seconds) {
    return fmt::format(
        R"({{"Code":"Success","AccessKeyId":"{0}","SecretAccessKey":"secret of {0}",)"
        R"("Token":"token of {0}","Expiration":"{1}"}})",
        key, InSeconds(seconds));
  }

  TemporaryFolder folder_;
  std::map<std::string, std::string> environment_;
};

TEST_F(Credentials, NoneAtAllSaysWhereWasLooked) {
  AMP_EXPECT_ERROR(Find(), ErrorKind::kUnauthenticated, "AWS_ACCESS_KEY_ID");
}

TEST_F(Credentials, TheConfigurationGoesFirst) {
  SetKey("environment");
  ExpectKey("configured", "t",
            {.access_key_id = "configured",
             .secret_access_key = "secret of configured",
             .session_token = "t"});
  const Status half = Find({.access_key_id = "configured"}).status();
  AMP_EXPECT_ERROR(half, ErrorKind::kConfigInvalid, "go together");
}

TEST_F(Credentials, TheEnvironmentGoesBeforeProfiles) {
  WriteProfiles("[default]\naws_access_key_id = p\naws_secret_access_key = secret of p\n");
  SetKey("environment");
  environment_["AWS_SESSION_TOKEN"] = "t";
  ExpectKey("environment", "t");
}

TEST_F(Credentials, ProfilesAreReadFromBothFiles) {
  WriteProfiles(
      "# a comment\n[default]\naws_access_key_id=d\naws_secret_access_key=secret of d\n"
      "[work]\naws_access_key_id = w\n aws_nested = x\naws_secret_access_key = secret of w\n"
      "aws_session_token = t\n",
      "[profile only-config]\naws_access_key_id = c\naws_secret_access_key = secret of c\n");
  ExpectKey("d", "");
  environment_["AWS_PROFILE"] = "work";
  ExpectKey("w", "t");
  ExpectKey("c", "", {.profile = "only-config"});
  SetKey("environment");
  ExpectKey("w", "t", {.profile = "work"});
  AMP_EXPECT_ERROR(Find({.profile = "none"}), ErrorKind::kUnauthenticated, "no profile 'none'");
}

TEST_F(Credentials, FilesElsewhere) {
  std::ofstream(folder_.file("mine")) << "[default]\naws_access_key_id = m\n"
                                         "aws_secret_access_key = secret of m\n";
  environment_["AWS_SHARED_CREDENTIALS_FILE"] = folder_.file("mine");
  ExpectKey("m", "");
}

TEST_F(Credentials, ProfilesThatNeedMoreAreNamed) {
  WriteProfiles("", "[default]\nrole_arn = arn:aws:iam::1:role/x\nsource_profile = y\n");
  AMP_EXPECT_ERROR(Find(), ErrorKind::kUnsupported, "'role_arn'");
}

TEST_F(Credentials, WebIdentitiesAreExchangedAtSts) {
  std::string body;
  HttpServer sts([&](const SeenRequest& request) {
    body = request.body;
    return TestAnswer{
        .body = fmt::format(
            "<AssumeRoleWithWebIdentityResponse><AssumeRoleWithWebIdentityResult><Credentials>"
            "<AccessKeyId>web</AccessKeyId><SecretAccessKey>secret of web</SecretAccessKey>"
            "<SessionToken>token of web</SessionToken><Expiration>{}</Expiration></Credentials>"
            "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>",
            InSeconds(3600))};
  });
  std::ofstream(folder_.file("token")) << "eyJ+/=\n";
  environment_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_.file("token");
  environment_["AWS_ROLE_ARN"] = "arn:aws:iam::1:role/x";
  environment_["AWS_ENDPOINT_URL_STS"] = sts.url();
  ExpectKey("web", "token of web");
  EXPECT_EQ(body,
            "Action=AssumeRoleWithWebIdentity&RoleArn=arn%3Aaws%3Aiam%3A%3A1%3Arole%2Fx&"
            "RoleSessionName=ampload&Version=2011-06-15&WebIdentityToken=eyJ%2B%2F%3D");
}

TEST_F(Credentials, ARefusedWebIdentityIsAnErrorAndNotLeftOut) {
  HttpServer sts([](const SeenRequest&) { return TestAnswer{.status = 403}; });
  std::ofstream(folder_.file("token")) << "a-web-token";
  environment_["AWS_WEB_IDENTITY_TOKEN_FILE"] = folder_.file("token");
  environment_["AWS_ROLE_ARN"] = "arn";
  environment_["AWS_ENDPOINT_URL_STS"] = sts.url();
  const Status status = Find().status();
  AMP_EXPECT_ERROR(status, ErrorKind::kUnauthenticated, "STS");
  EXPECT_EQ(status.message().find("a-web-token"), std::string::npos);
}

TEST_F(Credentials, ContainersAskTheirAgent) {
  std::string authorization;
  HttpServer agent([&](const SeenRequest& request) {
    authorization = request.Header("authorization");
    return TestAnswer{.body = JsonOf("container", 3600)};
  });
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = agent.url() + "/get";
  environment_["AWS_CONTAINER_AUTHORIZATION_TOKEN"] = "agent-token";
  ExpectKey("container", "token of container");
  EXPECT_EQ(authorization, "agent-token");
  environment_["AWS_CONTAINER_CREDENTIALS_FULL_URI"] = "http://example.com/get";
  AMP_EXPECT_ERROR(Find(), ErrorKind::kConfigInvalid, "example.com");
}

class MetadataService : public Credentials {
 protected:
  TestAnswer Answer(const SeenRequest& request) {
    ++requests_;
    if (request.path == "/latest/api/token") {
      const bool right = request.method == "PUT" &&
                         request.Header("x-aws-ec2-metadata-token-ttl-seconds") == "21600";
      return right ? TestAnswer{.body = "imds-token"} : TestAnswer{.status = 400};
    }
    if (request.Header("x-aws-ec2-metadata-token") != "imds-token") return {.status = 401};
    const std::string roles = "/latest/meta-data/iam/security-credentials/";
    if (request.path == roles) return {.body = "the-role\n"};
    if (request.path != roles + "the-role") return {.status = 404};
    ++given_;
    return {.body = JsonOf(fmt::format("machine{}", given_.load()), seconds_)};
  }
  void SetUp() override {
    Credentials::SetUp();
    environment_.erase("AWS_EC2_METADATA_DISABLED");
    environment_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = service_.url();
  }

  std::atomic<int> requests_{0}, given_{0}, seconds_{3600};
  HttpServer service_{[this](const SeenRequest& request) { return Answer(request); }};
};

TEST_F(MetadataService, GivesCredentialsThatAreKept) {
  AwsCredentialChain chain({}, "us-east-1", Look());
  for (int i = 0; i < 3; ++i) {
    AMP_ASSERT_OK_AND_ASSIGN(const AwsCredentials found, chain.Get());
    EXPECT_EQ(found.access_key_id, "machine1");
    EXPECT_EQ(found.session_token, "token of machine1");
  }
  EXPECT_EQ(requests_, 3) << "token, role, credentials: once";
}

TEST_F(MetadataService, CredentialsAreRenewedBeforeTheyExpire) {
  seconds_ = 120;
  AwsCredentialChain chain({}, "us-east-1", Look());
  AMP_ASSERT_OK(chain.Get());
  AMP_ASSERT_OK_AND_ASSIGN(const AwsCredentials found, chain.Get());
  EXPECT_EQ(found.access_key_id, "machine2");
}

TEST_F(MetadataService, CredentialsThatTheServerCallsExpiredAreRenewed) {
  HttpServer s3([](const SeenRequest& request) {
    const bool fresh = request.Header("authorization").find("=machine2/") != std::string::npos;
    return fresh ? TestAnswer{.body = "bytes"}
                 : TestAnswer{.status = 400, .body = "<Error><Code>ExpiredToken</Code></Error>"};
  });
  storage::StoreConfig config{.s3 = {.endpoint = s3.url(), .retry_tries = 2},
                              .environment = Look()};
  AMP_ASSERT_OK_AND_ASSIGN(const auto store, storage::OpenStore("s3://bucket/t", config));
  AMP_ASSERT_OK_AND_ASSIGN(const auto read, store->Read("a"));
  EXPECT_EQ(read->ToString(), "bytes");
  EXPECT_EQ(given_, 2);
}

TEST_F(Credentials, NoMetadataServiceIsNoCredentials) {
  AMP_ASSERT_OK_AND_ASSIGN(const int port, FreePort());
  environment_.erase("AWS_EC2_METADATA_DISABLED");
  environment_["AWS_EC2_METADATA_SERVICE_ENDPOINT"] = fmt::format("http://127.0.0.1:{}", port);
  AMP_EXPECT_ERROR(Find(), ErrorKind::kUnauthenticated, "no metadata service");
}

}  // namespace
}  // namespace amp::testing
