#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <numeric>

#include "amp/testing/asserts.h"
#include "core/stream_state.h"
#include "interop/delta/tables.h"
#include "loaders/delta/checkpoint_writer.h"
#include "loaders/delta/log_cleaner.h"
#include "loaders/delta/protocol/action_json.h"
#include "loaders/delta/protocol/deletion_vector.h"
#include "storage/open_store.h"

// Logs that delta-rs wrote, read here; checkpoints written here, read by delta-rs, polars and
// DuckDB.
namespace amp::delta {
namespace {

constexpr int64_t kDay = 86'400'000;

void WriteText(const std::string& path, std::string_view text) {
  std::ofstream(path, std::ios::binary) << text;
}

int64_t SumOfRows(const nlohmann::json& files) {
  int64_t rows = 0;
  for (const auto& file : files) rows += file[2].get<int64_t>();
  return rows;
}

TEST(DeltaLog, EveryVersionHasTheFilesThatDeltaRsSees) {
  const WrittenTable table(26, 10);
  for (const int64_t version : {0, 3, 8, 9, 10, 19, 20, 25}) {
    SCOPED_TRACE(version);
    const auto theirs = table.TheirFiles(version);
    ASSERT_FALSE(theirs.empty());
    EXPECT_EQ(table.OurFiles(version), theirs);
  }
  AMP_EXPECT_ERROR(table.Reader().LoadAt(26), ErrorKind::kNotFound, "version 26");
}

TEST(DeltaLog, TheNewestVersionIsCounted) {
  const WrittenTable table(26, 10);
  AMP_ASSERT_OK_AND_ASSIGN(const auto snapshot, table.Reader().Load());
  ASSERT_TRUE(snapshot);
  EXPECT_EQ(snapshot->version(), 25);
  EXPECT_EQ(snapshot->checkpoint_version(), 19);
  EXPECT_EQ(snapshot->totals().rows, table.ReadBy("duckdb")[0]);
  EXPECT_EQ(snapshot->metadata().partition_columns, (Strings{"name", "day"}));
  EXPECT_EQ(snapshot->metadata().configuration.at("delta.checkpointInterval"), "10");
  // Counted all the same where nothing is kept.
  AMP_ASSERT_OK_AND_ASSIGN(const auto none, table.Reader().Load([](const Add&) { return false; }));
  EXPECT_TRUE(none->files().empty());
  EXPECT_EQ(none->totals().rows, snapshot->totals().rows);
  EXPECT_EQ(none->totals().bytes, snapshot->totals().bytes);
}

TEST(DeltaLog, FilesCanBeStreamed) {
  const WrittenTable table(26, 10);
  LogReader reader = table.Reader();
  AMP_ASSERT_OK_AND_ASSIGN(auto stream, reader.Files(25));
  std::map<std::string, int64_t> rows;
  while (true) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto add, stream.Next());
    if (!add) break;
    EXPECT_TRUE(rows.emplace(add->file.path, NumRecords(add->stats).value_or(-1)).second);
  }
  const auto theirs = table.TheirFiles(25);
  EXPECT_EQ(rows.size(), theirs.size());
  for (const auto& file : theirs) EXPECT_EQ(rows.at(file[0]), file[2]);
}

TEST(DeltaLog, OtherKindsOfCheckpointsAreRead) {
  for (const std::string how : {"split '{}' 19", "v2 '{}' 19 json", "v2 '{}' 19 parquet"}) {
    SCOPED_TRACE(how);
    const WrittenTable table(22, 10);
    const auto before = table.OurFiles(21);
    RunTables(fmt::format(fmt::runtime(how), table.folder()));
    // Nothing but the checkpoint can give the older files.
    for (int version = 0; version < 19; ++version) {
      std::filesystem::remove(table.LogFile(CommitName(version)));
    }
    std::filesystem::remove(table.LogFile(CheckpointName(9)));
    EXPECT_EQ(table.OurFiles(21), before);
    std::filesystem::remove(table.LogFile("_last_checkpoint"));
    EXPECT_EQ(table.OurFiles(21), before);
  }
}

