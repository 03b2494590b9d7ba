#pragma once

#include <string>
#include <string_view>

#include "amp/error.h"

/// Real servers for tests, on free ports of the loopback interface.
namespace amp::testing {

/// The URL of the test server of a kind ("postgresql"): AMPLOAD_TEST_<KIND>_URL, else the one that
/// `ampload_test_server start` left in $AMPLOAD_TEST_SERVERS, else one that is started now and
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
