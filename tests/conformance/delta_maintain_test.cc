// Maintenance of Delta tables: what vacuum deletes and what it must keep; old versions; counts of
// tables that others have written. Looked at with delta-rs and DuckDB.

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <chrono>
#include <ctime>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <numeric>
#include <sstream>
#include <thread>

#include "amp/loader.h"
#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "cli/run_ampload.h"
#include "interop/delta_client.h"

namespace amp::testing {
namespace {

using Json = nlohmann::json;
using Numbers = std::vector<int64_t>;

constexpr std::chrono::hours kDay{24};

Numbers Range(int64_t first, int64_t count) {
  Numbers numbers(static_cast<size_t>(count));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

std::shared_ptr<arrow::RecordBatch> Rows(const Numbers& numbers) {
  arrow::Int64Builder values;
  arrow::StringBuilder names;
  for (const int64_t number : numbers) {
    EXPECT_TRUE(values.Append(number).ok());
    EXPECT_TRUE(names.Append(number % 2 == 0 ? "even" : "odd").ok());
  }
  return arrow::RecordBatch::Make(
      arrow::schema({arrow::field("n", arrow::int64()), arrow::field("_kind", arrow::utf8())}),
      static_cast<int64_t>(numbers.size()), {*values.Finish(), *names.Finish()});
}

Numbers NumbersOf(const arrow::Table& table) {
  Numbers numbers;
  for (const auto& chunk : table.GetColumnByName("n")->chunks()) {
    const auto& values = static_cast<const arrow::Int64Array&>(*chunk);
    for (int64_t i = 0; i < values.length(); ++i) numbers.push_back(values.Value(i));
  }
  std::sort(numbers.begin(), numbers.end());
  return numbers;
}

class DeltaMaintain : public ::testing::Test {
 protected:
  void SetUp() override { Open({}); }

  void Open(ConfigMap options) {
    options["path"] = {.value = folder_.path()};
    loader_ = Registry::Global().Make("delta", options).ValueOrDie();
    AMP_ASSERT_OK(loader_->Connect());
  }
  void Load(const Numbers& numbers, LoadMode mode = LoadMode::kAppend) {
    AMP_ASSERT_OK(loader_->LoadBatch(*Rows(numbers), "t", {.mode = mode}).status);
  }
  Result<Numbers> Read(const ReadOptions& options = {}) {
    ARROW_ASSIGN_OR_RAISE(const auto reader, loader_->ReadTable("t", options));
    ARROW_ASSIGN_OR_RAISE(const auto table, reader->ToTable());
    return NumbersOf(*table);
  }
  Result<Numbers> ReadWithDeltaRs(std::optional<int64_t> version = {}) {
    ARROW_ASSIGN_OR_RAISE(const auto table, ReadDelta(table_, version));
    return NumbersOf(*table);
  }

  std::string Path(const std::string& name) const { return table_ + "/" + name; }
  std::string Write(const std::string& name, const std::string& text = "x") const {
    std::filesystem::create_directories(std::filesystem::path(Path(name)).parent_path());
    WriteFile(Path(name), text);
    return name;
  }
  static void SetAge(const std::string& path, std::chrono::seconds age) {
    const timespec time{.tv_sec = std::time(nullptr) - age.count(), .tv_nsec = 0};
    const timespec times[] = {time, time};
    ASSERT_EQ(utimensat(AT_FDCWD, path.c_str(), times, 0), 0) << path;
  }
  /// All but the log.
  void AgeData(std::chrono::seconds age) {
    for (const std::string& file : Files()) SetAge(Path(file), age);
  }
  /// All files but those of the table's own log, in order.
  std::vector<std::string> Files() const {
    std::vector<std::string> files;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(table_)) {
      if (!entry.is_regular_file()) continue;
      std::string name = entry.path().lexically_relative(table_).string();
      if (!name.starts_with("_delta_log/")) files.push_back(std::move(name));
    }
    std::sort(files.begin(), files.end());
    return files;
  }
  /// As if the files had left the table so long ago.
  void AgeTombstones(int64_t version, std::chrono::milliseconds age) {
    const std::string path = Path(fmt::format("_delta_log/{:020}.json", version));
    std::ifstream in(path);
    std::string text;
    for (std::string line; std::getline(in, line);) {
      Json action = Json::parse(line);
      if (action.contains("remove")) {
        int64_t& time = action["remove"]["deletionTimestamp"].get_ref<int64_t&>();
        time -= age.count();
      }
      text += action.dump() + "\n";
    }
    WriteFile(path, text);
  }
  Json LastCheckpoint() const {
    return Json::parse(std::ifstream(Path("_delta_log/_last_checkpoint")));
  }

  TemporaryFolder folder_;
  const std::string table_ = folder_.file("t");
  std::unique_ptr<Loader> loader_;
};

TEST_F(DeltaMaintain, KeepsWhatVersionsWithinTheRetentionHave) {
  Load(Range(0, 10));
  Load(Range(100, 5), LoadMode::kOverwrite);
  Load(Range(200, 5));
  AgeData(30 * kDay);
  const auto before = Files();
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult result, loader_->MaintainTable("t"));
  EXPECT_EQ(result.files, std::vector<std::string>{});
  EXPECT_EQ(result.bytes_deleted, 0);
  EXPECT_EQ(Files(), before);
  AMP_ASSERT_OK_AND_ASSIGN(const Numbers oldest, ReadWithDeltaRs(0));
  EXPECT_EQ(oldest, Range(0, 10));
}

TEST_F(DeltaMaintain, DeletesWhatLeftTheTableBeforeTheRetention) {
  Load(Range(0, 10));
  const auto old = Files();
  Load(Range(100, 5), LoadMode::kOverwrite);
  AgeTombstones(1, 8 * kDay);
  AgeData(30 * kDay);
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult result, loader_->MaintainTable("t"));
  EXPECT_EQ(result.files, old);
  EXPECT_GT(result.bytes_deleted, 0);
  AMP_ASSERT_OK_AND_ASSIGN(const Numbers now, ReadWithDeltaRs());
  EXPECT_EQ(now, Range(100, 5));
  EXPECT_EQ(ReadWithDeltaRs(0).ok(), false);
  AMP_EXPECT_ERROR(Read({.version = 0}), ErrorKind::kDataInvalid, "vacuum");
}

