// `ampload stream` into LMDB, killed and cut off; and a disk that is full.

#include <arrow/type.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "amp/testing/asserts.h"
#include "conformance/lmdb_client.h"
#include "crash/stream_crash.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;

std::string Cell(const Json& value) {
  if (value.is_null()) return "\\N";
  if (value.is_string()) return value.get<std::string>();
  if (!value.is_binary()) return value.dump();
  std::string hex;
  for (const uint8_t byte : value.get_binary()) hex += fmt::format("{:02x}", byte);
  return hex;
}

/// Looks with LMDB's own interface and nlohmann's MessagePack reader.
class LmdbCrashTarget final : public CrashTarget {
 public:
  std::string url() const override { return "lmdb:" + folder_.file("db"); }
  std::string loader() const override { return "lmdb"; }
  Result<Lines> Read(const std::string& table, const arrow::Schema& schema) override {
    ARROW_ASSIGN_OR_RAISE(const auto entries, ReadLmdb(folder_.file("db"), table));
    Lines lines;
    for (const auto& entry : entries) {
      const Json row = Json::from_msgpack(entry.second);
      // The last one is the batch's id.
      if (row.size() != static_cast<size_t>(schema.num_fields()) + 1) {
        return Status::Invalid("not the columns of the source");
      }
      std::string line = Cell(row[0]);
      for (size_t i = 1; i + 1 < row.size(); ++i) line += "|" + Cell(row[i]);
      lines.push_back(std::move(line));
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }

 private:
  TemporaryFolder folder_;
};

Result<std::unique_ptr<CrashTarget>> Make() { return std::make_unique<LmdbCrashTarget>(); }

class LMDBStreamDisk : public CrashFixture {
 protected:
  void SetUp() override { SetUpAt(&Make); }
};

TEST_F(LMDBStreamDisk, FullIsAnErrorAndTheNextRunCompletesIt) {
  const Scenario scenario{.name = "full", .options = RestlessChain(seed_, 1500)};
  const AmpServer server(scenario.options);
  for (const long limit : {300'000L, 600'000L}) {
    AmploadProcess process(Stream(scenario, server), {.file_size_limit = limit});
    const CommandResult full = process.Finish();
    EXPECT_EQ(full.exit_code, 4) << full.err;
    EXPECT_NE(full.err.find("The disk may be full, or the file may not grow further"),
              std::string::npos)
        << full.err;
    EXPECT_GT(Occurrences(full.out, R"("event":"commit")"), 0);
    ExpectWholeBlocks(scenario);
  }
  RunToTheEnd(scenario, server);
  ExpectCanonical(scenario);
}

}  // namespace

INSTANTIATE_TEST_SUITE_P(LMDB, StreamCrash, ::testing::Values(&Make));
INSTANTIATE_TEST_SUITE_P(LMDB, KilledStream, KilledStreams(&Make), NameOfKilledStream);

}  // namespace amp::testing
