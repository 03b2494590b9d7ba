// Four writers append to one Delta table at once: no row is lost, none is there twice.

#include "conformance/delta_writers.h"

#include <arrow/table.h>

#include <filesystem>
#include <set>

#include "conformance/delta_stream_fixture.h"

namespace amp::testing {
namespace {

class DeltaWriters : public DeltaStreamFixture {};

TEST_F(DeltaWriters, AllRowsOfFourWritersAreThereOnce) {
  const Writers writers{.config = {{"path", {.value = folder_.path()}}},
                        .to = "delta:" + folder_.path()};
  const int commits = RunWriters(writers, "t");
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, ReadDelta(Table()));
  ASSERT_EQ(rows->num_rows(), 2 * commits);
  std::set<std::string> seen;
  for (int64_t i = 0; i < rows->num_rows(); ++i) {
    seen.insert(rows->column(0)->GetScalar(i).ValueOrDie()->ToString() + " " +
                rows->column(1)->GetScalar(i).ValueOrDie()->ToString());
  }
  EXPECT_EQ(seen.size(), static_cast<size_t>(2 * commits));
  EXPECT_EQ(Version(), commits - 1);
  std::printf("%d commits\n", commits);
}

TEST_F(DeltaWriters, AnOverwriteReplacesWhatOthersAppendMeanwhile) {
  AMP_ASSERT_OK_AND_ASSIGN(auto one, Make());
  AMP_ASSERT_OK_AND_ASSIGN(auto other, Make());
  AMP_ASSERT_OK(one->LoadBatch(*Plain(1), "t").status);
  AMP_ASSERT_OK_AND_ASSIGN(
      auto transaction,
      one->BeginTransaction({.table = "t", .schema = PlainSchema(), .mode = LoadMode::kOverwrite}));
  AMP_ASSERT_OK(transaction->Write({}, *Plain(2)).status());
  AMP_ASSERT_OK(other->LoadBatch(*Plain(3), "t").status);
  AMP_ASSERT_OK(transaction->Commit({}));
  EXPECT_EQ(Rows(), Lines{"2 load"});
  for (const auto& action : Actions(Version())) {
    if (action.contains("commitInfo")) {
      EXPECT_EQ(action["commitInfo"]["isBlindAppend"], false);
    }
  }
}

TEST_F(DeltaWriters, AnOverwriteOfManyFilesTakesTimeInProportion) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(loader->LoadBatch(*Plain(1), "t").status);
  // A commit with many files, whose names need not be files to be removed.
  std::ofstream log(LogFile(1));
  constexpr int kFiles = 20'000;
  for (int i = 0; i < kFiles; ++i) {
    log << fmt::format(
        R"({{"add":{{"path":"f{}.parquet","partitionValues":{{}},"size":10,)"
        R"("modificationTime":1,"dataChange":true,"stats":"{{\"numRecords\":1}}"}}}})"
        "\n",
        i);
  }
  log.close();
  const auto start = std::chrono::steady_clock::now();
  AMP_ASSERT_OK(loader->LoadBatch(*Plain(2), "t", {.mode = LoadMode::kOverwrite}).status);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(10));
  EXPECT_EQ(Rows(), Lines{"2 load"});
}

TEST_F(DeltaWriters, ALoadWhoseTableIsDroppedOrChangedMeanwhileSaysSo) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  for (const LoadMode mode : {LoadMode::kAppend, LoadMode::kOverwrite}) {
    AMP_ASSERT_OK(loader->LoadBatch(*Plain(1), "t").status);
    AMP_ASSERT_OK_AND_ASSIGN(
        auto transaction,
        loader->BeginTransaction({.table = "t", .schema = PlainSchema(), .mode = mode}));
    AMP_ASSERT_OK(transaction->Write({}, *Plain(2)).status());
    AMP_ASSERT_OK(loader->ResetTable("t"));
    AMP_EXPECT_ERROR(transaction->Commit({}), ErrorKind::kConflict, "dropped");
    transaction.reset();
    EXPECT_FALSE(std::filesystem::exists(LogFile(0)));
  }
  AMP_ASSERT_OK(loader->LoadBatch(*Plain(1), "t").status);
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction,
                           loader->BeginTransaction({.table = "t", .schema = PlainSchema()}));
  AMP_ASSERT_OK(transaction->Write({}, *Plain(2)).status());
  AMP_ASSERT_OK(Delta("append", {{"rows", {{"k", {9}}, {"v", {"x"}}, {"note", {"y"}}}}}));
  AMP_ASSERT_OK(loader->GetTableInfo("t"));  // another thread has seen it
  const Status changed = transaction->Commit({});
  EXPECT_FALSE(changed.ok());
  EXPECT_EQ(Rows(), (Lines{"1 load", "9 x"}));
}

TEST_F(DeltaWriters, ATableIsNotMadeAmongOtherFiles) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  for (const char* other : {"notes.txt", "data/part-00000-x.snappy.parquet", "metadata/v1.json",
                            "part-00000-80a083e8-7026-4e79-81be-64bd76c43a11-c000.parquet"}) {
    std::filesystem::create_directories(
        std::filesystem::path(folder_.file(std::string("t/") + other)).parent_path());
    std::ofstream(folder_.file(std::string("t/") + other)) << "x";
    AMP_EXPECT_ERROR(loader->LoadBatch(*Plain(1), "t").status, ErrorKind::kConfigInvalid, other);
    AMP_EXPECT_ERROR(loader->OpenStream(Spec()), ErrorKind::kConfigInvalid, other);
    AMP_ASSERT_OK(loader->ResetTable("t"));  // not ours: it stays
    EXPECT_TRUE(std::filesystem::exists(folder_.file(std::string("t/") + other)));
    std::filesystem::remove_all(Table());
  }
  // What a load that died has left.
  std::filesystem::create_directories(Table() + "/day=1/_delta_log");
  std::filesystem::remove(Table() + "/day=1/_delta_log");
  std::ofstream(Table() + "/day=1/part-80a083e8-7026-4e79-81be-64bd76c43a11.snappy.parquet") << "x";
  AMP_ASSERT_OK(loader->LoadBatch(*Plain(1), "t").status);
  EXPECT_EQ(Rows(), Lines{"1 load"});
  std::ofstream(folder_.file("file")) << "x";
  const Status file = loader->LoadBatch(*Plain(1), "file").status;
  EXPECT_FALSE(file.ok());
  EXPECT_NE(file.message().find("/file"), std::string::npos) << file.message();
}

}  // namespace
}  // namespace amp::testing
