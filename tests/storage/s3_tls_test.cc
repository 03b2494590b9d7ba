// Buckets behind TLS: `openssl s_server -WWW` serves a folder's files as objects.

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <chrono>
#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <thread>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "storage/open_store.h"

namespace amp::testing {
namespace {

class S3Tls : public ::testing::Test {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(port_, FreePort());
    std::filesystem::create_directory(folder_.file("bucket"));
    std::ofstream(folder_.file("bucket/object")) << "over TLS";
    ASSERT_EQ(
        Shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 "
              "-subj /CN=localhost -addext subjectAltName=IP:127.0.0.1 -keyout key -out cert"),
        0);
    ASSERT_EQ(Shell(fmt::format("setsid openssl s_server -accept 127.0.0.1:{} -cert cert -key key "
                                "-WWW </dev/null & echo $! >pid",
                                port_)),
              0);
    std::ifstream(folder_.file("pid")) >> server_;
    for (int i = 0; i < 500 && Read("cert").status().message().find("connect") != std::string::npos;
         ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }
  void TearDown() override {
    if (server_ > 1) kill(server_, SIGTERM);
  }
  int Shell(const std::string& command) {
    return std::system(("cd " + folder_.path() + " && { " + command + "; } >log 2>&1").c_str());
  }
  Result<std::string> Read(const std::string& ca_file) {
    storage::StoreConfig config;
    config.s3 = {.endpoint = fmt::format("https://127.0.0.1:{}", port_),
                 .access_key_id = "k",
                 .secret_access_key = "s",
                 .tls_ca_file = ca_file.empty() ? "" : folder_.file(ca_file),
                 .retry_tries = 1};
    ARROW_ASSIGN_OR_RAISE(const auto store, storage::OpenStore("s3://bucket", config));
    ARROW_ASSIGN_OR_RAISE(const auto bytes, store->Read("object"));
    return bytes->ToString();
  }

  TemporaryFolder folder_;
  int port_ = 0;
  pid_t server_ = 0;
};

TEST_F(S3Tls, ReadsFromAServerWhoseCertificateIsTrusted) {
  AMP_ASSERT_OK_AND_ASSIGN(const std::string bytes, Read("cert"));
  EXPECT_EQ(bytes, "over TLS");
}

TEST_F(S3Tls, RefusesAServerThatNobodyVouchesFor) {
  const Status status = Read("").status();
  AMP_EXPECT_ERROR(status, ErrorKind::kUnavailable, "certificate");
  EXPECT_FALSE(ErrorInfoOf(status).retryable);
}

TEST_F(S3Tls, AMissingCertificateFileIsNamed) {
  AMP_EXPECT_ERROR(Read("no-such-file"), ErrorKind::kUnavailable, "no-such-file");
}

}  // namespace
}  // namespace amp::testing