TEST_F(DeltaMaintain, DeletesOnlyWhatIsTheTables) {
  Open({{"partition_by", {.value = std::string("_kind")}}});
  Load(Range(0, 10));
  std::vector<std::string> kept = Files();
  std::vector<std::string> unneeded{
      Write("part-lost.snappy.parquet"), Write("deletion_vector_lost.bin"),
      Write("_kind=odd/part-lost.parquet"), Write("_change_data/cdc-lost.parquet"),
      Write("some/folder/part-lost.parquet")};
  for (const char* name :
       {"_hidden.parquet", ".hidden.parquet", "_folder/part.parquet", ".folder/part.parquet",
        "_kind=odd/_hidden.parquet", "nested/_delta_log/00000000000000000000.json",
        "nested/part-of-another-table.parquet", "_kinds=odd/part.parquet"}) {
    kept.push_back(Write(name));
  }
  AgeData(8 * kDay);
  kept.push_back(Write("part-young.parquet"));
  std::sort(kept.begin(), kept.end());
  std::sort(unneeded.begin(), unneeded.end());

  const auto before = Files();
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult dry,
                           loader_->MaintainTable("t", {.dry_run = true}));
  EXPECT_EQ(dry.files, unneeded);
  EXPECT_EQ(Files(), before) << "a dry run deletes nothing";
  EXPECT_FALSE(std::filesystem::exists(Path("_delta_log/_last_checkpoint")));

  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult result, loader_->MaintainTable("t"));
  EXPECT_EQ(result.files, unneeded);
  EXPECT_EQ(result.bytes_deleted, 5);
  EXPECT_EQ(Files(), kept);
  AMP_ASSERT_OK_AND_ASSIGN(const Numbers now, ReadWithDeltaRs());
  EXPECT_EQ(now, Range(0, 10));
}

TEST_F(DeltaMaintain, WritesACheckpointOnce) {
  for (int64_t i = 0; i < 3; ++i) Load(Range(10 * i, 10));
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult first, loader_->MaintainTable("t"));
  EXPECT_EQ(*first.extra.Find("checkpoint_written"), amp::Metadata::Value(true));
  EXPECT_EQ(LastCheckpoint()["version"], 2);
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult second, loader_->MaintainTable("t"));
  EXPECT_EQ(*second.extra.Find("checkpoint_written"), amp::Metadata::Value(false));
  EXPECT_EQ(*second.extra.Find("checkpoint_version"), amp::Metadata::Value(int64_t{2}));
  // The log before the checkpoint is not needed any more.
  for (int64_t i = 0; i < 3; ++i) {
    std::filesystem::remove(Path(fmt::format("_delta_log/{:020}.json", i)));
  }
  AMP_ASSERT_OK_AND_ASSIGN(const Numbers now, ReadWithDeltaRs());
  EXPECT_EQ(now, Range(0, 30));
  AMP_EXPECT_ERROR(Read({.version = 1}), ErrorKind::kNotFound, "cleaned up; there are versions 2");
  Load(Range(30, 10));
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader_->GetTableInfo("t"));
  EXPECT_EQ(info->row_count, 40);
  EXPECT_EQ(*info->extra.Find("last_checkpoint"), amp::Metadata::Value(int64_t{2}));
}

