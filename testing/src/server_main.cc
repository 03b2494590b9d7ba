// ampload_test_server start|stop KIND FOLDER: a server for a whole run of tests. FOLDER/KIND then
// holds the place of its data, from which tests find it.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "amp/testing/servers.h"

namespace {

using amp::Status;
using amp::testing::PostgresServer;
using amp::testing::S3Server;

template <class Server>
Status Stop(const std::string& note) {
  std::string folder;
  std::ifstream(note) >> folder;
  if (folder.empty()) return Status::OK();
  ARROW_RETURN_NOT_OK(Server::Attach(folder).Stop());
  std::filesystem::remove(note);
  return Status::OK();
}

template <class Server>
Status Start(const std::string& note) {
  // What an earlier run left, because it was killed.
  if (const Status stopped = Stop<Server>(note); !stopped.ok()) std::filesystem::remove(note);
  ARROW_ASSIGN_OR_RAISE(const Server server, Server::Start());
  std::filesystem::create_directories(std::filesystem::path(note).parent_path());
  std::ofstream(note) << server.folder();
  ARROW_ASSIGN_OR_RAISE(const std::string url, server.Url());
  std::printf("%s\n", url.c_str());
  return Status::OK();
}

template <class Server>
Status Do(const std::string& command, const std::string& note) {
  return command == "start" ? Start<Server>(note) : Stop<Server>(note);
}

}  // namespace

int main(int argc, char** argv) {
  const std::string kind = argc == 4 ? argv[2] : "";
  if (kind != "postgresql" && kind != "s3") {
    std::fprintf(stderr, "usage: ampload_test_server start|stop postgresql|s3 FOLDER\n");
    return 2;
  }
  const std::string note = std::string(argv[3]) + "/" + kind;
  const Status status =
      kind == "s3" ? Do<S3Server>(argv[1], note) : Do<PostgresServer>(argv[1], note);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
