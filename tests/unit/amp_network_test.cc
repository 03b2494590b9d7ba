// The Amp source on the wire: TLS with certificates made here, and connections that die silently.

#include <arpa/inet.h>
#include <arrow/record_batch.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdlib>
#include <thread>

#include "amp/amp_source.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "core/text.h"
#include "unit/amp_server.h"

namespace amp {
namespace {

using namespace std::chrono_literals;
using unit::AmpServer;
using unit::Answer;
using Clock = std::chrono::steady_clock;

Answer SmallAnswer() {
  const auto batch = testing::SampleBatch(3);
  return {.announced = batch->schema(), .parts = {{{.batch = batch}}}};
}

/// Reads all of a bounded answer; how many messages.
Result<int> Read(const std::string& url, AmpSourceOptions options) {
  options.streaming = false;
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenAmpSource(url, "SELECT 1", options));
  ARROW_ASSIGN_OR_RAISE(const auto connection, source->Connect({}));
  for (int messages = 0;; ++messages) {
    ARROW_ASSIGN_OR_RAISE(const auto message, connection->Next());
    if (!message) return messages;
  }
}

class AmpNetwork : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("HOME", folder_.path().c_str(), 1);
    unsetenv("AMP_AUTH_TOKEN");
  }
  testing::TemporaryFolder folder_;
};

class AmpTls : public AmpNetwork {
 protected:
  void SetUp() override {
    AmpNetwork::SetUp();
    MakeAuthority("ca");
    MakeAuthority("other");
    MakeCertificate("server", "ca", "IP:127.0.0.1,DNS:localhost");
    MakeCertificate("elsewhere", "ca", "DNS:amp.example.org");
    MakeCertificate("client", "ca", "DNS:client");
  }

  void Run(const std::string& command) {
    const std::string line = "cd '" + folder_.path() + "' && (" + command + ") 2>>openssl.log";
    ASSERT_EQ(std::system(line.c_str()), 0)  // NOLINT: a fixed command
        << line << "\n"
        << ReadTextFile(folder_.file("openssl.log")).ValueOr("");
  }
  void MakeAuthority(const std::string& name) {
    Run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=" +
        name + " -keyout " + name + ".key -out " + name + ".pem");
  }
  void MakeCertificate(const std::string& name, const std::string& authority,
                       const std::string& names) {
    Run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=" + name +
        " -keyout " + name + ".key -out " + name + ".csr && printf 'subjectAltName=" + names +
        "\\n' > " + name + ".ext && openssl x509 -req -in " + name + ".csr -CA " + authority +
        ".pem -CAkey " + authority + ".key -CAcreateserial -days 2 -extfile " + name +
        ".ext -out " + name + ".pem");
  }
  std::string Pem(const std::string& file) const {
    return ReadTextFile(folder_.file(file)).ValueOrDie();
  }
  std::unique_ptr<AmpServer> StartTls(const std::string& name,
                                      const std::string& client_roots = "") const {
    return AmpServer::Start(
        SmallAnswer(),
        AmpServer::Tls{.cert = Pem(name + ".pem"),
                       .key = Pem(name + ".key"),
                       .client_roots = client_roots.empty() ? "" : Pem(client_roots)});
  }
  std::string Path(const std::string& file) const { return folder_.file(file); }
};

TEST_F(AmpTls, TrustsTheAuthorityItIsGiven) {
  const auto server = StartTls("server");
  AMP_ASSERT_OK_AND_ASSIGN(const int messages,
                           Read(server->Url(), {.tls_root_certs = Path("ca.pem")}));
  EXPECT_EQ(messages, 1);
}

TEST_F(AmpTls, RefusesAnUnknownAuthorityAndSaysHowToTrustIt) {
  const auto server = StartTls("server");
  for (const std::string roots : {"", "other.pem"}) {
    const Status status =
        Read(server->Url(), {.tls_root_certs = roots.empty() ? "" : Path(roots)}).status();
    AMP_EXPECT_ERROR(status, ErrorKind::kUnavailable, "tls_root_certs");
    EXPECT_EQ(ExitCodeOf(status), 3);
  }
  AMP_ASSERT_OK(Read(server->Url(), {.tls_skip_verify = true}));
}

TEST_F(AmpTls, RefusesAnotherNameUnlessItIsTold) {
  const auto server = StartTls("elsewhere");
  AMP_EXPECT_ERROR(Read(server->Url(), {.tls_root_certs = Path("ca.pem")}), ErrorKind::kUnavailable,
                   "tls_server_name");
  AMP_ASSERT_OK(Read(server->Url(),
                     {.tls_root_certs = Path("ca.pem"), .tls_server_name = "amp.example.org"}));
}