TEST_F(DeltaMaintain, AShorterRetentionMustBeForced) {
  Load(Range(0, 10));
  Load(Range(100, 5), LoadMode::kOverwrite);
  AgeData(kDay);
  AgeTombstones(1, kDay);
  const MaintainOptions hour{.retention = std::chrono::hours(1)};
  AMP_EXPECT_ERROR(loader_->MaintainTable("t", hour), ErrorKind::kConfigInvalid, "--force");
  EXPECT_EQ(Files().size(), 2U);
  AMP_ASSERT_OK_AND_ASSIGN(
      const MaintainResult dry,
      loader_->MaintainTable("t", {.retention = hour.retention, .dry_run = true}));
  EXPECT_EQ(dry.files.size(), 1U);
  EXPECT_EQ(Files().size(), 2U);
  AMP_ASSERT_OK_AND_ASSIGN(
      const MaintainResult forced,
      loader_->MaintainTable("t", {.retention = hour.retention, .force = true}));
  EXPECT_EQ(forced.files.size(), 1U);
  AMP_ASSERT_OK_AND_ASSIGN(const Numbers now, ReadWithDeltaRs());
  EXPECT_EQ(now, Range(100, 5));
}

// Checkpoints of such a table forget tombstones soon; the commits still have them.
TEST_F(DeltaMaintain, ALongerRetentionThanTheTablesKeepsMore) {
  Open({{"properties.delta.deletedFileRetentionDuration",
         {.value = std::string("interval 0 days")}}});
  Load(Range(0, 10));
  Load(Range(100, 5), LoadMode::kOverwrite);
  AgeData(2 * kDay);
  AgeTombstones(1, kDay);
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult kept,
                           loader_->MaintainTable("t", {.retention = 3 * kDay}));
  EXPECT_EQ(kept.files, std::vector<std::string>{});
  AMP_ASSERT_OK_AND_ASSIGN(const Numbers oldest, ReadWithDeltaRs(0));
  EXPECT_EQ(oldest, Range(0, 10));
  // Under an hour is a running writer's, whatever the table says.
  AMP_EXPECT_ERROR(loader_->MaintainTable("t", {.retention = std::chrono::milliseconds(0)}),
                   ErrorKind::kConfigInvalid, "0 h is shorter than the table's 1 h");
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult gone,
                           loader_->MaintainTable("t", {.retention = std::chrono::hours(1)}));
  EXPECT_EQ(gone.files.size(), 1U);
}

TEST_F(DeltaMaintain, WhatAKilledWriterLeftGoesOnceItIsOld) {
  Load(Range(0, 10));
  const std::string rows = folder_.file("rows.jsonl");
  WriteFile(rows, "{\"n\":1,\"_kind\":\"odd\"}\n");
  const CommandResult killed = RunAmpload(
      {"load", "--from", rows, "--to", "delta:" + folder_.path(), "--table", "job", "--job", "j"},
      {.environment = {"AMPLOAD_FAILPOINTS=delta.before_commit=kill@1"}});
  ASSERT_EQ(killed.exit_code, 128 + 9) << killed.err;
  std::vector<std::string> left;
  const auto look = [&] {
    left.clear();
    for (const auto& entry : std::filesystem::directory_iterator(folder_.file("job"))) {
      if (entry.path().extension() == ".parquet") left.push_back(entry.path().string());
    }
  };
  look();
  ASSERT_EQ(left.size(), 1U) << "the file of the commit that did not come";
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult young, loader_->MaintainTable("job"));
  EXPECT_EQ(young.files, std::vector<std::string>{});
  SetAge(left[0], 8 * kDay);
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult old, loader_->MaintainTable("job"));
  EXPECT_EQ(old.files.size(), 1U);
  look();
  EXPECT_TRUE(left.empty());
}

TEST_F(DeltaMaintain, FeaturesThatAreUnknownForbidIt) {
  Load(Range(0, 10));
  Write("part-lost.parquet");
  AgeData(8 * kDay);
  const auto features = [&](const std::string& readers, const std::string& writers) {
    return fmt::format(
        R"({{"protocol":{{"minReaderVersion":3,"minWriterVersion":7,"readerFeatures":[{}],)"
        R"("writerFeatures":[{}]}}}})"
        "\n",
        readers, writers);
  };
  Write("_delta_log/00000000000000000001.json", features("", R"("fromTheFuture")"));
  AMP_EXPECT_ERROR(loader_->MaintainTable("t"), ErrorKind::kUnsupported, "fromTheFuture");
  EXPECT_EQ(Files().size(), 2U);
  const std::string check = R"("vacuumProtocolCheck")";
  Write("_delta_log/00000000000000000001.json", features(check, check));
  Open({});
  AMP_ASSERT_OK_AND_ASSIGN(const MaintainResult result, loader_->MaintainTable("t"));
  EXPECT_EQ(result.files, std::vector<std::string>{"part-lost.parquet"});
}

