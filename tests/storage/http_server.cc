#include "storage/http_server.h"

#include <civetweb.h>
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <thread>

namespace amp::testing {
namespace {

std::string Lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(), ::tolower);
  return text;
}

std::string ReadBody(mg_connection* connection) {
  std::string body;
  char piece[16384];
  for (int got = 0; (got = mg_read(connection, piece, sizeof(piece))) > 0;) {
    body.append(piece, static_cast<size_t>(got));
  }
  return body;
}

SeenRequest ReadRequest(mg_connection* connection) {
  const mg_request_info* info = mg_get_request_info(connection);
  SeenRequest request{.method = info->request_method,
                      .path = info->request_uri,
                      .query = info->query_string == nullptr ? "" : info->query_string};
  for (int i = 0; i < info->num_headers; ++i) {
    request.headers[Lower(info->http_headers[i].name)] = info->http_headers[i].value;
  }
  request.body = ReadBody(connection);
  return request;
}

void Send(mg_connection* connection, const TestAnswer& answer, bool with_body) {
  std::string text = fmt::format("HTTP/1.1 {} X\r\n", answer.status);
  for (const auto& [name, value] : answer.headers) text += fmt::format("{}: {}\r\n", name, value);
  if (!answer.headers.contains("Content-Length")) {
    text += fmt::format("Content-Length: {}\r\n", answer.body.size());
  }
  text += "Connection: keep-alive\r\n\r\n";
  if (with_body) text += answer.body;
  mg_write(connection, text.data(), text.size());
}

}  // namespace

std::string SeenRequest::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

HttpServer::HttpServer(Handler handler) : handler_(std::move(handler)) {
  mg_init_library(0);
  const char* options[] = {"decode_url",
                           "no",
                           "listening_ports",
                           "127.0.0.1:0",
                           "num_threads",
                           "24",
                           "enable_keep_alive",
                           "yes",
                           "keep_alive_timeout_ms",
                           "20000",
                           "request_timeout_ms",
                           "30000",
                           nullptr};
  const mg_callbacks callbacks{};
  context_ = mg_start(&callbacks, nullptr, options);
  mg_server_port port{};
  if (context_ == nullptr || mg_get_server_ports(context_, 1, &port) != 1) return;
  port_ = port.port;
  mg_set_request_handler(context_, "/", &HttpServer::Handle, this);
}

// Civetweb looks only every two seconds whether it is to stop, but at every new connection.
HttpServer::~HttpServer() {
  std::atomic<bool> stopped{false};
  std::thread waker([&] {
    for (char error[64]; !stopped; std::this_thread::sleep_for(std::chrono::milliseconds(5))) {
      mg_connection* connection = mg_connect_client("127.0.0.1", port_, 0, error, sizeof(error));
      if (connection != nullptr) mg_close_connection(connection);
    }
  });
  if (context_ != nullptr) mg_stop(context_);
  stopped = true;
  waker.join();
  mg_exit_library();
}

std::string HttpServer::url() const { return fmt::format("http://127.0.0.1:{}", port_); }

int HttpServer::Handle(mg_connection* connection, void* server) {
  const SeenRequest request = ReadRequest(connection);
  const TestAnswer answer = static_cast<HttpServer*>(server)->handler_(request);
  if (answer.delay_ms > 0) {
    std::this_thread::sleep_for(std::chrono::milliseconds(answer.delay_ms));
  }
  if (answer.drop) {
    mg_disable_connection_keep_alive(connection);
  } else {
    Send(connection, answer, request.method != "HEAD");
  }
  return 1;
}

}  // namespace amp::testing
