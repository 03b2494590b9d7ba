// What an Amp source takes before it connects: URLs, options, tokens. And what errors become.

#include <arrow/flight/types.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "amp/amp_source.h"
#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "sources/amp/endpoint.h"
#include "sources/amp/flight_error.h"
#include "sources/amp/token.h"

namespace amp {
namespace {

using arrow::flight::FlightStatusCode;
using arrow::flight::MakeFlightError;
using Strings = std::vector<std::string>;

Result<Strings> Urls(const std::string& url, const Strings& more = {}) {
  ARROW_ASSIGN_OR_RAISE(const auto endpoints, ParseAmpEndpoints(url, more));
  Strings urls;
  for (const AmpEndpoint& endpoint : endpoints) urls.push_back(endpoint.Url());
  return urls;
}

TEST(AmpUrl, OneServerOrSeveral) {
  EXPECT_EQ(*Urls("grpc://a:1"), (Strings{"grpc://a:1"}));
  EXPECT_EQ(*Urls("grpc+tcp://a:1/"), (Strings{"grpc://a:1"}));
  EXPECT_EQ(*Urls("grpc+tls://a:443"), (Strings{"grpc+tls://a:443"}));
  EXPECT_EQ(*Urls("grpcs://a:443,b:444, grpc://c:1"),
            (Strings{"grpc+tls://a:443", "grpc+tls://b:444", "grpc://c:1"}));
  EXPECT_EQ(*Urls("grpc://[::1]:1602", {"b:2"}), (Strings{"grpc://[::1]:1602", "grpc://b:2"}));
}

TEST(AmpUrl, RefusesWhatIsNone) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "empty"},
      {"a:1", "no scheme"},
      {"http://a:1", "scheme is not known"},
      {"grpc://a", "no port"},
      {"grpc://[::1]", "no port"},
      {"grpc://a:0", "port"},
      {"grpc://a:70000", "port"},
      {"grpc://a:x", "port"},
      {"grpc://:1", "no host"},
      {"grpc://::1:1602", "brackets"},
      {"grpc://a:1/path", "follows the port"},
      {"grpc://a:1?x=y", "follows the port"},
      {"grpc://me:hunter2@a:1", "user or password"},
  };
  for (const auto& [url, words] : cases) {
    SCOPED_TRACE(url);
    AMP_EXPECT_ERROR(Urls(url), ErrorKind::kConfigInvalid, words);
    EXPECT_EQ(Urls(url).status().message().find("hunter2"), std::string::npos);
  }
}

TEST(AmpOptions, OneListOfFields) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto options, ParseConfig<AmpSourceOptions>(
                                                   "source", {{"endpoints", {"b:2,c:3"}},
                                                              {"amp_stream", {"false"}},
                                                              {"headers.x-team", {"secret team"}},
                                                              {"token", {"tok"}},
                                                              {"connect_timeout", {"250ms"}},
                                                              {"keepalive_time", {"1m"}},
                                                              {"max_message_size", {"64MiB"}}}));
  EXPECT_EQ(options.endpoints, (Strings{"b:2", "c:3"}));
  EXPECT_FALSE(options.streaming);
  EXPECT_EQ(options.headers.at("x-team"), "secret team");
  EXPECT_EQ(options.connect_timeout, std::chrono::milliseconds(250));
  EXPECT_EQ(options.keepalive_time, std::chrono::minutes(1));
  EXPECT_EQ(options.max_message_size.bytes, 64 << 20);
  const AmpSourceOptions defaults;
  const std::string shown = RedactedText(FieldsOf<AmpSourceOptions>(), &options, &defaults);
  EXPECT_NE(shown.find("token=***"), std::string::npos) << shown;
  EXPECT_NE(shown.find("headers=***"), std::string::npos) << shown;
  EXPECT_EQ(shown.find("secret team"), std::string::npos) << shown;
}

