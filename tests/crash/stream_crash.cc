#include "crash/stream_crash.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdlib>
#include <map>
#include <set>
#include <thread>

#include "amp/testing/asserts.h"
#include "core/text.h"

namespace amp::testing {
namespace {

using std::chrono::milliseconds;

constexpr const char* kCommit = R"("event":"commit")";
constexpr const char* kRetry = R"("event":"retry")";

uint64_t NumberFrom(const char* variable, uint64_t otherwise) {
  const char* text = std::getenv(variable);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

std::vector<std::string> Cells(const std::string& line) {
  std::vector<std::string> cells(1);
  for (const char c : line) {
    if (c == '|') {
      cells.emplace_back();
    } else {
      cells.back() += c;
    }
  }
  return cells;
}

std::vector<std::string> ByKey(const std::string& key) {
  return {"--mode", "upsert", "--key", key};
}

struct SeenBlock {
  std::set<std::string> hashes;
  std::set<std::string> logs;
  size_t rows = 0;
};

std::map<std::string, SeenBlock> BlocksOf(const Lines& lines, const arrow::Schema& schema) {
  const auto cell = [&](const std::vector<std::string>& cells, const char* name) {
    const int at = schema.GetFieldIndex(name);
    return at < 0 ? std::string() : cells[static_cast<size_t>(at)];
  };
  std::map<std::string, SeenBlock> blocks;
  for (const std::string& line : lines) {
    const auto cells = Cells(line);
    SeenBlock& block = blocks[cell(cells, "network") + " " + cell(cells, "_block_num")];
    block.hashes.insert(cell(cells, "block_hash"));
    block.logs.insert(cell(cells, "log_index"));
    ++block.rows;
  }
  return blocks;
}

bool TellsOfTheEnd(const std::string& out, const Scenario& scenario) {
  // Of several networks the last one comes last.
  return out.find(fmt::format(R"("{}":{{"number":{},)", scenario.options.networks.back(),
                              *scenario.options.blocks - 1)) != std::string::npos;
}

}  // namespace

void CrashFixture::SetUpAt(MakeCrashTarget make) {
  seed_ = NumberFrom("AMPLOAD_CRASH_SEED", std::random_device{}() % 1'000'000);
  random_.seed(seed_);
  std::printf("AMPLOAD_CRASH_SEED=%llu\n", static_cast<unsigned long long>(seed_));
  std::fflush(stdout);  // a test that does not end shows it too
  AMP_ASSERT_OK_AND_ASSIGN(target_, make());
  Reset();
}

void CrashFixture::TearDown() {
  if (target_ != nullptr) Reset();
}

void CrashFixture::Reset() {
  const CommandResult reset =
      RunAmpload({"reset", "--to", target_->url(), "--table", table_, "--yes"}, Options());
  ASSERT_EQ(reset.exit_code, 0) << reset.err;
}

std::vector<std::string> CrashFixture::Stream(const Scenario& scenario, const AmpServer& server,
                                              const std::vector<std::string>& more) const {
  std::vector<std::string> arguments{"stream",     "--from",   server.url(),   "--query",
                                     scenario.sql, "--to",     target_->url(), "--table",
                                     table_,       "--output", "json"};
  for (const char* option :
       {"commit_interval=10ms", "commit_rows=100", "retention=64", "memory=64KiB",
        "retry_delay=5ms", "retry_max_delay=100ms", "retry_tries=200"}) {
    arguments.insert(arguments.end(), {"--set", option});
  }
  arguments.insert(arguments.end(), scenario.mode.begin(), scenario.mode.end());
  arguments.insert(arguments.end(), more.begin(), more.end());
  return arguments;
}

CommandOptions CrashFixture::Options(const std::string& more) const {
  CommandOptions options{.environment = target_->environment()};
  if (!more.empty()) options.environment.push_back(more);
  return options;
}

void CrashFixture::RunToTheEnd(const Scenario& scenario, const AmpServer& server,
                               const std::vector<std::string>& more) {
  std::vector<std::string> arguments =
      Stream(scenario, server, {"--until", std::to_string(*scenario.options.blocks - 1)});
  arguments.insert(arguments.end(), more.begin(), more.end());
  const CommandResult result = AmploadProcess(arguments, Options()).Finish();
  ASSERT_EQ(result.exit_code, 0) << result.err;
}

void CrashFixture::ExpectCanonical(const Scenario& scenario) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto schema, CanonicalSchema(scenario));
  AMP_ASSERT_OK_AND_ASSIGN(const Lines wanted, CanonicalLines(scenario));
  AMP_ASSERT_OK_AND_ASSIGN(const Lines found, target_->Read(table_, *schema));
  ASSERT_FALSE(wanted.empty());
  ExpectSameLines(found, wanted);
  const std::string file = folder_.file("canonical.parquet");
  AMP_ASSERT_OK(WriteCanonicalRows(scenario.sql, scenario.options, file).status());
  const CommandResult verified =
      RunAmpload({"verify", "--from", file, "--to", target_->url(), "--table", table_}, Options());
  EXPECT_EQ(verified.exit_code, 0) << verified.err;
}

