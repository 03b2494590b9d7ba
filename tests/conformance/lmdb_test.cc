// What every loader must do, and what is LMDB's own.

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <thread>

#include "amp/testing/asserts.h"
#include "amp/testing/core_tests.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "amp/testing/streaming_tests.h"
#include "conformance/lmdb_client.h"

namespace amp::testing {
namespace {

/// The suites look at values as JSON, which needs no decoder of ours.
class LMDBTestConfig : public LoaderTestConfig {
 public:
  LMDBTestConfig() {
    supports_streaming = true;
    supports_multi_network = true;
  }
  std::string_view loader() const override { return "lmdb"; }
  Result<ConfigMap> WorkingConfig() override {
    return ConfigMap{{"path", {.value = Path()}}, {"value_format", {.value = std::string("json")}}};
  }
  ConfigMap UnreachableConfig() override {
    return {{"path", {.value = Path() + "/none"}}, {"create_db", {.value = false}}};
  }
  Result<int64_t> GetRowCount(const TableName& table) override {
    ARROW_ASSIGN_OR_RAISE(const auto rows, QueryRows(table, "", ""));
    return static_cast<int64_t>(rows.size());
  }
  Result<std::vector<Row>> QueryRows(const TableName& table, const std::string& /*where*/,
                                     const std::string& /*order_by*/) override {
    ARROW_ASSIGN_OR_RAISE(const std::string copy, Copy());
    auto entries = ReadLmdb(copy, table);
    std::filesystem::remove_all(copy);
    ARROW_RETURN_NOT_OK(entries);
    std::vector<Row> rows;
    for (const auto& [key, value] : *entries) {
      Row row;
      const auto json = nlohmann::json::parse(value);
      for (const auto& [name, cell] : json.items()) {
        row[name] = cell.is_null()     ? std::nullopt
                    : cell.is_string() ? std::optional(cell.get<std::string>())
                                       : std::optional(cell.dump());
      }
      rows.push_back(std::move(row));
    }
    return rows;
  }
  Status CleanupTable(const TableName& table) override {
    if (!std::filesystem::exists(Path() + "/data.mdb")) return Status::OK();
    return DropLmdb(Path(), table, /*streams=*/true);
  }
  Status DropTable(const TableName& table) override { return DropLmdb(Path(), table); }
  Result<std::vector<std::string>> GetColumnNames(const TableName& table) override {
    ARROW_ASSIGN_OR_RAISE(const auto rows, QueryRows(table, "", ""));
    std::vector<std::string> names;
    for (const auto& [name, value] : rows.at(0)) names.push_back(name);
    return names;
  }

 private:
  const std::string& Path() {
    if (!folder_) folder_.emplace();
    return folder_->path();
  }
  // One process must not open a database twice, so the client looks at a copy of it.
  Result<std::string> Copy() {
    std::string copy = (std::filesystem::temp_directory_path() / "ampload-copy-XXXXXX").string();
    if (mkdtemp(copy.data()) == nullptr) return Status::IOError("mkdtemp");
    std::filesystem::copy_file(Path() + "/data.mdb", copy + "/data.mdb");
    return copy;
  }

  std::optional<TemporaryFolder> folder_;
};

AMP_CORE_TESTS(LMDBCore, LMDBTestConfig);
AMP_STREAMING_TESTS(LMDBStreaming, LMDBTestConfig);

class LMDB : public ::testing::Test {
 protected:
  Result<std::unique_ptr<Loader>> Make(ConfigMap extra = {}) {
    extra["path"] = {.value = folder_.file("db")};
    ARROW_ASSIGN_OR_RAISE(auto loader, Registry::Global().Make("lmdb", extra));
    ARROW_RETURN_NOT_OK(loader->Connect());
    return loader;
  }
  void Expect(Loader* loader, const std::string& table, const arrow::RecordBatch& batch) {
    AMP_ASSERT_OK_AND_ASSIGN(const auto reader, loader->ReadTable(table));
    AMP_ASSERT_OK_AND_ASSIGN(const auto rows, reader->ToTable());
    AMP_ASSERT_OK_AND_ASSIGN(const auto batches, rows->CombineChunksToBatch());
    EXPECT_TRUE(batches->Equals(batch)) << batches->ToString() << "\nwanted " << batch.ToString();
  }
  static ConfigMap Text(const std::string& name, const std::string& value) {
    return {{name, {.value = value}}};
  }
  static LoadOptions Mode(LoadMode mode, std::vector<std::string> key = {}) {
    return {.mode = mode, .key = std::move(key)};
  }

