// The Amp source against a real Flight server in this process: what it reads, and what it refuses.

#include <arrow/builder.h>
#include <arrow/table.h>

#include <fstream>

#include "unit/amp_source_fixture.h"

namespace amp::unit {
namespace {

using namespace std::chrono_literals;

TEST_F(AmpSourceTest, ReadsRowsRangesAndWatermarks) {
  const auto server = AmpServer::Start(OneMicrobatch());
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url()));
  EXPECT_TRUE(connection->schema()->Equals(*TestSchema()));
  AMP_ASSERT_OK_AND_ASSIGN(const auto messages, ReadAll(connection.get()));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_TRUE(
      messages[0].batch->Equals(*Rows(R"([{"_block_num":1,"text":"a"},{"_block_num":2}])")));
  EXPECT_FALSE(messages[0].ranges_complete);
  EXPECT_EQ(messages[0].ranges,
            (std::vector<BlockRange>{
                {.network = "eth", .start = 1, .end = 2, .hash = kHashB, .prev_hash = kHashA}}));
  EXPECT_TRUE(messages[1].ranges_complete);
  EXPECT_EQ(messages[1].batch->num_rows(), 0);
  EXPECT_EQ(server->query(), "SELECT * FROM eth.logs");
  // The end stays the end.
  AMP_ASSERT_OK_AND_ASSIGN(const auto after, connection->Next());
  EXPECT_FALSE(after);
}

TEST_F(AmpSourceTest, AsksForTheStreamAndTheBlocksAfterTheWatermark) {
  const auto server = AmpServer::Start(OneMicrobatch());
  const std::vector<BlockRange> resume{
      {.network = "eth", .start = 5, .end = UINT64_MAX, .hash = kHashA, .prev_hash = kHashB},
      {.network = "bäse", .start = 0, .end = 7, .hash = kHashB, .prev_hash = ""}};
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto connection,
      Connect(server->Url(), {.token = "tok-1", .headers = {{"X-Team", "blue"}}}, resume));
  AMP_ASSERT_OK(ReadAll(connection.get()));
  auto headers = server->headers();
  EXPECT_EQ(headers["amp-stream"], "true");
  EXPECT_EQ(nlohmann::json::parse(headers["amp-resume"]),
            nlohmann::json::parse(R"({"eth":{"number":18446744073709551615,"hash":")" + kHashA +
                                  R"("},"bäse":{"number":7,"hash":")" + kHashB + "\"}}"));
  for (const std::string call : {"", "DoGet "}) {
    EXPECT_EQ(headers[call + "authorization"], "Bearer tok-1") << call;
    EXPECT_EQ(headers[call + "x-team"], "blue") << call;
  }
}

TEST_F(AmpSourceTest, NoResumeHeaderAtTheBeginningAndNoTokenWithoutOne) {
  const auto server = AmpServer::Start(OneMicrobatch());
  AMP_ASSERT_OK(Connect(server->Url()));
  const auto headers = server->headers();
  EXPECT_EQ(headers.count("amp-resume"), 0U);
  EXPECT_EQ(headers.count("authorization"), 0U);
}

TEST_F(AmpSourceTest, BoundedAnswersMayComeWithoutRanges) {
  Answer answer = OneMicrobatch();
  answer.parts[0][0].app_metadata.reset();
  const auto server = AmpServer::Start(answer);
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url(), {.streaming = false}));
  EXPECT_EQ(server->headers().count("amp-stream"), 0U);
  AMP_ASSERT_OK_AND_ASSIGN(const auto messages, ReadAll(connection.get()));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_TRUE(messages[0].ranges.empty());
  EXPECT_EQ(messages[0].batch->num_rows(), 2);
  EXPECT_EQ(messages[1].ranges.size(), 1U);
}

TEST_F(AmpSourceTest, PartsAreReadOneAfterTheOther) {
  Answer answer = OneMicrobatch();
  answer.parts.push_back(
      {{.batch = Rows(R"([{"_block_num":3,"text":"c"}])"), .app_metadata = Metadata(3, 3, true)}});
  answer.parts.push_back({});
  AMP_ASSERT_OK_AND_ASSIGN(const auto messages, Read(answer));
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[2].ranges[0].start, 3U);
}

TEST_F(AmpSourceTest, PartsAreFetchedWhereTheServerSays) {
  const auto rows = AmpServer::Start(OneMicrobatch());
  AMP_ASSERT_OK_AND_ASSIGN(const int closed, testing::FreePort());
  Answer answer = OneMicrobatch();
  answer.locations = {"grpc://127.0.0.1:" + std::to_string(closed), rows->Url()};
  const auto server = AmpServer::Start(answer);
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url(), {.token = "tok"}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto messages, ReadAll(connection.get()));
  EXPECT_EQ(messages.size(), 2U);
  EXPECT_EQ(server->calls(), 1);
  EXPECT_EQ(rows->headers()["DoGet authorization"], "Bearer tok");
}

