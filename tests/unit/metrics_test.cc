// Metrics as Prometheus gets them: over a real socket.

#include "core/metrics.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <sys/socket.h>
#include <unistd.h>

#include <thread>

#include "amp/testing/asserts.h"
#include "pipeline/metrics_server.h"

namespace amp {
namespace {

/// The answer to GET, with its headers.
std::string Get(int port, const std::string& path) {
  const int socket = ::socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(static_cast<uint16_t>(port));
  EXPECT_EQ(connect(socket, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
  const std::string request = "GET " + path + " HTTP/1.1\r\nHost: localhost\r\n\r\n";
  EXPECT_EQ(write(socket, request.data(), request.size()), static_cast<ssize_t>(request.size()));
  std::string answer;
  char bytes[4096];
  for (ssize_t count = 0; (count = read(socket, bytes, sizeof bytes)) > 0;) {
    answer.append(bytes, static_cast<size_t>(count));
  }
  close(socket);
  return answer;
}

class MetricsScrape : public ::testing::Test {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(server_, MetricsServer::Start("127.0.0.1:0", &metrics_));
  }
  std::string Scrape(const std::string& path = "/metrics") { return Get(server_->port(), path); }
  void ExpectLine(const std::string& line) {
    const std::string text = Scrape();
    EXPECT_NE(text.find("\n" + line + "\n"), std::string::npos) << line << "\nis not in\n" << text;
  }

  Metrics metrics_;
  std::unique_ptr<MetricsServer> server_;
};

TEST_F(MetricsScrape, ShowsWhatAStreamDid) {
  const auto stream = metrics_.OfStream("lo\"gs", "main");
  stream->AddRows(1'000, 64'000);
  stream->AddRows(500, 32'000);
  stream->AddCommit(std::chrono::milliseconds(20));
  stream->AddCommit(std::chrono::milliseconds(700));
  stream->AddReorg(70);
  stream->AddRetry({.kind = ErrorKind::kUnavailable, .side = ErrorSide::kSource});
  stream->AddRetry({.kind = ErrorKind::kUnavailable, .side = ErrorSide::kSource});
  stream->SetQueueBytes(4'096);
  stream->SetCommitted({.network = "eth",
                        .start = 10,
                        .end = 19,
                        .hash = {},
                        .prev_hash = {},
                        .timestamp = 1438269973});
  stream->SetConnected(ErrorSide::kSource, true);
  const std::string of = R"({stream="main",table="lo\"gs"})";
  ExpectLine("# TYPE ampload_rows_total counter");
  ExpectLine("ampload_rows_total" + of + " 1500");
  ExpectLine("ampload_bytes_total" + of + " 96000");
  ExpectLine("ampload_commits_total" + of + " 2");
  ExpectLine("ampload_reorgs_total" + of + " 1");
  ExpectLine("ampload_undone_rows_total" + of + " 70");
  ExpectLine(R"(ampload_retries_total{kind="Unavailable",side="source",stream="main",)"
             R"(table="lo\"gs"} 2)");
  ExpectLine("ampload_queue_bytes" + of + " 4096");
  ExpectLine(R"(ampload_committed_block{network="eth",stream="main",table="lo\"gs"} 19)");
  ExpectLine(R"(ampload_committed_block_timestamp_seconds{network="eth",stream="main",)"
             R"(table="lo\"gs"} 1438269973)");
  ExpectLine(R"(ampload_connected{side="source",stream="main",table="lo\"gs"} 1)");
  ExpectLine(R"(ampload_connected{side="target",stream="main",table="lo\"gs"} 0)");
  ExpectLine("# TYPE ampload_commit_duration_seconds histogram");
  ExpectLine("ampload_commit_duration_seconds_count" + of + " 2");
  ExpectLine(
      R"(ampload_commit_duration_seconds_bucket{stream="main",table="lo\"gs",le="0.025"} 1)");
  ExpectLine(R"(ampload_commit_duration_seconds_bucket{stream="main",table="lo\"gs",le="+Inf"} 2)");
  const std::string answer = Scrape();
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 200 OK\r\n")) << answer;
  EXPECT_NE(answer.find("text/plain; version=0.0.4"), std::string::npos);
}

TEST_F(MetricsScrape, CountersGoOnWhenAStreamComesBack) {
  metrics_.OfStream("t", "s")->AddRows(1, 10);
  const auto again = metrics_.OfStream("t", "s");
  again->AddRows(2, 10);
  ExpectLine(R"(ampload_rows_total{stream="s",table="t"} 3)");
}

TEST_F(MetricsScrape, IsReadyOnceBothSidesAreConnected) {
  EXPECT_TRUE(Scrape("/healthz").starts_with("HTTP/1.1 200 "));
  EXPECT_TRUE(Scrape("/readyz").starts_with("HTTP/1.1 503 "));
  EXPECT_NE(Scrape("/readyz").find("no stream is running"), std::string::npos);
  auto stream = metrics_.OfStream("logs", "main");
  stream->SetConnected(ErrorSide::kTarget, true);
  stream->SetConnected(ErrorSide::kSource, false, "grpc://a:1 does not answer");
  const std::string waiting = Scrape("/readyz");
  EXPECT_TRUE(waiting.starts_with("HTTP/1.1 503 ")) << waiting;
  EXPECT_TRUE(
      waiting.ends_with("stream main of table logs is not connected to its source: "
                        "grpc://a:1 does not answer\n"))
      << waiting;
  stream->SetConnected(ErrorSide::kSource, true);
  EXPECT_TRUE(Scrape("/readyz").starts_with("HTTP/1.1 200 "));
  stream.reset();
  EXPECT_TRUE(Scrape("/readyz").starts_with("HTTP/1.1 503 "));
  EXPECT_TRUE(Scrape("/other").starts_with("HTTP/1.1 404 "));
}

TEST_F(MetricsScrape, CountsFromManyThreads) {
  const auto stream = metrics_.OfStream("t", "s");
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int n = 0; n < 1'000; ++n) stream->AddRows(1, 1);
    });
  }
  Scrape();
  for (std::thread& thread : threads) thread.join();
  ExpectLine(R"(ampload_rows_total{stream="s",table="t"} 4000)");
}

TEST_F(MetricsScrape, APortInUseIsAConfigurationError) {
  const std::string taken = "127.0.0.1:" + std::to_string(server_->port());
  AMP_EXPECT_ERROR(MetricsServer::Start(taken, &metrics_), ErrorKind::kConfigInvalid, taken);
  for (const std::string bad : {"", "9464", ":9464", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000",
                                "127.0.0.1:0,127.0.0.1:1", "192.0.2.1:0"}) {
    SCOPED_TRACE(bad);
    AMP_EXPECT_ERROR(MetricsServer::Start(bad, &metrics_), ErrorKind::kConfigInvalid, "HOST:PORT");
  }
}

}  // namespace
}  // namespace amp