void CrashFixture::ExpectWholeBlocks(const Scenario& scenario) {
  AMP_ASSERT_OK_AND_ASSIGN(const auto schema, CanonicalSchema(scenario));
  const auto read = target_->Read(table_, *schema);
  if (!read.ok()) return;  // not made yet
  for (const auto& [name, block] : BlocksOf(*read, *schema)) {
    EXPECT_EQ(block.hashes.size(), 1U) << "forks of block " << name;
    EXPECT_EQ(block.rows, scenario.options.logs_per_block) << "rows of block " << name;
    EXPECT_EQ(block.logs.size(), block.rows) << "a row twice in block " << name;
  }
}

void CrashFixture::RandomPause() { std::this_thread::sleep_for(milliseconds(5 + random_() % 116)); }

// A process may be killed after the last commit and before it tells of it; the next one has nothing
// to commit then. So the target is asked too.
bool CrashFixture::IsAtItsEnd(const std::string& out, const Scenario& scenario) const {
  if (TellsOfTheEnd(out, scenario)) return true;
  if (Occurrences(out, kCommit) > 0) return false;
  const CommandResult info = RunAmpload(
      {"info", "--to", target_->url(), "--table", table_, "--output", "json"}, Options());
  return TellsOfTheEnd(info.out, scenario);
}

int CrashFixture::KillUntil(const Scenario& scenario, const AmpServer& server, int kills) {
  int killed = 0;
  int commits = 0;
  while (killed < kills) {
    AmploadProcess process(Stream(scenario, server), Options());
    // One in five while it starts, the others in the middle of their work.
    if (random_() % 5 != 0) process.WaitForOutput(kCommit);
    RandomPause();
    process.Signal(SIGKILL);
    EXPECT_EQ(process.Wait(), 137) << process.err();
    ++killed;
    commits += Occurrences(process.out(), kCommit);
    if (killed % 5 == 0) ExpectWholeBlocks(scenario);
    if (::testing::Test::HasFailure() || IsAtItsEnd(process.out(), scenario)) break;
  }
  std::printf("%d kills, %d commits told of\n", killed, commits);
  EXPECT_GE(commits, killed / 2) << "the kills hit no work";
  return killed;
}

Scenario KilledStream::MakeScenario() {
  const auto& [make, networks, mode] = GetParam();
  Scenario scenario{.name = mode, .options = RestlessChain(random_() % 1'000'000, 3000)};
  if (networks == 2) {
    scenario.options.networks = {"eth", "base"};
    scenario.sql = "SELECT * FROM all_logs";
    scenario.options.blocks = 1200;
  }
  if (mode == "upsert") {
    const std::string key = networks == 2 ? "network,_block_num,log_index" : "_block_num,log_index";
    scenario.mode = ByKey(key);
  }
  return scenario;
}