TEST_F(AmpSourceTest, AndFromItselfWhereItSaysThat) {
  Answer answer = OneMicrobatch();
  answer.locations = {"arrow-flight-reuse-connection://?"};
  AMP_ASSERT_OK_AND_ASSIGN(const auto messages, Read(answer));
  EXPECT_EQ(messages.size(), 2U);
  answer.locations = {"http://127.0.0.1:80"};
  AMP_EXPECT_ERROR(Read(answer), ErrorKind::kUnsupported, "http://127.0.0.1:80");
}

TEST_F(AmpSourceTest, DictionariesArrive) {
  arrow::StringDictionary32Builder builder;
  for (const char* text : {"x", "y", "x"}) AMP_ASSERT_OK(builder.Append(text));
  AMP_ASSERT_OK_AND_ASSIGN(const std::shared_ptr<arrow::Array> column, builder.Finish());
  const auto schema = arrow::schema({arrow::field("d", column->type())});
  const auto batch = arrow::RecordBatch::Make(schema, 3, {column});
  const SentMessage message{.batch = batch, .app_metadata = Metadata(1, 1, false)};
  AMP_ASSERT_OK_AND_ASSIGN(const auto messages,
                           Read({.announced = schema, .parts = {{message, message}}}));
  ASSERT_EQ(messages.size(), 2U);
  EXPECT_TRUE(messages[1].batch->Equals(*batch));
}

TEST_F(AmpSourceTest, MessagesThatSayNothingOfBlocksAreAProtocolError) {
  Answer answer = OneMicrobatch();
  answer.parts[0][1].app_metadata.reset();
  AMP_EXPECT_ERROR(Read(answer), ErrorKind::kProtocol, "without app_metadata");
  answer.parts[0][1].app_metadata = "{}";
  AMP_EXPECT_ERROR(Read(answer), ErrorKind::kProtocol, "no array 'ranges'");
}

TEST_F(AmpSourceTest, SchemasMustBeAsAnnounced) {
  Answer answer = OneMicrobatch();
  answer.announced = arrow::schema(
      {arrow::field("_block_num", arrow::int64(), false), arrow::field("text", arrow::utf8())});
  answer.schema = TestSchema();
  AMP_EXPECT_ERROR(Read(answer), ErrorKind::kSchemaMismatch,
                   "column 1 is '_block_num' uint64 not null instead of '_block_num' int64");
  answer.announced = arrow::schema({arrow::field("_block_num", arrow::uint64(), false)});
  AMP_EXPECT_ERROR(Read(answer), ErrorKind::kSchemaMismatch, "2 columns instead of 1");
  answer.announced = nullptr;
  AMP_EXPECT_ERROR(Read(answer), ErrorKind::kProtocol, "did not say which columns");
}

TEST_F(AmpSourceTest, RowsMayPromiseMoreThanWasAnnounced) {
  Answer answer = OneMicrobatch();
  answer.announced = arrow::schema(
      {arrow::field("_block_num", arrow::uint64()), arrow::field("text", arrow::utf8())});
  answer.schema = TestSchema();
  AMP_ASSERT_OK_AND_ASSIGN(const auto messages, Read(answer));
  EXPECT_TRUE(messages[0].batch->schema()->Equals(*answer.announced));
}

TEST_F(AmpSourceTest, ASchemaThatChangesMidStreamIsRefused) {
  Answer answer = OneMicrobatch();
  auto& messages = answer.parts[0];
  messages.insert(messages.begin() + 1, {.new_schema = TestSchema()});
  AMP_ASSERT_OK_AND_ASSIGN(const auto same, Read(answer));
  EXPECT_EQ(same.size(), 2U);
  messages[1].new_schema = arrow::schema({arrow::field("other", arrow::utf8())});
  const Status status = Read(answer).status();
  AMP_EXPECT_ERROR(status, ErrorKind::kSchemaMismatch, "another schema");
  EXPECT_EQ(ErrorInfoOf(status).side, ErrorSide::kSource);
  EXPECT_FALSE(ErrorInfoOf(status).retryable);
}

