// moto's S3 server, as a process of its own that goes on when the one that started it ends.

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <thread>

#include "amp/testing/servers.h"

namespace amp::testing {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::seconds kLongestStart{60};
constexpr std::chrono::milliseconds kLook{20};

Status ServerError(const std::string& what) {
  return MakeError(ErrorKind::kUnavailable, "test server: " + what);
}

std::string FirstWord(const std::string& path) {
  std::string word;
  std::ifstream(path) >> word;
  return word;
}

std::string Python() {
  const char* given = std::getenv("AMPLOAD_PYTHON");
  return given == nullptr || *given == '\0' ? "python3" : given;
}

// Not as a child that the end of this process, or a Ctrl-C, would end too.
Result<pid_t> StartDetached(std::vector<std::string> command, const std::string& log) {
  std::vector<char*> arguments;
  for (std::string& word : command) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0666);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSID);
  pid_t child = 0;
  const int error =
      posix_spawnp(&child, arguments[0], &files, &attributes, arguments.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  if (error == 0) return child;
  return ServerError("cannot run " + command[0] + ": " + std::strerror(error));
}

/// A socket that is connected; closed when it goes out of scope.
class Connection {
 public:
  explicit Connection(int port) : fd_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    open_ = connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof(address)) == 0;
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() { close(fd_); }
  bool open() const { return open_; }
  /// Sends a request that ends the connection; the whole answer.
  std::string Ask(const std::string& request) const {
    std::string answer;
    if (send(fd_, request.data(), request.size(), MSG_NOSIGNAL) < 0) return answer;
    char piece[4096];
    for (ssize_t got = 0; (got = recv(fd_, piece, sizeof(piece), 0)) > 0;) {
      answer.append(piece, static_cast<size_t>(got));
    }
    return answer;
  }

 private:
  int fd_;
  bool open_ = false;
};

bool Runs(pid_t process) { return waitpid(process, nullptr, WNOHANG) == 0; }

Status WaitUntilItListens(pid_t process, int port) {
  const auto end = std::chrono::steady_clock::now() + kLongestStart;
  while (!Connection(port).open()) {
    if (!Runs(process)) return ServerError("moto has ended");
    if (std::chrono::steady_clock::now() > end) return ServerError("moto does not listen");
    std::this_thread::sleep_for(kLook);
  }
  return Status::OK();
}

// Ours, or another process's by now: then it cannot be waited for.
void End(pid_t process) {
  if (process <= 1 || kill(process, SIGTERM) != 0) return;
  const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(5);
  while (std::chrono::steady_clock::now() < end) {
    if (waitpid(process, nullptr, WNOHANG) == process || kill(process, 0) != 0) return;
    std::this_thread::sleep_for(kLook);
  }
  kill(process, SIGKILL);
}

}  // namespace

Result<S3Server> S3Server::Start() {
  ARROW_ASSIGN_OR_RAISE(const int port, FreePort());
  std::string folder = (fs::temp_directory_path() / "ampload-s3-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return ServerError("no temporary folder");
  S3Server server(folder);
  const std::string log = folder + "/server.log";
  ARROW_ASSIGN_OR_RAISE(
      const pid_t process,
      StartDetached({Python(), "-m", "moto.server", "-H", "127.0.0.1", "-p", std::to_string(port)},
                    log));
  std::ofstream(folder + "/pid") << process;
  std::ofstream(folder + "/port") << port;
  const Status listens = WaitUntilItListens(process, port);
  if (listens.ok()) return server;
  std::string said;
  std::getline(std::ifstream(log), said, '\0');
  return WithContext(listens, Python() + " -m moto.server (./dev test installs it) said:\n" + said);
}

Status S3Server::Stop() {
  End(static_cast<pid_t>(std::atoi(FirstWord(folder_ + "/pid").c_str())));
  std::error_code error;
  fs::remove_all(folder_, error);
  return error ? ServerError("cannot remove " + folder_) : Status::OK();
}

Result<std::string> S3Server::Url() const {
  const std::string port = FirstWord(folder_ + "/port");
  if (port.empty()) return ServerError("no server in " + folder_);
  return "http://127.0.0.1:" + port;
}

Status MakeBucket(const std::string& endpoint, const std::string& bucket) {
  // Of servers whose buckets are folders, and which take no unsigned request.
  if (const char* folder = std::getenv("AMPLOAD_TEST_S3_FOLDER"); folder != nullptr) {
    std::error_code error;
    std::filesystem::create_directory(std::filesystem::path(folder) / bucket, error);
    return error ? ServerError("making the bucket " + bucket + ": " + error.message())
                 : Status::OK();
  }
  const std::string host = endpoint.substr(endpoint.find("://") + 3);
  const Connection connection(std::atoi(host.substr(host.find(':') + 1).c_str()));
  const std::string answer = connection.Ask(
      "PUT /" + bucket + " HTTP/1.1\r\nHost: " + host +
      "\r\nAuthorization: AWS4-HMAC-SHA256 Credential=test/20260101/us-east-1/s3/aws4_request, "
      "SignedHeaders=host, Signature=0\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
  const std::string code = answer.substr(0, answer.find('\r'));
  const bool made =
      code.find(" 200") != std::string::npos || code.find(" 409") != std::string::npos;
  return made ? Status::OK() : ServerError("making the bucket " + bucket + ": " + code);
}

std::vector<std::string> S3Environment(const std::string& endpoint) {
  return {"AWS_ENDPOINT_URL=" + endpoint, "AWS_REGION=us-east-1", "AWS_ACCESS_KEY_ID=test",
          "AWS_SECRET_ACCESS_KEY=test", "AWS_ALLOW_HTTP=true"};
}

}  // namespace amp::testing