TEST(DeltaLog, TheHintMayBeWrong) {
  const WrittenTable table(22, 10);
  const auto want = table.TheirFiles(21);
  for (const char* hint : {"", "{\"version\":", R"({"version":9,"size":1})",
                           R"({"version":500,"size":1})", R"({"version":12,"size":1})"}) {
    SCOPED_TRACE(hint);
    WriteText(table.LogFile("_last_checkpoint"), hint);
    AMP_ASSERT_OK_AND_ASSIGN(const auto snapshot, table.Reader().Load());
    EXPECT_EQ(FilesAsJson(*snapshot), want);
  }
}

TEST(DeltaLog, RefreshReadsOnlyWhatIsNew) {
  const WrittenTable table(3, 100);
  LogReader reader = table.Reader();
  AMP_ASSERT_OK_AND_ASSIGN(auto snapshot, reader.LoadAt(0));
  AMP_ASSERT_OK_AND_ASSIGN(const auto commits, reader.Refresh(&snapshot));
  ASSERT_EQ(commits.size(), 2U);
  EXPECT_EQ(commits[1].version, 2);
  EXPECT_EQ(FilesAsJson(snapshot), table.TheirFiles(2));
  EXPECT_EQ(snapshot.totals().rows, 30);
  AMP_ASSERT_OK_AND_ASSIGN(const auto none, reader.Refresh(&snapshot));
  EXPECT_TRUE(none.empty());
}

TEST(DeltaLog, ALogCleanedBeyondTheSnapshotIsNoticed) {
  const WrittenTable table(12, 10);
  LogReader first = table.Reader();
  AMP_ASSERT_OK_AND_ASSIGN(auto snapshot, first.LoadAt(3));
  for (int version = 0; version < 9; ++version) {
    std::filesystem::remove(table.LogFile(CommitName(version)));
  }
  // A reader that has not looked for long.
  LogReader later = table.Reader();
  AMP_EXPECT_ERROR(later.Refresh(&snapshot), ErrorKind::kNotFound, "cleaned up");
}

TEST(DeltaLog, WhatIsBrokenIsNamed) {
  const WrittenTable table(5, 100);
  WriteText(table.LogFile(CommitName(3)), "{\"add\":{\"path\":1}}\n");
  AMP_EXPECT_ERROR(table.Reader().Load(), ErrorKind::kProtocol, CommitName(3) + ", line 1");
  std::filesystem::remove(table.LogFile(CommitName(3)));
  AMP_EXPECT_ERROR(table.Reader().Load(), ErrorKind::kProtocol, CommitName(3) + " is missing");
  std::filesystem::remove_all(table.LogFile(""));
  AMP_ASSERT_OK_AND_ASSIGN(const auto none, table.Reader().Load());
  EXPECT_FALSE(none);
}

TEST(DeltaLog, ABrokenCheckpointIsNamed) {
  const WrittenTable table(11, 10);
  WriteText(table.LogFile(CheckpointName(9)), "PAR1 this is no Parquet file");
  AMP_EXPECT_ERROR(table.Reader().Load(), ErrorKind::kProtocol, CheckpointName(9));
}

TEST(DeltaLog, VersionsAreFoundByTime) {
  const WrittenTable table(5, 100);
  const auto base = std::filesystem::file_time_type::clock::now() - std::chrono::hours(100);
  for (int version = 0; version < 5; ++version) {
    std::filesystem::last_write_time(table.LogFile(CommitName(version)),
                                     base + std::chrono::hours(version));
  }
  const int64_t zero = std::chrono::duration_cast<std::chrono::milliseconds>(
                           std::chrono::file_clock::to_sys(base).time_since_epoch())
                           .count();
  LogReader reader = table.Reader();
  const int64_t hour = 3'600'000;
  for (int64_t version = 0; version < 5; ++version) {
    AMP_ASSERT_OK_AND_ASSIGN(const int64_t found, reader.VersionAt(zero + version * hour + 5));
    EXPECT_EQ(found, version);
  }
  AMP_EXPECT_ERROR(reader.VersionAt(zero - hour), ErrorKind::kNotFound, "no version");
}

