#pragma once

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <nlohmann/json.hpp>

#include "amp/amp_source.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "unit/amp_server.h"

namespace amp::unit {

inline const std::string kHashA = "0x" + std::string(64, 'a');
inline const std::string kHashB = "0x" + std::string(64, 'b');

inline std::shared_ptr<arrow::Schema> TestSchema() {
  static const auto schema = arrow::schema(
      {arrow::field("_block_num", arrow::uint64(), false), arrow::field("text", arrow::utf8())});
  return schema;
}

inline std::shared_ptr<arrow::RecordBatch> Rows(const std::string& json) {
  return testing::BatchFromJson(TestSchema(), json).ValueOrDie();
}

inline std::string Metadata(uint64_t start, uint64_t end, bool complete) {
  return nlohmann::json{{"ranges",
                         {{{"network", "eth"},
                           {"numbers", {{"start", start}, {"end", end}}},
                           {"hash", kHashB},
                           {"prev_hash", kHashA}}}},
                        {"ranges_complete", complete}}
      .dump();
}

// Blocks 1 to 2 as rows and a watermark.
inline Answer OneMicrobatch() {
  return {.announced = TestSchema(),
          .parts = {{{.batch = Rows(R"([{"_block_num":1,"text":"a"},{"_block_num":2}])"),
                      .app_metadata = Metadata(1, 2, false)},
                     {.batch = Rows("[]"), .app_metadata = Metadata(1, 2, true)}}}};
}

inline Answer Refusing(Status status) {
  Answer answer = OneMicrobatch();
  answer.info = std::move(status);
  return answer;
}

// Without the login of whoever runs the tests.
class AmpSourceTest : public ::testing::Test {
 protected:
  void SetUp() override {
    setenv("HOME", folder_.path().c_str(), 1);
    unsetenv("AMP_AUTH_TOKEN");
  }

  static Result<std::unique_ptr<StreamConnection>> Connect(
      const std::string& url, const AmpSourceOptions& options = {},
      const std::vector<BlockRange>& resume = {}) {
    ARROW_ASSIGN_OR_RAISE(const auto source, OpenAmpSource(url, "SELECT * FROM eth.logs", options));
    return source->Connect(resume);
  }
  /// Reads to the end.
  static Result<std::vector<StreamMessage>> ReadAll(StreamConnection* connection) {
    std::vector<StreamMessage> messages;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto message, connection->Next());
      if (!message) return messages;
      messages.push_back(std::move(*message));
    }
  }
  static Result<std::vector<StreamMessage>> Read(const Answer& answer,
                                                 const AmpSourceOptions& options = {}) {
    const auto server = AmpServer::Start(answer);
    ARROW_ASSIGN_OR_RAISE(const auto connection, Connect(server->Url(), options));
    return ReadAll(connection.get());
  }

  testing::TemporaryFolder folder_;
};

}  // namespace amp::unit
