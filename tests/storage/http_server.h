#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

struct mg_connection;
struct mg_context;

namespace amp::testing {

/// A request as it came over the wire; nothing is decoded.
struct SeenRequest {
  std::string method;
  std::string path;
  std::string query;
  std::map<std::string, std::string> headers = {};  ///< names in lower case
  std::string body = {};

  std::string Header(const std::string& name) const;
};

struct TestAnswer {
  int status = 200;
  std::string body = {};
  std::map<std::string, std::string> headers = {};
  bool drop = false;  ///< the connection is closed without an answer
  int delay_ms = 0;
};

/// An HTTP server in this process, on a free port of the loopback interface, that keeps
/// connections.
class HttpServer {
 public:
  using Handler = std::function<TestAnswer(const SeenRequest&)>;
  explicit HttpServer(Handler handler);
  ~HttpServer();
  /// http://127.0.0.1:PORT
  std::string url() const;

 private:
  static int Handle(mg_connection* connection, void* server);
  Handler handler_;
  mg_context* context_ = nullptr;
  int port_ = 0;
};

}  // namespace amp::testing
