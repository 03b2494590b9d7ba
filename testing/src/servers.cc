#include "amp/testing/servers.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <pwd.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <memory>
#include <optional>
#include <sstream>
#include <vector>

namespace amp::testing {
namespace {

namespace fs = std::filesystem;

Status ServerError(const std::string& what) {
  return MakeError(ErrorKind::kUnavailable, "test server: " + what);
}

std::string ReadAll(const std::string& path) {
  std::ifstream in(path);
  std::ostringstream content;
  content << in.rdbuf();
  return content.str();
}

std::string Environment(const std::string& name) {
  const char* value = std::getenv(name.c_str());
  return value == nullptr ? "" : value;
}

/// The user that servers run as; none where we are not root.
const passwd* ServerUser() {
  if (geteuid() != 0) return nullptr;
  const passwd* user = getpwnam("postgres");
  return user != nullptr ? user : getpwnam("nobody");
}

// `program …` as the server's user: root hands over through setpriv.
std::vector<std::string> AsServerUser(std::vector<std::string> command) {
  const passwd* user = ServerUser();
  if (user == nullptr) return command;
  command.insert(command.begin(),
                 {"/usr/bin/setpriv", "--reuid=" + std::to_string(user->pw_uid),
                  "--regid=" + std::to_string(user->pw_gid), "--clear-groups", "--"});
  return command;
}

// Runs a program as the server's user; its output goes to a file. Not by fork: at the end of the
// process Arrow's handlers for that are gone.
Status Run(const std::vector<std::string>& command, const std::string& log) {
  std::vector<std::string> words = AsServerUser(command);
  std::vector<char*> arguments;
  for (std::string& word : words) arguments.push_back(word.data());
  arguments.push_back(nullptr);
  posix_spawn_file_actions_t files;
  posix_spawn_file_actions_init(&files);
  posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&files, STDOUT_FILENO, log.c_str(),
                                   O_WRONLY | O_CREAT | O_APPEND, 0666);
  posix_spawn_file_actions_adddup2(&files, STDOUT_FILENO, STDERR_FILENO);
  pid_t child = 0;
  const int error = posix_spawn(&child, arguments[0], &files, nullptr, arguments.data(), environ);
  posix_spawn_file_actions_destroy(&files);
  int status = 0;
  if (error != 0 || waitpid(child, &status, 0) != child) {
    return ServerError("cannot run " + command[0] + ": " + std::strerror(error));
  }
  if (WIFEXITED(status) && WEXITSTATUS(status) == 0) return Status::OK();
  return ServerError(command[0] + " failed:\n" + ReadAll(log));
}

/// The folder with initdb and pg_ctl: the newest of Debian's, else what PATH has.
Result<std::string> PostgresPrograms() {
  std::vector<std::string> found;
  std::error_code error;
  for (const auto& version : fs::directory_iterator("/usr/lib/postgresql", error)) {
    const std::string folder = version.path().string() + "/bin";
    if (fs::exists(folder + "/initdb")) found.push_back(folder);
  }
  std::sort(found.begin(), found.end());
  if (!found.empty()) return found.back();
  std::istringstream path(Environment("PATH"));
  for (std::string folder; std::getline(path, folder, ':');) {
    if (fs::exists(folder + "/initdb")) return folder;
  }
  return ServerError("there is no initdb; install postgresql, or set AMPLOAD_TEST_POSTGRESQL_URL");
}

Status WriteAccessRules(const std::string& data) {
  std::ofstream rules(data + "/pg_hba.conf", std::ios::trunc);
  rules << "host all locked 127.0.0.1/32 scram-sha-256\n"
           "host all all 127.0.0.1/32 trust\n"
           "local all all trust\n";
  rules.close();
  return rules ? Status::OK() : ServerError("cannot write pg_hba.conf");
}

/// The server of this process, when none was given.
template <class Server>
struct OwnServer {
  std::optional<Server> server;
  std::string url;
  ~OwnServer() {
    if (!server) return;
    const Status status = server->Stop();
    if (!status.ok()) status.Warn("stopping the test server");
  }
};

template <class Server>
Result<std::string> StartOwn() {
  static OwnServer<Server> own;
  if (own.url.empty()) {
    ARROW_ASSIGN_OR_RAISE(own.server, Server::Start());
    ARROW_ASSIGN_OR_RAISE(own.url, own.server->Url());
  }
  return own.url;
}

// The one that `ampload_test_server` left in a folder, else one of this process.
template <class Server>
Result<std::string> UrlOf(const std::string& folder) {
  return folder.empty() ? StartOwn<Server>() : Server::Attach(folder).Url();
}

}  // namespace