TEST(AmpOptions, RefusesWhatDoesNotGoTogether) {
  const auto open = [](const AmpSourceOptions& options, const std::string& query = "SELECT 1") {
    return OpenAmpSource("grpc://a:1", query, options);
  };
  AMP_ASSERT_OK(open({}));
  AMP_EXPECT_ERROR(open({}, " ;\n"), ErrorKind::kConfigInvalid, "query is empty");
  AMP_EXPECT_ERROR(open({.token = "a", .token_file = "b"}), ErrorKind::kConfigInvalid, "both set");
  AMP_EXPECT_ERROR(open({.tls_client_cert = "a"}), ErrorKind::kConfigInvalid, "go together");
  AMP_EXPECT_ERROR(open({.tls_root_certs = "/no/such.pem"}), ErrorKind::kConfigInvalid,
                   "/no/such.pem");
  AMP_EXPECT_ERROR(open({.headers = {{"x y", "1"}}}), ErrorKind::kConfigInvalid, "'x y'");
  AMP_EXPECT_ERROR(open({.headers = {{"Authorization", "1"}}}), ErrorKind::kConfigInvalid,
                   "set by Ampload itself");
  const Status bad_value = open({.headers = {{"x", "12\n34"}}}).status();
  AMP_EXPECT_ERROR(bad_value, ErrorKind::kConfigInvalid, "printable");
  EXPECT_EQ(bad_value.message().find("34"), std::string::npos);
}

TEST(AmpOptions, DescribesItselfWithoutSecrets) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto source,
                           OpenAmpSource("grpc://a:1,b:2", "SELECT 1", {.token = "hunter2"}));
  EXPECT_EQ(source->Describe(), "grpc://a:1,grpc://b:2");
  EXPECT_EQ(source->query(), "SELECT 1");
}

// Away from the machine's own login.
class AmpToken_ : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("HOME", folder_.path().c_str(), 1);
    unsetenv("AMP_AUTH_TOKEN");
  }
  std::string Write(const std::string& name, const std::string& text) {
    const std::string path = folder_.file(name);
    std::filesystem::create_directories(std::filesystem::path(path).parent_path());
    std::ofstream(path) << text;
    return path;
  }
  static std::string ValueOf(const AmpSourceOptions& options) {
    const auto token = FindAmpToken(options);
    return token.ok() ? token->value : "error: " + token.status().message();
  }

  testing::TemporaryFolder folder_;
};

TEST_F(AmpToken_, ComesFromTheFirstPlaceThatHasOne) {
  EXPECT_EQ(ValueOf({}), "");
  Write(".amp/cache/amp_cli_auth",
        R"({"accessToken":"of-cli","refreshToken":"r","userId":"u","expiry":99999999999999})");
  EXPECT_EQ(ValueOf({}), "of-cli");
  setenv("AMP_AUTH_TOKEN", "of-env\n", 1);
  EXPECT_EQ(ValueOf({}), "of-env");
  const std::string file = Write("token", "  Bearer of-file\n");
  EXPECT_EQ(ValueOf({.token_file = file}), "of-file");
  EXPECT_EQ(ValueOf({.token = "of-option"}), "of-option");
}

TEST_F(AmpToken_, IsFoundInAnyLikelyJson) {
  for (const char* json :
       {R"({"access_token":"tok"})", R"({"token":"tok","expires_at":"2999-01-01T00:00:00Z"})",
        R"({"session":{"user":"u","accessToken":"tok"},"v":1})", R"("tok")",
        R"({"token":"tok","exp":32503680000})", R"({"token":{"access_token":"tok"}})"}) {
    SCOPED_TRACE(json);
    EXPECT_EQ(ValueOf({.token_file = Write("token", json)}), "tok");
  }
}

