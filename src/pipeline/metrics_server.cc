#include "pipeline/metrics_server.h"

#include <CivetServer.h>
#include <fmt/format.h>

#include <charconv>

namespace amp {
namespace {

struct Answer {
  int code = 200;
  std::string type = "text/plain; charset=utf-8";
  std::string body;
};

// Answers GET with what a function says.
class TextHandler final : public CivetHandler {
 public:
  explicit TextHandler(std::function<Answer()> answer) : answer_(std::move(answer)) {}

  bool handleGet(CivetServer* /*server*/, mg_connection* connection) override {
    const Answer answer = answer_();
    const std::string text = fmt::format(
        "HTTP/1.1 {} {}\r\nContent-Type: {}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{}",
        answer.code, answer.code == 200 ? "OK" : "Service Unavailable", answer.type,
        answer.body.size(), answer.body);
    mg_write(connection, text.data(), text.size());
    return true;
  }

 private:
  const std::function<Answer()> answer_;
};

Status BadAddress(const std::string& where, std::string_view why) {
  return MakeError(
      ErrorKind::kConfigInvalid,
      fmt::format("--metrics {}: {}; write HOST:PORT, such as 127.0.0.1:9464", where, why));
}

// Civetweb takes lists and options in the same text.
Status CheckAddress(const std::string& where) {
  const size_t colon = where.rfind(':');
  if (colon == std::string::npos || colon == 0) return BadAddress(where, "host or port is missing");
  if (where.find_first_of(", \t\r\n") != std::string::npos) {
    return BadAddress(where, "it is no single address");
  }
  int port = 0;
  const char* last = where.data() + where.size();
  const auto [end, error] = std::from_chars(where.data() + colon + 1, last, port);
  if (error != std::errc() || end != last || port < 0 || port > 65535) {
    return BadAddress(where, "its port is no number from 0 to 65535");
  }
  return Status::OK();
}

}  // namespace

struct MetricsServer::Impl {
  Impl(const std::string& where, const Metrics* metrics)
      : text([metrics] {
          return Answer{.type = "text/plain; version=0.0.4; charset=utf-8",
                        .body = metrics->PrometheusText()};
        }),
        health([] { return Answer{.body = "ok\n"}; }),
        ready([metrics] {
          const std::string why = metrics->NotReady();
          return why.empty() ? Answer{.body = "ok\n"} : Answer{.code = 503, .body = why};
        }),
        server({"listening_ports", where, "num_threads", "2", "request_timeout_ms", "10000"}) {
    server.addHandler("/metrics$", text);
    server.addHandler("/healthz$", health);
    server.addHandler("/readyz$", ready);
  }

  TextHandler text, health, ready;
  CivetServer server;  // stops before the handlers go
};

MetricsServer::MetricsServer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MetricsServer::~MetricsServer() = default;

Result<std::unique_ptr<MetricsServer>> MetricsServer::Start(const std::string& where,
                                                            const Metrics* metrics) {
  ARROW_RETURN_NOT_OK(CheckAddress(where));
  try {
    return std::unique_ptr<MetricsServer>(
        new MetricsServer(std::make_unique<Impl>(where, metrics)));
  } catch (const CivetException&) {
    // It says no more than that it failed.
    return BadAddress(where,
                      "cannot listen there: the port is in use, or the address is not this "
                      "machine's");
  }
}

int MetricsServer::port() const {
  const std::vector<int> ports = impl_->server.getListeningPorts();
  return ports.empty() ? 0 : ports.front();
}

}  // namespace amp
