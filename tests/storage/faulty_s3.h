#pragma once

#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "storage/http_server.h"
#include "storage/open_store.h"

namespace amp::testing {

/// How the next requests of a method go wrong.
struct Fault {
  std::string method = "PUT";
  int status = 0;
  std::string code = {};     ///< such as "SlowDown"; empty: the answer has no document
  bool carried_out = false;  ///< the server does what was asked, and then answers so
  int times = 1;
  bool drop = false;  ///< instead of an answer the connection ends
  int delay_ms = 0;   ///< before the answer, which is a right one with status 0
  std::map<std::string, std::string> headers = {};
  std::string extra = {};  ///< more of the error's document
  std::string path = {};   ///< only requests whose path has this in it
};

/// An S3 server of one bucket, "bucket", in memory: it checks every signature and payload hash, has
/// conditional puts, ranges, listings in pages of three, and multipart uploads, and fails as told.
class FaultyS3 {
 public:
  static constexpr const char* kKeyId = "the-key-id";
  static constexpr const char* kSecret = "the-secret-key";

  FaultyS3();
  std::string url() const { return server_.url(); }
  /// Right credentials, short pauses and a short timeout.
  storage::StoreConfig Config() const;
  std::shared_ptr<storage::ObjectStore> Store(const std::string& prefix = {}) const;

  void Fail(Fault fault);
  /// No more of what was told.
  void Heal();
  void Put(const std::string& key, const std::string& bytes);
  std::map<std::string, std::string> objects();
  std::vector<SeenRequest> seen();
  size_t open_uploads();

 private:
  struct Upload {
    std::string key;
    std::map<int, std::string> parts;
  };
  TestAnswer Answer(const SeenRequest& request);
  TestAnswer CarryOut(const SeenRequest& request);
  TestAnswer DoPut(const SeenRequest& request, const std::string& key);
  TestAnswer DoPost(const SeenRequest& request, const std::string& key);
  TestAnswer DoDelete(const SeenRequest& request, const std::string& key);
  TestAnswer DoGet(const SeenRequest& request, const std::string& key);
  TestAnswer List(const SeenRequest& request);
  bool TakeFault(const SeenRequest& request, Fault* fault);

  std::mutex mutex_;
  std::map<std::string, std::string> objects_;
  std::map<std::string, Upload> uploads_;
  std::vector<Fault> faults_;
  std::vector<SeenRequest> seen_;
  int next_upload_ = 0;
  HttpServer server_;  // stops first
};

}  // namespace amp::testing