TEST_F(AmpTls, ShowsItsOwnCertificate) {
  const auto server = StartTls("server", "ca.pem");
  AMP_ASSERT_OK(Read(server->Url(), {.tls_root_certs = Path("ca.pem"),
                                     .tls_client_cert = Path("client.pem"),
                                     .tls_client_key = Path("client.key")}));
  AMP_EXPECT_ERROR(Read(server->Url(), {.tls_root_certs = Path("ca.pem")}), ErrorKind::kUnavailable,
                   "TLS");
}

TEST_F(AmpTls, PlainToTlsAndTlsToPlainSayThatTlsMayBeTheMatter) {
  const auto tls = StartTls("server");
  const std::string as_plain = "grpc://127.0.0.1:" + std::to_string(tls->port());
  AMP_EXPECT_ERROR(Read(as_plain, {.connect_timeout = 5s}), ErrorKind::kUnavailable,
                   "write grpc+tls://");
  const auto plain = AmpServer::Start(SmallAnswer());
  const std::string as_tls = "grpcs://127.0.0.1:" + std::to_string(plain->port());
  AMP_EXPECT_ERROR(Read(as_tls, {.tls_root_certs = Path("ca.pem"), .connect_timeout = 5s}),
                   ErrorKind::kUnavailable, "write grpc://");
}

TEST_F(AmpTls, DoesNotLeaveTlsForTheRows) {
  const auto plain = AmpServer::Start(SmallAnswer());
  Answer answer = SmallAnswer();
  answer.locations = {plain->Url()};
  const auto server = StartTls("server");
  server->SetAnswer(answer);
  AMP_EXPECT_ERROR(Read(server->Url(), {.token = "hunter2", .tls_root_certs = Path("ca.pem")}),
                   ErrorKind::kUnsupported, "safely");
  EXPECT_EQ(plain->calls(), 0);
}

/// Hands bytes on between a client and a server, until it is told to hold them back: like a
/// connection whose other end has lost its power.
class Proxy {
 public:
  explicit Proxy(int server_port) : server_port_(server_port), listener_(Listen()) {
    thread_ = std::thread([this] { Work(); });
  }
  Proxy(const Proxy&) = delete;
  Proxy& operator=(const Proxy&) = delete;
  ~Proxy() {
    stop_ = true;
    thread_.join();
    close(listener_);
  }
  void HoldBack() { silent_ = true; }
  std::string Url() const {
    sockaddr_in address{};
    socklen_t size = sizeof address;
    getsockname(listener_, reinterpret_cast<sockaddr*>(&address), &size);
    return "grpc://127.0.0.1:" + std::to_string(ntohs(address.sin_port));
  }

 private:
  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    address.sin_port = htons(static_cast<uint16_t>(port));
    return address;
  }
  static int Listen() {
    const int listener = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = Loopback(0);
    EXPECT_EQ(bind(listener, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    EXPECT_EQ(listen(listener, 4), 0);
    return listener;
  }
  static bool Ready(int socket) {
    pollfd wait{.fd = socket, .events = POLLIN, .revents = 0};
    return poll(&wait, 1, 5) > 0;
  }
  static void Forward(int from, int to) {
    char bytes[65536];
    const ssize_t count = read(from, bytes, sizeof bytes);
    if (count <= 0) return;
    EXPECT_EQ(write(to, bytes, static_cast<size_t>(count)), count);
  }
  void Work() {
    while (!stop_ && !Ready(listener_)) {
    }
    if (stop_) return;
    const int client = accept(listener_, nullptr, nullptr);
    const int server = socket(AF_INET, SOCK_STREAM, 0);
    const sockaddr_in address = Loopback(server_port_);
    EXPECT_EQ(connect(server, reinterpret_cast<const sockaddr*>(&address), sizeof address), 0);
    while (!stop_) {
      if (silent_) {
        std::this_thread::sleep_for(5ms);
        continue;
      }
      if (Ready(client)) Forward(client, server);
      if (Ready(server)) Forward(server, client);
    }
    close(client);
    close(server);
  }

  const int server_port_;
  const int listener_;
  std::atomic<bool> stop_ = false, silent_ = false;
  std::thread thread_;
};

TEST_F(AmpNetwork, ADeadConnectionIsNoticedByItsPings) {
  Answer answer = SmallAnswer();
  answer.hang_at_end = true;
  const auto server = AmpServer::Start(answer);
  Proxy proxy(server->port());
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto source,
      OpenAmpSource(proxy.Url(), "SELECT 1",
                    {.streaming = false, .keepalive_time = 500ms, .keepalive_timeout = 500ms}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto connection, source->Connect({}));
  AMP_ASSERT_OK(connection->Next());
  proxy.HoldBack();
  const auto start = Clock::now();
  const Status status = connection->Next().status();
  AMP_EXPECT_ERROR(status, ErrorKind::kUnavailable, "broke the stream off");
  EXPECT_TRUE(ErrorInfoOf(status).retryable);
  EXPECT_LT(Clock::now() - start, 10s);
}

}  // namespace
}  // namespace amp