TEST_F(AmpSourceTest, RefusalsKeepTheServersWords) {
  using arrow::flight::FlightStatusCode;
  using arrow::flight::MakeFlightError;
  struct Case {
    Status status;
    ErrorKind kind;
    bool retryable;
  };
  const std::vector<Case> cases{
      {Status::KeyError("table 'x' not found"), ErrorKind::kNotFound, false},
      {Status::Invalid("table 'x' not found"), ErrorKind::kUnsupported, false},
      {Status::NotImplemented("table 'x' not found"), ErrorKind::kUnsupported, false},
      {MakeFlightError(FlightStatusCode::Unauthorized, "table 'x' not found"),
       ErrorKind::kUnauthenticated, false},
      {MakeFlightError(FlightStatusCode::Internal, "table 'x' not found"), ErrorKind::kUnavailable,
       true},
      {Status::UnknownError("table 'x' not found"), ErrorKind::kUnavailable, true},
      {MakeFlightError(FlightStatusCode::Unavailable, "table 'x' not found"),
       ErrorKind::kUnavailable, true},
  };
  for (const Case& c : cases) {
    SCOPED_TRACE(c.status.ToString());
    const Status status = Read(Refusing(c.status)).status();
    AMP_EXPECT_ERROR(status, c.kind, "table 'x' not found");
    EXPECT_EQ(ErrorInfoOf(status).retryable, c.retryable);
    EXPECT_EQ(ExitCodeOf(status), 3);
    Answer breaking = OneMicrobatch();
    breaking.end = c.status;
    AMP_EXPECT_ERROR(Read(breaking), c.kind, "table 'x' not found");
  }
}

TEST_F(AmpSourceTest, AnErrorStaysTheStreamsLastWord) {
  Answer answer = OneMicrobatch();
  answer.end = arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Internal, "broke");
  const auto server = AmpServer::Start(answer);
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url()));
  AMP_EXPECT_ERROR(ReadAll(connection.get()), ErrorKind::kUnavailable, "broke the stream off");
  AMP_EXPECT_ERROR(connection->Next(), ErrorKind::kUnavailable, "broke the stream off");
}

TEST_F(AmpSourceTest, TokensAreReadAnewAtEachConnect) {
  const std::string file = folder_.file("token");
  const auto write = [&](const std::string& token) { std::ofstream(file) << token; };
  write("hunter1");
  Answer answer = OneMicrobatch();
  answer.wanted_token = "hunter2";
  const auto server = AmpServer::Start(answer);
  AMP_ASSERT_OK_AND_ASSIGN(const auto source,
                           OpenAmpSource(server->Url(), "SELECT 1", {.token_file = file}));
  const Status refused = source->Connect({}).status();
  AMP_EXPECT_ERROR(refused, ErrorKind::kUnauthenticated, "no such token: Bearer ***");
  EXPECT_EQ(refused.message().find("hunter"), std::string::npos) << refused.message();
  EXPECT_NE(refused.message().find(file), std::string::npos) << refused.message();
  EXPECT_FALSE(ErrorInfoOf(refused).retryable);
  write("hunter2");
  AMP_ASSERT_OK(source->Connect({}));
}

TEST_F(AmpSourceTest, ATokenThatWasReplacedMeanwhileIsWorthAnotherTry) {
  const std::string file = folder_.file("token");
  std::ofstream(file) << "hunter1";
  Answer answer = OneMicrobatch();
  answer.end =
      arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Unauthenticated, "expired");
  const auto server = AmpServer::Start(answer);
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url(), {.token_file = file}));
  std::ofstream(file) << "hunter2";
  const Status status = ReadAll(connection.get()).status();
  AMP_EXPECT_ERROR(status, ErrorKind::kUnauthenticated, "expired");
  EXPECT_TRUE(ErrorInfoOf(status).retryable);
}

TEST_F(AmpSourceTest, OtherServersAreTriedWhenOneIsDown) {
  AMP_ASSERT_OK_AND_ASSIGN(const int closed, testing::FreePort());
  const std::string down = "grpc://127.0.0.1:" + std::to_string(closed);
  const auto server = AmpServer::Start(OneMicrobatch());
  AMP_ASSERT_OK_AND_ASSIGN(const auto source,
                           OpenAmpSource(down, "SELECT 1", {.endpoints = {server->Url()}}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, source->Connect({}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto messages, ReadAll(connection.get()));
  EXPECT_EQ(messages.size(), 2U);
  // A refusal is not asked for twice.
  const auto refusing = AmpServer::Start(Refusing(Status::KeyError("no table")));
  const int before = server->calls();
  AMP_EXPECT_ERROR(Connect(refusing->Url(), {.endpoints = {server->Url()}}), ErrorKind::kNotFound,
                   "no table");
  EXPECT_EQ(server->calls(), before);
}

TEST_F(AmpSourceTest, ServersThatAreAllDownAreAllNamed) {
  AMP_ASSERT_OK_AND_ASSIGN(const int first, testing::FreePort());
  AMP_ASSERT_OK_AND_ASSIGN(const int second, testing::FreePort());
  const std::string a = "127.0.0.1:" + std::to_string(first);
  const std::string b = "127.0.0.1:" + std::to_string(second);
  const Status status = Connect("grpc://" + a + "," + b).status();
  AMP_EXPECT_ERROR(status, ErrorKind::kUnavailable, a);
  AMP_EXPECT_ERROR(status, ErrorKind::kUnavailable, b);
  EXPECT_TRUE(ErrorInfoOf(status).retryable);
}

}  // namespace
}  // namespace amp::unit
