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

Status Stop(const std::string& note) {
  std::string folder;
  std::ifstream(note) >> folder;
  if (folder.empty()) return Status::OK();
  ARROW_RETURN_NOT_OK(PostgresServer::Attach(folder).Stop());
  std::filesystem::remove(note);
  return Status::OK();
}

Status Start(const std::string& note) {
  // What an earlier run left, because it was killed.
  if (const Status stopped = Stop(note); !stopped.ok()) std::filesystem::remove(note);
  ARROW_ASSIGN_OR_RAISE(const PostgresServer server, PostgresServer::Start());
  std::filesystem::create_directories(std::filesystem::path(note).parent_path());
  std::ofstream(note) << server.folder();
  ARROW_ASSIGN_OR_RAISE(const std::string url, server.Url());
  std::printf("%s\n", url.c_str());
  return Status::OK();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4 || std::string(argv[2]) != "postgresql") {
    std::fprintf(stderr, "usage: ampload_test_server start|stop postgresql FOLDER\n");
    return 2;
  }
  const std::string note = std::string(argv[3]) + "/" + argv[2];
  const Status status = std::string(argv[1]) == "start" ? Start(note) : Stop(note);
  if (!status.ok()) std::fprintf(stderr, "%s\n", status.message().c_str());
  return status.ok() ? 0 : 1;
}