  TemporaryFolder folder_;
};

class LMDBFormats : public LMDB, public ::testing::WithParamInterface<std::string> {};

TEST_P(LMDBFormats, EveryTypeComesBackEqual) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make(Text("value_format", GetParam())));
  const auto batch = AllTypesBatch();
  AMP_ASSERT_OK(loader->LoadBatch(*batch, "t").status);
  Expect(loader.get(), "t", *batch);
  // A slice is stored as its rows, not as the buffers behind it.
  AMP_ASSERT_OK(loader->LoadBatch(*batch->Slice(1, 2), "slice").status);
  Expect(loader.get(), "slice", *batch->Slice(1, 2));
}

INSTANTIATE_TEST_SUITE_P(All, LMDBFormats, ::testing::Values("msgpack", "json", "arrow_ipc"),
                         [](const auto& format) { return format.param; });

TEST_F(LMDB, RowsStayInOrderOverLoadsAndReopening) {
  {
    AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
    AMP_ASSERT_OK(loader->LoadTable(*SampleTable(1000, 300), "t").status);
  }
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(500, 1000), "t").status);
  Expect(loader.get(), "t", *SampleBatch(1500));
}

TEST_F(LMDB, OverwriteOfOneTableLeavesTheOthers) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(10), "a").status);
  AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(20), "b").status);
  AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(3), "a", Mode(LoadMode::kOverwrite)).status);
  Expect(loader.get(), "a", *SampleBatch(3));
  Expect(loader.get(), "b", *SampleBatch(20));
}

TEST_F(LMDB, AppendRefusesAKeyThatExists) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make(Text("key_columns", "id")));
  AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(5), "t").status);
  const LoadResult result = loader->LoadBatch(*SampleBatch(5, 4), "t");
  AMP_EXPECT_ERROR(result.status, ErrorKind::kDataInvalid,
                   "row 0 of the load: the key 0x8000000000000004 exists already");
  EXPECT_EQ(ExitCodeOf(result.status), 5);
  Expect(loader.get(), "t", *SampleBatch(5));
}

TEST_F(LMDB, UpsertReplacesRowsByKeyAndTheLastOfAKeyWins) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  const auto schema =
      arrow::schema({arrow::field("k", arrow::utf8()), arrow::field("v", arrow::int32())});
  AMP_ASSERT_OK_AND_ASSIGN(const auto first,
                           BatchFromJson(schema, R"([{"k":"a","v":1},{"k":"b","v":2}])"));
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto second,
      BatchFromJson(schema, R"([{"k":"b","v":3},{"k":"c","v":4},{"k":"b","v":5}])"));
  const LoadOptions upsert = Mode(LoadMode::kUpsert, {"k"});
  AMP_ASSERT_OK(loader->LoadBatch(*first, "t", upsert).status);
  AMP_ASSERT_OK(loader->LoadBatch(*second, "t", upsert).status);
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto expected,
      BatchFromJson(schema, R"([{"k":"a","v":1},{"k":"b","v":5},{"k":"c","v":4}])"));
  Expect(loader.get(), "t", *expected);
}

TEST_F(LMDB, UpsertWithoutAKeyIsRefused) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_EXPECT_ERROR(loader->LoadBatch(*SampleBatch(1), "t", Mode(LoadMode::kUpsert)).status,
                   ErrorKind::kConfigInvalid, "needs a key");
  AMP_EXPECT_ERROR(
      loader->LoadBatch(*SampleBatch(1), "t", Mode(LoadMode::kUpsert, {"nope"})).status,
      ErrorKind::kConfigInvalid, "'nope' is not in the data");
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader->GetTableInfo("t"));
  EXPECT_FALSE(info.has_value());
}

TEST_F(LMDB, ATableKeepsItsKeyAndItsColumns) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(2), "t", Mode(LoadMode::kAppend, {"id"})).status);
  AMP_EXPECT_ERROR(
      loader->LoadBatch(*SampleBatch(2), "t", Mode(LoadMode::kAppend, {"name"})).status,
      ErrorKind::kSchemaMismatch, "its key is the columns id");
  AMP_EXPECT_ERROR(
      loader->LoadBatch(*SampleBatch(1)->SelectColumns({0, 1}).ValueOrDie(), "t").status,
      ErrorKind::kSchemaMismatch, "'value' is missing");
  // Other order, same columns.
  AMP_ASSERT_OK_AND_ASSIGN(const auto turned, SampleBatch(1, 2)->SelectColumns({5, 4, 3, 2, 1, 0}));
  AMP_ASSERT_OK(loader->LoadBatch(*turned, "t").status);
  Expect(loader.get(), "t", *SampleBatch(3));
}

TEST_F(LMDB, NullsGoIntoNoColumnThatHasNone) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  const auto strict = arrow::schema({arrow::field("n", arrow::int32(), false)});
  const auto lax = arrow::schema({arrow::field("n", arrow::int32())});
  AMP_ASSERT_OK_AND_ASSIGN(const auto first, BatchFromJson(strict, R"([{"n":1}])"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto second, BatchFromJson(lax, R"([{"n":2},{"n":null}])"));
  AMP_ASSERT_OK(loader->LoadBatch(*first, "t").status);
  AMP_EXPECT_ERROR(loader->LoadBatch(*second, "t").status, ErrorKind::kDataInvalid,
                   "column 'n', row 1 of the load: is null");
  Expect(loader.get(), "t", *first);
}