TEST_P(KilledStream, AtRandomTheEndIsExact) {
  int left = static_cast<int>(NumberFrom("AMPLOAD_CRASH_KILLS", 25));
  // A chain that comes to its end is followed by another one.
  while (left > 0 && !HasFailure()) {
    Reset();
    const Scenario scenario = MakeScenario();
    SCOPED_TRACE(fmt::format("AMPLOAD_CRASH_SEED={}, chain {}", seed_, scenario.options.seed));
    const AmpServer server(scenario.options);
    left -= KillUntil(scenario, server, left);
    RunToTheEnd(scenario, server);
    ExpectCanonical(scenario);
  }
}

std::vector<std::string> StreamCrash::Steps() const {
  std::vector<std::string> steps;
  for (const char* step : {"before_write", "after_write", "before_undo", "after_undo",
                           "before_commit", "after_commit"}) {
    steps.push_back(std::string("stream.") + step);
  }
  for (const char* step :
       {"before_undo", "after_undo", "before_checkpoint", "before_commit", "after_commit"}) {
    steps.push_back(target_->loader() + "." + step);
  }
  return steps;
}

TEST_P(StreamCrash, KilledAtEveryStepOfACommit) {
  for (const std::string& mode : target_->modes()) {
    Reset();
    Scenario scenario{.name = mode, .options = RestlessChain(seed_, 3000)};
    if (scenario.name == "upsert") scenario.mode = ByKey("_block_num,log_index");
    SCOPED_TRACE(fmt::format("AMPLOAD_CRASH_SEED={}", seed_));
    const AmpServer server(scenario.options);
    for (const std::string& step : Steps()) {
      for (const int time : {1, 4}) {
        const CommandOptions armed =
            Options(fmt::format("AMPLOAD_FAILPOINTS={}=kill@{}", step, time));
        AmploadProcess process(Stream(scenario, server), armed);
        ASSERT_EQ(process.Wait(std::chrono::seconds(20)), 137) << step << " was not reached";
        EXPECT_EQ(Occurrences(process.out(), R"("event":"done")"), 0) << step;
        ExpectWholeBlocks(scenario);
      }
    }
    RunToTheEnd(scenario, server);
    ExpectCanonical(scenario);
  }
}

TEST_P(StreamCrash, AStepThatFailsOrALostAnswerIsRetried) {
  const Scenario scenario{.name = "errors", .options = RestlessChain(seed_, 3000)};
  SCOPED_TRACE(fmt::format("AMPLOAD_CRASH_SEED={}", seed_));
  const AmpServer server(scenario.options);
  for (const std::string& step : Steps()) {
    const bool lost = step == target_->loader() + ".after_commit";
    const CommandOptions armed =
        Options(fmt::format("AMPLOAD_FAILPOINTS={}={}@2", step, lost ? "lost" : "error"));
    AmploadProcess process(Stream(scenario, server), armed);
    const std::string words =
        lost ? R"("event":"retry","table_name":"crash_rows","stream":"main","kind":"CommitUnknown")"
             : "failpoint " + step;
    EXPECT_TRUE(process.WaitForOutput(words)) << step << "\n" << process.out() << process.err();
    const int before = Occurrences(process.out(), kCommit);
    EXPECT_TRUE(process.WaitForOutput(kCommit, before + 1)) << step;
    process.Signal(SIGTERM);
    EXPECT_EQ(process.Wait(), 0) << step << "\n" << process.err();
    ExpectWholeBlocks(scenario);
  }
  RunToTheEnd(scenario, server);
  ExpectCanonical(scenario);
}