Result<int> FreePort() {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof(address);
  auto* generic = reinterpret_cast<sockaddr*>(&address);
  const bool bound = bind(fd, generic, size) == 0 && getsockname(fd, generic, &size) == 0;
  close(fd);
  if (!bound) return ServerError("no free port");
  return ntohs(address.sin_port);
}

Result<PostgresServer> PostgresServer::Start() {
  ARROW_ASSIGN_OR_RAISE(const std::string programs, PostgresPrograms());
  ARROW_ASSIGN_OR_RAISE(const int port, FreePort());
  std::string folder = (fs::temp_directory_path() / "ampload-postgresql-XXXXXX").string();
  if (mkdtemp(folder.data()) == nullptr) return ServerError("no temporary folder");
  if (const passwd* user = ServerUser();
      user != nullptr && chown(folder.c_str(), user->pw_uid, user->pw_gid) != 0) {
    return ServerError("cannot give away " + folder);
  }
  const std::string data = folder + "/data";
  ARROW_RETURN_NOT_OK(Run({programs + "/initdb", "-D", data, "-U", "postgres", "-A", "trust", "-E",
                           "UTF8", "--locale=C", "-N"},
                          folder + "/initdb.log"));
  ARROW_RETURN_NOT_OK(WriteAccessRules(data));
  std::ofstream(folder + "/port") << port;
  PostgresServer server(folder);
  ARROW_RETURN_NOT_OK(server.Resume());
  return server;
}

Status PostgresServer::Resume() {
  ARROW_ASSIGN_OR_RAISE(const std::string programs, PostgresPrograms());
  const std::string options = "-p " + ReadAll(folder_ + "/port") + " -k " + folder_ +
                              " -h 127.0.0.1 -c fsync=off -c max_connections=50";
  return Run({programs + "/pg_ctl", "-D", folder_ + "/data", "-o", options, "-l",
              folder_ + "/server.log", "-w", "-t", "60", "start"},
             folder_ + "/start.log");
}

Status PostgresServer::Halt(const std::string& mode) {
  ARROW_ASSIGN_OR_RAISE(const std::string programs, PostgresPrograms());
  return Run({programs + "/pg_ctl", "-D", folder_ + "/data", "-m", mode, "-w", "stop"},
             folder_ + "/stop.log");
}

Status PostgresServer::Stop() {
  ARROW_RETURN_NOT_OK(Halt("immediate"));
  std::error_code error;
  fs::remove_all(folder_, error);
  return error ? ServerError("cannot remove " + folder_) : Status::OK();
}

Result<std::string> PostgresServer::Url() const {
  const std::string port = ReadAll(folder_ + "/port");
  if (port.empty()) return ServerError("no server in " + folder_);
  return "postgresql://postgres@127.0.0.1:" + port + "/postgres";
}

Result<std::string> ServerUrl(std::string_view kind) {
  std::string variable = "AMPLOAD_TEST_" + std::string(kind) + "_URL";
  std::transform(variable.begin(), variable.end(), variable.begin(), ::toupper);
  if (std::string given = Environment(variable); !given.empty()) return given;
  const std::string noted = Environment("AMPLOAD_TEST_SERVERS");
  const std::string folder = noted.empty() ? "" : ReadAll(noted + "/" + std::string(kind));
  if (kind == "postgresql") return UrlOf<PostgresServer>(folder);
  if (kind == "s3") return UrlOf<S3Server>(folder);
  return ServerError("there is no server of kind " + std::string(kind));
}

TemporaryFolder::TemporaryFolder()
    : path_((fs::temp_directory_path() / "ampload-test-XXXXXX").string()) {
  if (mkdtemp(path_.data()) == nullptr) path_.clear();
}

TemporaryFolder::~TemporaryFolder() {
  std::error_code error;
  if (!path_.empty()) fs::remove_all(path_, error);
}

}  // namespace amp::testing
