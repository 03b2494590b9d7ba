#include <numeric>

#include "loaders/parquet/progress.h"
#include "parquet/written_files.h"

namespace amp::parquet_tests {
namespace {

using ParquetFileSet = WrittenFiles;

size_t Threads() {
  return static_cast<size_t>(std::distance(fs::directory_iterator("/proc/self/task"), {}));
}

TEST_F(ParquetFileSet, BeginsANewFileWhereOneIsLargeEnough) {
  constexpr int64_t kTarget = int64_t{2} << 20;
  const Batch batch = Numbered(0, 600'000);
  for (const char* codec : {"snappy", "none"}) {
    Plan(batch->schema(), {.compression = codec, .target_file_bytes = kTarget});
    AMP_ASSERT_OK_AND_ASSIGN(const auto files, WriteAll({batch}));
    ASSERT_GT(files.size(), 4U);
    for (size_t i = 0; i + 1 < files.size(); ++i) {
      EXPECT_GT(files[i].bytes, kTarget / 2) << codec << ", file " << i;
      // Where the machine is busy, encoding comes behind what was written.
      EXPECT_LT(files[i].bytes, kTarget * 2) << codec << ", file " << i;
    }
    ExpectRows(files, {batch});
  }
}

TEST_F(ParquetFileSet, BeginsANewRowGroupByRowsAndBytes) {
  const Batch batch = Numbered(0, 600'000);
  Plan(batch->schema(), {.row_group_rows = 100'000});
  AMP_ASSERT_OK_AND_ASSIGN(auto files, WriteAll({batch}));
  EXPECT_EQ(files[0].row_group_offsets.size(), 6U);
  Plan(batch->schema(), {.row_group_bytes = int64_t{2} << 20});
  AMP_ASSERT_OK_AND_ASSIGN(files, WriteAll({batch}));
  ASSERT_EQ(files.size(), 1U);
  const auto& offsets = files[0].row_group_offsets;
  ASSERT_GT(offsets.size(), 4U);
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    EXPECT_NEAR(static_cast<double>(offsets[i + 1] - offsets[i]), 2 << 20, 1 << 19);
  }
  ExpectRows(files, {batch});
}

TEST_F(ParquetFileSet, GivesEveryGroupFilesOfItsOwn) {
  Plan(Numbered(0, 1)->schema());
  const auto set = NewSet();
  std::map<std::string, std::vector<Batch>> wanted;
  for (int64_t i = 0; i < 300; ++i) {
    const std::string group = "day=" + std::to_string(i % 7);
    // Of some groups much, of some little.
    wanted[group].push_back(Numbered(i * 10'000, i % 7 < 2 ? 10'000 : 13));
    AMP_ASSERT_OK(set->Write(group, wanted[group].back()));
  }
  AMP_ASSERT_OK_AND_ASSIGN(const auto files, set->Finish());
  ASSERT_EQ(files.size(), 7U);
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(files[i].group, "day=" + std::to_string(i));
    EXPECT_TRUE(files[i].path.starts_with(files[i].group + "/"));
    ExpectRows({files[i]}, wanted[files[i].group]);
  }
}

TEST_F(ParquetFileSet, EndsGroupsBeforeTheOthers) {
  Plan(Numbered(0, 1)->schema());
  const auto set = NewSet();
  for (int64_t i = 0; i < 50; ++i) {
    AMP_ASSERT_OK(set->Write(std::to_string(i), Numbered(i, i % 10 == 0 ? 100'000 : 100)));
    AMP_ASSERT_OK(set->EndGroup(std::to_string(i)));
  }
  AMP_ASSERT_OK(set->EndGroup("unknown"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto files, set->Finish());
  ASSERT_EQ(files.size(), 50U);
  for (size_t i = 0; i < files.size(); ++i) {
    EXPECT_EQ(files[i].group, std::to_string(i));
    const auto first = static_cast<int64_t>(i);
    ExpectRows({files[i]}, {Numbered(first, i % 10 == 0 ? 100'000 : 100)});
  }
}

TEST_F(ParquetFileSet, KeepsTheOrderHoweverManyThreads) {
  const Batch batch = Numbered(0, 400'000);
  Plan(batch->schema(), {.queue_bytes = int64_t{1} << 20});
  for (const int threads : {1, 2, 5}) {
    WorkerPool pool(threads);
    DataFileSet set(plan_, &store_, &pool,
                    [this](const std::string&) { return std::to_string(next_file_++); });
    AMP_ASSERT_OK(set.Write("", batch));
    AMP_ASSERT_OK_AND_ASSIGN(const auto files, set.Finish());
    ExpectRows(files, {batch});
  }
}

TEST_F(ParquetFileSet, AbortLeavesNothing) {
  Plan(Numbered(0, 1)->schema(), {.target_file_bytes = int64_t{1} << 20});
  const auto set = NewSet();
  AMP_ASSERT_OK(set->Write("g", Numbered(0, 500'000)));
  AMP_ASSERT_OK(set->Write("small", Numbered(0, 10)));
  AMP_ASSERT_OK(set->EndGroup("small"));
  EXPECT_GT(FilesOnDisk(), 1U);
  AMP_ASSERT_OK(set->Abort());
  EXPECT_EQ(FilesOnDisk(), 0U);
  AMP_EXPECT_ERROR(set->Write("g", Numbered(0, 1)), ErrorKind::kCancelled, "aborted");
}

TEST_F(ParquetFileSet, AbortAfterFinishRemovesTheFiles) {
  Plan(Numbered(0, 1)->schema());
  const auto set = NewSet();
  AMP_ASSERT_OK(set->Write("g", Numbered(0, 200'000)));
  AMP_ASSERT_OK(set->Finish());
  EXPECT_EQ(FilesOnDisk(), 1U);
  AMP_ASSERT_OK(set->Abort());
  EXPECT_EQ(FilesOnDisk(), 0U);
}

TEST_F(ParquetFileSet, DestructorAborts) {
  Plan(Numbered(0, 1)->schema());
  for (const int64_t rows : {int64_t{5}, int64_t{500'000}}) {
    const auto set = NewSet();
    AMP_ASSERT_OK(set->Write("g", Numbered(0, rows)));
  }
  EXPECT_EQ(FilesOnDisk(), 0U);
}

TEST_F(ParquetFileSet, FinishedFilesOutliveTheSet) {
  Plan(Numbered(0, 1)->schema());
  AMP_ASSERT_OK(WriteAll({Numbered(0, 200'000)}));
  EXPECT_EQ(FilesOnDisk(), 1U);
}

TEST_F(ParquetFileSet, FullDiskIsSaidAndLeavesNothing) {
  Plan(Numbered(0, 1)->schema(), {.target_file_bytes = int64_t{1} << 20});
  for (int64_t n = 0; n < 12; ++n) {
    store_.FailFromWrite(n);
    const auto set = NewSet();
    Status status;
    for (int64_t i = 0; i < 8 && status.ok(); ++i) {
      status = set->Write("g", Numbered(i * 100'000, 100'000));
      if (status.ok()) status = set->Write("few", Numbered(i, 10));
    }
    if (status.ok()) status = set->Finish().status();
    EXPECT_TRUE(unit::Fails(status, ErrorKind::kUnavailable, {"no space left", ".parquet"}));
    AMP_ASSERT_OK(set->Abort());
    EXPECT_EQ(FilesOnDisk(), 0U) << "after " << n << " writes";
  }
}

TEST_F(ParquetFileSet, SmallCommitsMakeNoThreads) {
  Plan(Numbered(0, 1)->schema());
  const size_t before = Threads();
  for (int64_t i = 0; i < 300; ++i) AMP_ASSERT_OK(WriteAll({Numbered(i, 1000)}));
  EXPECT_EQ(Threads(), before);
  EXPECT_EQ(FilesOnDisk(), 300U);
}

TEST_F(ParquetFileSet, FullQueueMakesTheCallerWait) {
  WorkerPool pool(1);
  parquet_files::Progress progress(&pool, 100);
  AMP_ASSERT_OK(progress.Reserve(1000));  // alone, whatever its size
  std::atomic<bool> released = false;
  progress.Encode([&] {
    std::this_thread::sleep_for(std::chrono::milliseconds(50));
    released = true;
    progress.Release(1000);
    return Status::OK();
  });
  AMP_ASSERT_OK(progress.Reserve(60));
  EXPECT_TRUE(released);
  AMP_ASSERT_OK(progress.Reserve(40));
  progress.Encode([] { return Status::IOError("broken"); });
  AMP_EXPECT_ERROR(progress.Reserve(1), KindOf(Status::IOError("")), "broken");
  AMP_EXPECT_ERROR(progress.WaitForTasks(), KindOf(Status::IOError("")), "broken");
}

}  // namespace
}  // namespace amp::parquet_tests