TEST_F(AmpToken_, SaysWhichFileIsToBlame) {
  const std::vector<std::pair<std::string, std::string>> cases{
      {"", "empty"},
      {"{\"accessToken\":", "no JSON"},
      {R"({"refreshToken":"hunter2"})", "no text accessToken"},
      {R"({"accessToken":"hunter2","expiry":1764000000000})", "expired at 2025-11-24T16:00:00"},
      {R"({"accessToken":"hunter2","expires_at":1764000000})", "expired at 2025-11-24T16:00:00"},
      {R"({"accessToken":"hunter2","expiry":"2025-11-24T16:00:00Z"})", "expired at 2025-11-24"},
      {"hunter2 hunter3", "a character that no token has"},
  };
  for (const auto& [text, words] : cases) {
    SCOPED_TRACE(text);
    const std::string path = Write("auth", text);
    const Status status = FindAmpToken({.token_file = path}).status();
    AMP_EXPECT_ERROR(status, ErrorKind::kUnauthenticated, words);
    EXPECT_NE(status.message().find(path), std::string::npos) << status.message();
    EXPECT_EQ(status.message().find("hunter"), std::string::npos) << status.message();
    EXPECT_EQ(ExitCodeOf(status), 3);
  }
  AMP_EXPECT_ERROR(FindAmpToken({.token_file = "/no/such/token"}), ErrorKind::kConfigInvalid,
                   "/no/such/token");
}

struct Mapped {
  arrow::Status status;
  ErrorKind kind;
  bool retryable;
};

TEST(AmpErrors, FollowTheCode) {
  const auto flight = [](FlightStatusCode code) { return MakeFlightError(code, "words"); };
  const std::vector<Mapped> cases{
      {flight(FlightStatusCode::Unauthenticated), ErrorKind::kUnauthenticated, false},
      {flight(FlightStatusCode::Unauthorized), ErrorKind::kUnauthenticated, false},
      {flight(FlightStatusCode::Unavailable), ErrorKind::kUnavailable, true},
      {flight(FlightStatusCode::TimedOut), ErrorKind::kUnavailable, true},
      {flight(FlightStatusCode::Cancelled), ErrorKind::kUnavailable, true},
      {flight(FlightStatusCode::Internal), ErrorKind::kUnavailable, true},
      {flight(FlightStatusCode::Failed), ErrorKind::kUnavailable, true},
      {Status::UnknownError("words"), ErrorKind::kUnavailable, true},
      {Status::Invalid("words"), ErrorKind::kUnsupported, false},
      {Status::KeyError("words"), ErrorKind::kNotFound, false},
      {Status::NotImplemented("words"), ErrorKind::kUnsupported, false},
      {Status::Invalid("gRPC returned resource exhausted error, with message: words"),
       ErrorKind::kRateLimited, true},
  };
  for (const Mapped& mapped : cases) {
    SCOPED_TRACE(mapped.status.ToString());
    const Status status =
        FlightError(mapped.status, {.operation = "DoGet", .server = "grpc://a:1"});
    AMP_EXPECT_ERROR(status, mapped.kind, "words");
    EXPECT_EQ(ErrorInfoOf(status).retryable, mapped.retryable);
    EXPECT_EQ(ErrorInfoOf(status).side, ErrorSide::kSource);
    EXPECT_EQ(ExitCodeOf(status), 3);
    EXPECT_NE(status.message().find("grpc://a:1"), std::string::npos);
  }
}

TEST(AmpErrors, ShowTheServersWordsAndNoSecret) {
  const Status status = FlightError(
      Status::Invalid("Flight returned invalid argument error, with message: no table x for "
                      "hunter2. gRPC client debug context: UNKNOWN:Error received from peer"),
      {.operation = "GetFlightInfo", .server = "grpc://a:1", .secrets = {"", "hunter2"}});
  EXPECT_EQ(status.message(),
            "Amp server grpc://a:1 refuses the query (GetFlightInfo): no table x for ***; change "
            "the query, or check that an Amp server listens there");
}

}  // namespace
}  // namespace amp
