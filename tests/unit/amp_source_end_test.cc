// How a connection of the Amp source ends: time-outs, cancelling, servers that go away.

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "unit/amp_source_fixture.h"

namespace amp::unit {
namespace {

using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

// The kernel takes connections for it, and no one answers.
class SilentServer {
 public:
  SilentServer() : socket_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    EXPECT_EQ(bind(socket_, reinterpret_cast<sockaddr*>(&address), size), 0);
    EXPECT_EQ(listen(socket_, 16), 0);
    EXPECT_EQ(getsockname(socket_, reinterpret_cast<sockaddr*>(&address), &size), 0);
    port_ = ntohs(address.sin_port);
  }
  SilentServer(const SilentServer&) = delete;
  SilentServer& operator=(const SilentServer&) = delete;
  ~SilentServer() { close(socket_); }
  std::string Url() const { return "grpc://127.0.0.1:" + std::to_string(port_); }

 private:
  int socket_;
  int port_ = 0;
};

TEST_F(AmpSourceTest, ConnectingEndsAfterItsTimeout) {
  const SilentServer silent;
  const auto start = Clock::now();
  const Status status = Connect(silent.Url(), {.connect_timeout = 300ms}).status();
  AMP_EXPECT_ERROR(status, ErrorKind::kUnavailable, silent.Url());
  EXPECT_TRUE(ErrorInfoOf(status).retryable);
  EXPECT_GE(Clock::now() - start, 250ms);
  EXPECT_LT(Clock::now() - start, 5s);
  // It is no limit on the stream.
  Answer answer = OneMicrobatch();
  answer.hang_at_end = true;
  const auto server = AmpServer::Start(answer);
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto connection,
      Connect(silent.Url(), {.endpoints = {server->Url()}, .connect_timeout = 300ms}));
  AMP_ASSERT_OK(connection->Next());
  AMP_ASSERT_OK(connection->Next());
  std::thread later([&] {
    std::this_thread::sleep_for(700ms);
    connection->Cancel();
  });
  AMP_EXPECT_ERROR(connection->Next(), ErrorKind::kCancelled, "stopped");
  later.join();
}

TEST_F(AmpSourceTest, CancelBeforeDuringAndAfter) {
  Answer answer = OneMicrobatch();
  answer.hang_at_end = true;
  const auto server = AmpServer::Start(answer);
  {  // before the first Next
    AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url()));
    connection->Cancel();
    AMP_EXPECT_ERROR(connection->Next(), ErrorKind::kCancelled, "stopped");
  }
  {  // while Next waits, and once more
    AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url()));
    AMP_ASSERT_OK(connection->Next());
    AMP_ASSERT_OK(connection->Next());
    std::thread canceller([&] {
      std::this_thread::sleep_for(100ms);
      connection->Cancel();
      connection->Cancel();
    });
    const auto start = Clock::now();
    AMP_EXPECT_ERROR(connection->Next(), ErrorKind::kCancelled, "stopped");
    EXPECT_LT(Clock::now() - start, 2s);
    canceller.join();
    AMP_EXPECT_ERROR(connection->Next(), ErrorKind::kCancelled, "stopped");
  }
  {  // between two messages
    AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url()));
    AMP_ASSERT_OK(connection->Next());
    connection->Cancel();
    AMP_EXPECT_ERROR(connection->Next(), ErrorKind::kCancelled, "stopped");
  }
}

TEST_F(AmpSourceTest, CancelReachesAStreamWithoutASchemaYet) {
  Answer answer = OneMicrobatch();
  answer.hang_before_schema = true;
  const auto server = AmpServer::Start(answer);
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url()));
  std::thread canceller([&] {
    std::this_thread::sleep_for(100ms);
    connection->Cancel();
  });
  const auto start = Clock::now();
  AMP_EXPECT_ERROR(connection->Next(), ErrorKind::kCancelled, "stopped");
  EXPECT_LT(Clock::now() - start, 2s);
  canceller.join();
}

TEST_F(AmpSourceTest, CancelAtAnyMoment) {
  const auto server = AmpServer::Start([] {
    Answer answer = OneMicrobatch();
    answer.hang_at_end = true;
    return answer;
  }());
  for (int i = 0; i < 60; ++i) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url()));
    std::thread canceller([&] {
      std::this_thread::sleep_for(std::chrono::microseconds(i * 50));
      connection->Cancel();
    });
    AMP_EXPECT_ERROR(ReadAll(connection.get()), ErrorKind::kCancelled, "stopped");
    canceller.join();
  }
}

TEST_F(AmpSourceTest, AConnectionThatIsDroppedEndsTheCall) {
  Answer answer = OneMicrobatch();
  answer.hang_at_end = true;
  const auto server = AmpServer::Start(answer);
  AMP_ASSERT_OK_AND_ASSIGN(auto connection, Connect(server->Url()));
  AMP_ASSERT_OK(connection->Next());
  const auto start = Clock::now();
  connection.reset();
  EXPECT_LT(Clock::now() - start, 2s);
}

TEST_F(AmpSourceTest, AServerThatGoesAwayIsWorthAnotherTry) {
  Answer answer = OneMicrobatch();
  answer.hang_at_end = true;
  auto server = AmpServer::Start(answer);
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, Connect(server->Url()));
  AMP_ASSERT_OK(connection->Next());
  AMP_ASSERT_OK(connection->Next());
  server->EndWith(arrow::flight::MakeFlightError(arrow::flight::FlightStatusCode::Unavailable,
                                                 "shutting down"));
  const Status status = connection->Next().status();
  AMP_EXPECT_ERROR(status, ErrorKind::kUnavailable, "shutting down");
  EXPECT_TRUE(ErrorInfoOf(status).retryable);
}

TEST_F(AmpSourceTest, MessagesLargerThanAllowedAreNotTaken) {
  Answer answer = OneMicrobatch();
  const auto big = std::string(100'000, 'x');
  answer.parts[0][0].batch = Rows(R"([{"_block_num":1,"text":")" + big + R"("}])");
  AMP_EXPECT_ERROR(Read(answer, {.max_message_size = {10'000}}), ErrorKind::kDataInvalid,
                   "max_message_size");
  AMP_ASSERT_OK(Read(answer, {.max_message_size = {1'000'000}}));
}

}  // namespace
}  // namespace amp::unit
