// `ampload stream` into Delta tables of a bucket, killed and cut off; and writers at once.

#include <arrow/table.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <set>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "conformance/delta_writers.h"
#include "crash/delta_crash.h"
#include "interop/delta_client.h"

namespace amp::testing {
namespace {

/// A bucket of its own on a real server.
class Bucket {
 public:
  static Result<Bucket> Make() {
    static std::atomic<int> count{0};
    Bucket bucket;
    ARROW_ASSIGN_OR_RAISE(bucket.server_, ServerUrl("s3"));
    bucket.name_ = fmt::format("delta-{}-{}", getpid(), ++count);
    ARROW_RETURN_NOT_OK(MakeBucket(bucket.server_, bucket.name_));
    return bucket;
  }
  std::string url() const { return "s3://" + name_; }
  std::vector<std::string> environment() const { return S3Environment(server_); }
  /// For delta-rs.
  nlohmann::json options() const {
    nlohmann::json options;
    for (const std::string& entry : environment()) {
      const size_t equals = entry.find('=');
      options[entry.substr(0, equals)] = entry.substr(equals + 1);
    }
    return options;
  }

 private:
  std::string server_;
  std::string name_;
};

class BucketTarget final : public CrashTarget {
 public:
  explicit BucketTarget(Bucket bucket) : bucket_(std::move(bucket)) {}
  std::string url() const override { return "delta:" + bucket_.url(); }
  std::string loader() const override { return "delta"; }
  std::vector<std::string> modes() const override { return {"append"}; }
  std::vector<std::string> environment() const override { return bucket_.environment(); }
  Result<Lines> Read(const std::string& table, const arrow::Schema& schema) override {
    return DeltaLines(bucket_.url() + "/" + table, schema, bucket_.options());
  }

 private:
  Bucket bucket_;
};

Result<std::unique_ptr<CrashTarget>> Make() {
  ARROW_ASSIGN_OR_RAISE(Bucket bucket, Bucket::Make());
  return std::make_unique<BucketTarget>(std::move(bucket));
}

// The whole suites run on folders.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(StreamCrash);
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(KilledStream);

const std::vector<std::string> kOftenCheckpoints{"--set", "properties.delta.checkpointInterval=5"};

class DeltaBucketCrash : public CrashFixture {
 protected:
  void SetUp() override { SetUpAt(&Make); }
};

TEST_F(DeltaBucketCrash, KilledAtEveryStepOfACommit) {
  const Scenario scenario{.name = "steps", .options = RestlessChain(seed_, 700)};
  const AmpServer server(scenario.options);
  for (const char* step : {"before_undo", "after_undo", "before_checkpoint", "before_commit",
                           "after_commit", "before_checkpoint_file", "after_checkpoint_file"}) {
    const std::string point = fmt::format("AMPLOAD_FAILPOINTS=delta.{}=kill", step);
    AmploadProcess process(Stream(scenario, server, kOftenCheckpoints), Options(point));
    ASSERT_EQ(process.Wait(std::chrono::seconds(30)), 137) << step << " was not reached";
    ExpectWholeBlocks(scenario);
  }
  RunToTheEnd(scenario, server);
  ExpectCanonical(scenario);
}

TEST_F(DeltaBucketCrash, AtRandomTheEndIsExact) {
  const Scenario scenario{.name = "random", .options = RestlessChain(seed_, 700)};
  const AmpServer server(scenario.options);
  KillUntil(scenario, server, 8);
  RunToTheEnd(scenario, server);
  ExpectCanonical(scenario);
}

TEST(DeltaBucketWriters, AllRowsOfFourWritersAreThereOnce) {
  AMP_ASSERT_OK_AND_ASSIGN(const Bucket bucket, Bucket::Make());
  const auto options = bucket.options().get<ConfigValue::Map>();
  const Writers writers{
      .config = {{"path", {.value = bucket.url()}}, {"storage_options", {.value = options}}},
      .to = "delta:" + bucket.url(),
      .environment = bucket.environment(),
      .commits = 25};
  const int commits = RunWriters(writers, "t");
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows,
                           ReadDelta(bucket.url() + "/t", std::nullopt, bucket.options()));
  ASSERT_EQ(rows->num_rows(), 2 * commits);
  std::set<std::string> seen;
  for (int64_t i = 0; i < rows->num_rows(); ++i) {
    seen.insert(rows->column(0)->GetScalar(i).ValueOrDie()->ToString() + " " +
                rows->column(1)->GetScalar(i).ValueOrDie()->ToString());
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(2 * commits));
  std::printf("%d commits\n", commits);
}

}  // namespace
}  // namespace amp::testing