TEST(DeltaCheckpoint, IsReadByOthers) {
  const WrittenTable table(26, 1000);
  const auto rows = table.ReadBy("deltalake");
  const auto files = table.TheirFiles(25);
  EXPECT_EQ(rows[0], SumOfRows(files));
  LogReader reader = table.Reader();
  const CheckpointOptions options{.now_ms = 4'000'000'000'000,
                                  .deleted_file_retention_ms = 4'000'000'000'000};
  // The second is made from the first.
  AMP_ASSERT_OK(WriteCheckpoint(&reader, 12, options));
  AMP_ASSERT_OK_AND_ASSIGN(const auto written, WriteCheckpoint(&reader, 25, options));
  EXPECT_EQ(written.num_of_add_files, static_cast<int64_t>(files.size()));
  AMP_EXPECT_ERROR(WriteCheckpoint(&reader, 25, options), ErrorKind::kAlreadyExists, "version 25");
  AMP_ASSERT_OK_AND_ASSIGN(const auto hint, reader.log().ReadLastCheckpoint());
  EXPECT_EQ(hint->version, 25);

  AMP_ASSERT_OK_AND_ASSIGN(const auto listed, reader.log().List());
  const int64_t later = listed.back().modified_at + 40 * kDay;
  AMP_ASSERT_OK_AND_ASSIGN(const int64_t cleaned, CleanLog(reader.log(), 30 * kDay, later));
  EXPECT_EQ(cleaned, 26);  // 0 to 24, and the checkpoint of 12
  EXPECT_FALSE(std::filesystem::exists(table.LogFile(CommitName(24))));

  EXPECT_EQ(table.OurFiles(25), files);
  EXPECT_EQ(table.TheirFiles(25), files);
  for (const char* other : {"deltalake", "polars", "duckdb"}) {
    EXPECT_EQ(table.ReadBy(other), rows) << other;
  }
}

int64_t CountFiles(const std::string& folder) {
  int64_t count = 0;
  for (const auto& entry : std::filesystem::directory_iterator(folder)) count += entry.exists();
  return count;
}

TEST(DeltaCheckpoint, SidecarsGoWithTheLastCheckpointThatNamesThem) {
  for (const std::string top : {"json", "parquet"}) {
    SCOPED_TRACE(top);
    const WrittenTable table(22, 10);
    RunTables(fmt::format("v2 '{}' 19 {}", table.folder(), top));
    const std::string sidecars = table.LogFile("_sidecars");
    ASSERT_EQ(CountFiles(sidecars), 2);
    WriteText(sidecars + "/left-behind.parquet", "nobody names it");
    LogReader reader = table.Reader();
    const auto before = table.OurFiles(21);
    const int64_t now = UnixMillisNow();
    // Younger than a day, it may be of a checkpoint that is being written.
    AMP_ASSERT_OK_AND_ASSIGN(int64_t cleaned, CleanLog(reader.log(), 30 * kDay, now));
    EXPECT_EQ(cleaned, 0);
    AMP_ASSERT_OK_AND_ASSIGN(cleaned, CleanLog(reader.log(), 30 * kDay, now + 2 * kDay));
    EXPECT_EQ(cleaned, 1);
    EXPECT_EQ(CountFiles(sidecars), 2);
    EXPECT_EQ(table.OurFiles(21), before);

    AMP_ASSERT_OK(WriteCheckpoint(&reader, 21, {.now_ms = now}).status());
    AMP_ASSERT_OK(CleanLog(reader.log(), 30 * kDay, now + 40 * kDay).status());
    EXPECT_EQ(CountFiles(sidecars), 0);
    EXPECT_EQ(table.OurFiles(21), before);
  }
}