TEST_P(StreamCrash, SignalsEndItInOrderAndTheNextRunGoesOn) {
  const Scenario scenario{.name = "signals", .options = RestlessChain(seed_, 1500)};
  const AmpServer server(scenario.options);
  for (const auto& [signal, code] : {std::pair(SIGTERM, 0), std::pair(SIGINT, 130)}) {
    AmploadProcess process(Stream(scenario, server), Options());
    ASSERT_TRUE(process.WaitForOutput(kCommit, 3));
    process.Signal(signal);
    EXPECT_EQ(process.Wait(), code) << process.err();
    EXPECT_EQ(Occurrences(process.out(), R"("event":"done")"), 1);
    ExpectWholeBlocks(scenario);
  }
  RunToTheEnd(scenario, server);
  ExpectCanonical(scenario);
  RunToTheEnd(scenario, server);  // where nothing comes any more
  ExpectCanonical(scenario);
}

TEST_P(StreamCrash, AServerThatDiesAndComesBackIsFollowed) {
  const Scenario scenario{.name = "server", .options = RestlessChain(seed_, 3000)};
  SCOPED_TRACE(fmt::format("AMPLOAD_CRASH_SEED={}", seed_));
  AmpServer server(scenario.options);
  AmploadProcess process(
      Stream(scenario, server, {"--until", std::to_string(*scenario.options.blocks - 1)}),
      Options());
  for (int i = 0; i < 5; ++i) {
    const int commits = Occurrences(process.out(), kCommit);
    ASSERT_TRUE(process.WaitForOutput(kCommit, commits + 2)) << process.err();
    server.Kill();
    RandomPause();
    server.Start();
  }
  EXPECT_EQ(process.Wait(), 0) << process.err();
  EXPECT_GE(Occurrences(process.out(), kRetry), 5);
  ExpectCanonical(scenario);
}

TEST_P(StreamCrash, TheNewestWriterWins) {
  Scenario scenario{.name = "writers", .options = RestlessChain(seed_, 400)};
  scenario.options.block_time = milliseconds(4);  // so that both have something to do
  const AmpServer server(scenario.options);
  AmploadProcess older(Stream(scenario, server), Options());
  ASSERT_TRUE(older.WaitForOutput(kCommit, 2)) << older.err();
  RunToTheEnd(scenario, server);
  const CommandResult lost = older.Finish();
  EXPECT_EQ(lost.exit_code, 4) << lost.err;
  EXPECT_NE(lost.err.find("was taken over by another writer ("), std::string::npos) << lost.err;
  ExpectCanonical(scenario);
}

TEST_P(StreamCrash, TwoStreamsWriteOneTableAtOnce) {
  Scenario scenario{.name = "two", .options = RestlessChain(seed_, 800)};
  scenario.options.networks = {"eth", "base"};
  SCOPED_TRACE(fmt::format("AMPLOAD_CRASH_SEED={}", seed_));
  const AmpServer server(scenario.options);
  Scenario eth = scenario;
  Scenario base = scenario;
  base.sql = "SELECT * FROM base.logs";
  // Both find no table, and make it.
  const std::vector<std::string> until{"--until", "799", "--stream"};
  const auto with = [&](std::string name) {
    std::vector<std::string> more = until;
    more.push_back(std::move(name));
    return more;
  };
  AmploadProcess other(Stream(base, server, with("of base")), Options());
  RunToTheEnd(eth, server, {"--stream", "of eth"});
  ASSERT_EQ(other.Wait(), 0) << other.err();
  AMP_ASSERT_OK_AND_ASSIGN(const auto schema, CanonicalSchema(eth));
  AMP_ASSERT_OK_AND_ASSIGN(Lines wanted, CanonicalLines(eth));
  AMP_ASSERT_OK_AND_ASSIGN(const Lines more, CanonicalLines(base));
  wanted.insert(wanted.end(), more.begin(), more.end());
  std::sort(wanted.begin(), wanted.end());
  AMP_ASSERT_OK_AND_ASSIGN(const Lines found, target_->Read(table_, *schema));
  ExpectSameLines(found, wanted);
}

}  // namespace amp::testing