TEST_F(DeltaMaintain, ATableThatIsNotThere) {
  AMP_EXPECT_ERROR(loader_->MaintainTable("none"), ErrorKind::kNotFound, "none");
  AMP_EXPECT_ERROR(loader_->ReadTable("none", {.version = 1}), ErrorKind::kNotFound, "none");
  AMP_EXPECT_ERROR(loader_->ReadTable("none", {.timestamp_ms = 1}), ErrorKind::kNotFound, "none");
}

TEST_F(DeltaMaintain, VersionsAreThoseOfDeltaRs) {
  Load(Range(0, 10));
  Load(Range(10, 10));
  Load(Range(100, 5), LoadMode::kOverwrite);
  AMP_ASSERT_OK(loader_->MaintainTable("t").status());
  Load(Range(200, 7));
  for (int64_t version = 0; version < 4; ++version) {
    AMP_ASSERT_OK_AND_ASSIGN(const Numbers ours, Read({.version = version}));
    AMP_ASSERT_OK_AND_ASSIGN(const Numbers theirs, ReadWithDeltaRs(version));
    EXPECT_EQ(ours, theirs) << version;
  }
  AMP_EXPECT_ERROR(Read({.version = 4}), ErrorKind::kNotFound, "has never been");
  AMP_EXPECT_ERROR(Read({.version = -1}), ErrorKind::kConfigInvalid, "counted from 0");
  AMP_EXPECT_ERROR(Read({.version = 1, .timestamp_ms = 1}), ErrorKind::kConfigInvalid, "one of");
}

TEST_F(DeltaMaintain, MomentsFindTheirVersion) {
  for (int64_t i = 0; i < 3; ++i) {
    Load(Range(10 * i, 10));
    SetAge(Path(fmt::format("_delta_log/{:020}.json", i)), std::chrono::hours(30 - 10 * i));
  }
  const int64_t now = int64_t{std::time(nullptr)} * 1000;
  const auto hours_ago = [&](int64_t hours) {
    return ReadOptions{.timestamp_ms = now - hours * 3'600'000};
  };
  for (const auto& [hours, rows] : {std::pair{29, 10}, {20, 20}, {11, 20}, {1, 30}}) {
    AMP_ASSERT_OK_AND_ASSIGN(const Numbers read, Read(hours_ago(hours)));
    EXPECT_EQ(read.size(), static_cast<size_t>(rows)) << hours;
  }
  AMP_EXPECT_ERROR(Read(hours_ago(31)), ErrorKind::kNotFound, "the oldest that is there is of 20");
}

TEST_F(DeltaMaintain, InfoCountsWhatOthersWrote) {
  AMP_ASSERT_OK(RunPython("delta_others.py", {"make", table_}).status());
  AMP_ASSERT_OK_AND_ASSIGN(const std::string counted,
                           RunPython("delta_others.py", {"count", table_}));
  EXPECT_EQ(Json::parse(counted), (Json{28, 28})) << "delta-rs and DuckDB";
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader_->GetTableInfo("t"));
  EXPECT_EQ(info->row_count, 28);
  EXPECT_EQ(*info->extra.Find("files"), amp::Metadata::Value(int64_t{3}));
  EXPECT_EQ(*info->extra.Find("min_reader_version"), amp::Metadata::Value(int64_t{3}));
  AMP_ASSERT_OK_AND_ASSIGN(const Numbers rows, Read());
  EXPECT_EQ(rows.size(), 28U);
  // The file of the deletion vector stays with the table.
  AgeData(30 * kDay);
  AMP_ASSERT_OK_AND_ASSIGN(
      const MaintainResult result,
      loader_->MaintainTable("t", {.retention = std::chrono::hours(0), .force = true}));
  EXPECT_EQ(result.files, std::vector<std::string>{});
  AMP_ASSERT_OK_AND_ASSIGN(const std::string again,
                           RunPython("delta_others.py", {"count", table_}));
  EXPECT_EQ(Json::parse(again), (Json{28, 28}));
}

// A loader that has the table open counts on, whatever others do to it.
TEST_F(DeltaMaintain, InfoFollowsOtherWriters) {
  Load(Range(0, 10));
  AMP_ASSERT_OK(loader_->GetTableInfo("t").status());
  AMP_ASSERT_OK(RunPython("delta_others.py", {"delete", table_, "n < 4"}).status());
  Load(Range(10, 10));
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader_->GetTableInfo("t"));
  EXPECT_EQ(info->row_count, 16);
  EXPECT_EQ(info->columns[0].type, "long");
}

}  // namespace
}  // namespace amp::testing
