#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"

/// Real servers for tests, on free ports of the loopback interface.
namespace amp::testing {

/// The URL of the test server of a kind ("postgresql", "s3"): AMPLOAD_TEST_<KIND>_URL, else the one
/// that `ampload_test_server start` left in $AMPLOAD_TEST_SERVERS, else one that is started now and
/// stopped at the end of the process.
Result<std::string> ServerUrl(std::string_view kind);

/// A PostgreSQL server over a fresh folder. Root runs it as the user postgres, as it refuses root.
/// Everyone logs in as postgres without a password; the role "locked" needs one.
class PostgresServer {
 public:
  static Result<PostgresServer> Start();
  /// A server that another process started.
  static PostgresServer Attach(std::string folder) { return PostgresServer(std::move(folder)); }

  /// Ends the server and removes its folder.
  Status Stop();
  /// Ends the server as `pg_ctl stop -m MODE` does (immediate, fast, smart); its data stay.
  Status Halt(const std::string& mode);
  /// Starts it again, on the same port.
  Status Resume();
  const std::string& folder() const { return folder_; }
  /// postgresql://postgres@127.0.0.1:PORT/postgres
  Result<std::string> Url() const;

 private:
  explicit PostgresServer(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

/// An S3 server (moto) that keeps its buckets in memory. It takes any credentials and checks no
/// signature. Python is $AMPLOAD_PYTHON, with the packages of cmake/python-requirements.txt.
class S3Server {
 public:
  static Result<S3Server> Start();
  /// A server that another process started.
  static S3Server Attach(std::string folder) { return S3Server(std::move(folder)); }

  /// Ends the server and removes its folder.
  Status Stop();
  const std::string& folder() const { return folder_; }
  /// http://127.0.0.1:PORT
  Result<std::string> Url() const;

 private:
  explicit S3Server(std::string folder) : folder_(std::move(folder)) {}
  std::string folder_;
};

/// Makes a bucket on the server at `endpoint` (ServerUrl("s3")); one that is there stays. With
/// AMPLOAD_TEST_S3_FOLDER, as a folder in that one: so does a server over a file system keep them.
Status MakeBucket(const std::string& endpoint, const std::string& bucket);
/// NAME=value for a process that is to use that server: AWS_ENDPOINT_URL, a region, a key.
std::vector<std::string> S3Environment(const std::string& endpoint);

/// A port that was free a moment ago.
Result<int> FreePort();

/// An empty folder under the system's temporary one; removed when it goes out of scope.
class TemporaryFolder {
 public:
  TemporaryFolder();
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  ~TemporaryFolder();
  const std::string& path() const { return path_; }
  std::string file(std::string_view name) const { return path_ + "/" + std::string(name); }

 private:
  std::string path_;
};

}  // namespace amp::testing
