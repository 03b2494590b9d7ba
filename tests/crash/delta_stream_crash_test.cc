// `ampload stream` into Delta tables, killed and cut off.

#include <sys/mount.h>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "crash/delta_crash.h"

namespace amp::testing {
namespace {

/// Looks with delta-rs.
class DeltaCrashTarget : public CrashTarget {
 public:
  std::string url() const override { return "delta:" + folder_.path(); }
  std::string loader() const override { return "delta"; }
  std::vector<std::string> modes() const override { return {"append"}; }
  Result<Lines> Read(const std::string& table, const arrow::Schema& schema) override {
    return DeltaLines(folder_.file(table), schema);
  }
  const TemporaryFolder& folder() const { return folder_; }

 private:
  TemporaryFolder folder_;
};

/// On a small disk of its own, where the system lets us make one; else files may not grow.
class SmallDiskTarget final : public DeltaCrashTarget {
 public:
  SmallDiskTarget()
      : mounted_(mount("tmpfs", folder().path().c_str(), "tmpfs", 0, "size=600k") == 0) {}
  ~SmallDiskTarget() override {
    if (mounted_) umount2(folder().path().c_str(), MNT_DETACH);
  }
  bool Grow() const {
    return !mounted_ ||
           mount("tmpfs", folder().path().c_str(), "tmpfs", MS_REMOUNT, "size=200m") == 0;
  }
  bool mounted() const { return mounted_; }

 private:
  bool mounted_;
};

Result<std::unique_ptr<CrashTarget>> Make() { return std::make_unique<DeltaCrashTarget>(); }
Result<std::unique_ptr<CrashTarget>> MakeSmall() { return std::make_unique<SmallDiskTarget>(); }

const std::vector<std::string> kOftenCheckpoints{"--set", "properties.delta.checkpointInterval=5"};

class DeltaStreamCrash : public CrashFixture {
 protected:
  void SetUp() override { SetUpAt(&Make); }
};

// What is done beside commits: checkpoints, and cleaning up.
TEST_F(DeltaStreamCrash, KilledAtEveryStepOfHousekeeping) {
  const Scenario scenario{.name = "steps", .options = RestlessChain(seed_, 3000)};
  const AmpServer server(scenario.options);
  for (const char* step : {"before_housekeeping", "before_checkpoint_file", "after_checkpoint_file",
                           "after_housekeeping"}) {
    for (const int time : {1, 2}) {
      const std::string point = fmt::format("AMPLOAD_FAILPOINTS=delta.{}=kill@{}", step, time);
      AmploadProcess process(Stream(scenario, server, kOftenCheckpoints), Options(point));
      ASSERT_EQ(process.Wait(std::chrono::seconds(20)), 137) << step << " was not reached";
      ExpectWholeBlocks(scenario);
    }
  }
  RunToTheEnd(scenario, server);
  ExpectCanonical(scenario);
}

TEST_F(DeltaStreamCrash, AResetThatIsKilledIsDoneByTheNext) {
  const Scenario scenario{.name = "reset", .options = RestlessChain(seed_, 200)};
  const AmpServer server(scenario.options);
  for (const char* step : {"reset_data", "reset_log"}) {
    RunToTheEnd(scenario, server);
    const std::string point = fmt::format("AMPLOAD_FAILPOINTS=delta.{}=kill", step);
    const CommandResult killed =
        RunAmpload({"reset", "--to", target_->url(), "--table", table_, "--yes"}, Options(point));
    EXPECT_EQ(killed.exit_code, 137);
    Reset();
    EXPECT_FALSE(target_->Read(table_, *CanonicalSchema(scenario).ValueOrDie()).ok());
  }
  RunToTheEnd(scenario, server);
  ExpectCanonical(scenario);
}

class DeltaStreamDisk : public CrashFixture {
 protected:
  void SetUp() override { SetUpAt(&MakeSmall); }
};

TEST_F(DeltaStreamDisk, FullIsAnErrorAndTheNextRunCompletesIt) {
  const auto& disk = static_cast<const SmallDiskTarget&>(*target_);
  const Scenario scenario{.name = "full", .options = RestlessChain(seed_, 1500)};
  const AmpServer server(scenario.options);
  CommandOptions options = Options();
  options.file_size_limit = disk.mounted() ? -1 : 6'000;
  AmploadProcess process(Stream(scenario, server, {"--set", "retry_tries=3"}), options);
  const CommandResult full = process.Finish();
  EXPECT_EQ(full.exit_code, 4) << full.err;
  EXPECT_NE(full.err.find(disk.mounted() ? "The disk is full" : "ulimit -f"), std::string::npos)
      << full.err;
  ExpectWholeBlocks(scenario);
  ASSERT_TRUE(disk.Grow());
  RunToTheEnd(scenario, server);
  ExpectCanonical(scenario);
}

INSTANTIATE_TEST_SUITE_P(Delta, StreamCrash, ::testing::Values(&Make));
INSTANTIATE_TEST_SUITE_P(Delta, KilledStream, KilledStreams(&Make, {"append"}), NameOfKilledStream);

}  // namespace
}  // namespace amp::testing