TEST(DeltaCheckpoint, HoldsAllThatLastsAndNoMore) {
  const WrittenTable table(1, 1000);
  LogReader reader = table.Reader();
  const Add add{.file = {.path = "p q", .text = "p%20%71"},
                .partition_values = {{"name", std::nullopt}, {"day", "2024-01-01"}},
                .size = 5,
                .modification_time = 6,
                .data_change = false,
                .stats = R"({"numRecords":2})",
                .tags = {{"batch", "77"}},
                .base_row_id = 8,
                .default_row_commit_version = 9,
                .clustering_provider = "liquid"};
  Add vectored = add;
  vectored.file = {.path = "v",
                   .deletion_vector = DeletionVectorDescriptor{.storage_type = "p",
                                                               .path_or_inline_dv = "x",
                                                               .offset = 1,
                                                               .size_in_bytes = 40,
                                                               .cardinality = 6}};
  const std::vector<Action> commit{add,
                                   vectored,
                                   Txn{"stream", 7, 70},
                                   DomainMetadata{"d", "{}", false},
                                   DomainMetadata{"gone", "{}", true},
                                   RemoveOf({.file = {.path = "old"}}, 1000),
                                   RemoveOf({.file = {.path = "new"}}, 9000),
                                   CommitInfo{.operation = "X"}};
  WriteText(table.LogFile(CommitName(1)), SerializeActions(commit));
  const CheckpointOptions options{.now_ms = 10'000, .deleted_file_retention_ms = 5'000};
  AMP_ASSERT_OK(WriteCheckpoint(&reader, 1, options));

  AMP_ASSERT_OK_AND_ASSIGN(const auto segment, reader.FindLog());
  CheckpointStream stream(reader.log(), segment->checkpoint);
  std::vector<Action> actions;
  while (true) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto some, stream.Next());
    if (some.empty()) break;
    actions.insert(actions.end(), some.begin(), some.end());
  }
  const auto holds = [&](const Action& action) {
    return std::find(actions.begin(), actions.end(), action) != actions.end();
  };
  EXPECT_TRUE(holds(add));
  EXPECT_TRUE(holds(vectored));
  EXPECT_TRUE(holds(Txn{"stream", 7, 70}));
  EXPECT_TRUE(holds(DomainMetadata{"d", "{}", false}));
  int removes = 0;
  for (const Action& action : actions) {
    EXPECT_FALSE(std::holds_alternative<CommitInfo>(action));
    if (const auto* domain = std::get_if<DomainMetadata>(&action)) {
      EXPECT_EQ(domain->domain, "d");
    }
    const auto* remove = std::get_if<Remove>(&action);
    if (remove == nullptr) continue;
    ++removes;
    EXPECT_EQ(remove->file.path, "new");
    EXPECT_EQ(remove->deletion_timestamp, 9000);
  }
  EXPECT_EQ(removes, 1);
  AMP_ASSERT_OK_AND_ASSIGN(const auto snapshot, reader.Load());
  EXPECT_EQ(snapshot->txns().at("stream").version, 7);
  EXPECT_EQ(snapshot->protocol(), (Protocol{1, 2}));
}

// Rows 3, 4, 7, 11, 18 and 29.
constexpr const char* kExampleVector = "^Bg9^0rr910000000000iXQKl0rr91000f55c8Xg0@@D72lkbi5=-{L";

TEST(DeltaLog, DeletionVectorsMeanTheSameToOthers) {
  const testing::TemporaryFolder temporary;
  RunTables(fmt::format("numbers '{}' 40", temporary.file("table")));
  LogReader reader(LogStore(storage::OpenStore(temporary.path(), {}).ValueOrDie(), "table"));
  AMP_ASSERT_OK_AND_ASSIGN(auto snapshot, reader.Load());
  ASSERT_EQ(snapshot->files().size(), 1U);
  Add add = snapshot->files().begin()->second;
  const Remove remove = RemoveOf(add, 1);
  add.file.deletion_vector = DeletionVectorDescriptor{.storage_type = "i",
                                                      .path_or_inline_dv = kExampleVector,
                                                      .size_in_bytes = 44,
                                                      .cardinality = 6};
  const std::vector<Action> commit{
      CommitInfo{.operation = "DELETE"},
      Protocol{3, 7, Strings{"deletionVectors"}, Strings{"deletionVectors"}}, remove, add};
  WriteText(temporary.file("table/_delta_log/" + CommitName(1)), SerializeActions(commit));

  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, ReadInlineDeletionVector(*add.file.deletion_vector));
  const uint64_t sum = std::accumulate(rows.begin(), rows.end(), uint64_t{0});
  AMP_ASSERT_OK(reader.Refresh(&*snapshot));
  EXPECT_EQ(snapshot->totals().rows, 34);
  for (const char* other : {"duckdb", "polars"}) {
    const auto read = RunTables(fmt::format("read '{}' {}", temporary.file("table"), other));
    EXPECT_EQ(read[0], 34) << other;
    EXPECT_EQ(read[1], 40 * 39 / 2 - static_cast<int64_t>(sum)) << other;
  }
}

}  // namespace
}  // namespace amp::delta