TEST_F(LMDB, PlanRefusesWhatALoadWouldRefuse) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(1), "t", Mode(LoadMode::kAppend, {"id"})).status);
  const auto schema = SampleBatch(1)->schema();
  AMP_EXPECT_ERROR(loader->PlanTable({.table = "t", .schema = schema, .key = {"name"}}),
                   ErrorKind::kSchemaMismatch, "its key is the columns id");
  AMP_EXPECT_ERROR(loader->PlanTable({.table = "new", .schema = schema, .mode = LoadMode::kUpsert}),
                   ErrorKind::kConfigInvalid, "needs a key");
}

TEST_F(LMDB, NullInAKeyIsRefused) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make(Text("key_columns", "name")));
  AMP_EXPECT_ERROR(loader->LoadBatch(*SampleBatchWithNulls(), "t").status, ErrorKind::kDataInvalid,
                   "column 'name', row 1 of the load: is null");
}

TEST_F(LMDB, KeyPatternMakesTextKeys) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make(Text("key_pattern", "{table}:{id}:{payload}")));
  AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(1, 7), "logs").status);
  loader.reset();
  AMP_ASSERT_OK_AND_ASSIGN(const auto entries, ReadLmdb(folder_.file("db"), "logs"));
  ASSERT_EQ(entries.size(), 1U);
  EXPECT_EQ(entries[0].first, "logs:7:00ff37");
}

TEST_F(LMDB, ASmallMapIsFullAndNothingIsStored) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make(Text("map_size", "1MiB")));
  AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(100), "t").status);
  const LoadResult result = loader->LoadTable(*SampleTable(100'000, 10'000), "t");
  AMP_EXPECT_ERROR(result.status, ErrorKind::kUnavailable, "Raise map_size");
  EXPECT_EQ(ExitCodeOf(result.status), 4);
  Expect(loader.get(), "t", *SampleBatch(100));
}

TEST_F(LMDB, TheMapGrowsByItself) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(loader->LoadTable(*SampleTable(300'000, 50'000), "t").status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader->GetTableInfo("t"));
  EXPECT_EQ(info->row_count, 300'000);
  EXPECT_GT(info->size_bytes, int64_t{10} << 20);
}

TEST_F(LMDB, ThreadsWaitForEachOther) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&] { good += loader->LoadBatch(*SampleBatch(50), "t").success ? 1 : 0; });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 8);
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader->GetTableInfo("t"));
  EXPECT_EQ(info->row_count, 400);
}

TEST_F(LMDB, TwoLoadersOfOneProcessShareTheDatabase) {
  AMP_ASSERT_OK_AND_ASSIGN(auto one, Make());
  AMP_ASSERT_OK_AND_ASSIGN(auto two, Make());
  AMP_ASSERT_OK(one->LoadBatch(*SampleBatch(2), "t").status);
  AMP_ASSERT_OK(one->Disconnect());
  AMP_ASSERT_OK(two->LoadBatch(*SampleBatch(2, 2), "t").status);
  Expect(two.get(), "t", *SampleBatch(4));
}

TEST_F(LMDB, LookingMakesNoDatabase) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader->GetTableInfo("t"));
  EXPECT_FALSE(info.has_value());
  EXPECT_FALSE(std::filesystem::exists(folder_.file("db")));
  AMP_EXPECT_ERROR(Make({{"create_db", {.value = false}}}), ErrorKind::kNotFound, "create_db");
}

TEST_F(LMDB, WhatIsNoDatabaseIsRefused) {
  std::filesystem::create_directories(folder_.file("db"));
  std::ofstream(folder_.file("db/data.mdb")) << std::string(10'000, 'x');
  AMP_EXPECT_ERROR(Make(), ErrorKind::kAlreadyExists, "not an LMDB database");
  EXPECT_EQ(ExitCodeOf(Make().status()), 4);
}

TEST_F(LMDB, OddNamesAreOrdinary) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  for (const std::string& table :
       {std::string("a.b \"c\" 'd'; --"), std::string("Ünïcödé 🦀"), std::string(200, 'x')}) {
    AMP_ASSERT_OK(loader->LoadBatch(*SampleBatch(3), table).status);
    Expect(loader.get(), table, *SampleBatch(3));
  }
  AMP_EXPECT_ERROR(loader->LoadBatch(*SampleBatch(1), std::string(512, 'x')).status,
                   ErrorKind::kConfigInvalid, "512 bytes");
}

}  // namespace
}  // namespace amp::testing
