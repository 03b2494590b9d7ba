#include "amp/testing/core_tests.h"

#include <arrow/api.h>

#include <algorithm>
#include <array>

#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"

namespace amp::testing {
namespace {

constexpr std::string_view kTable = "amp core test";

/// A connected loader and an empty place for its table.
class CoreTest : public ::testing::Test {
 public:
  CoreTest(std::shared_ptr<LoaderTestConfig> config, void (CoreTest::*body)())
      : config_(std::move(config)), body_(body) {}

  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(loader_, config_->MakeLoader());
    AMP_ASSERT_OK(config_->CleanupTable(table_));
  }
  void TearDown() override {
    if (loader_ != nullptr) AMP_ASSERT_OK(loader_->Disconnect());
    AMP_ASSERT_OK(config_->CleanupTable(table_));
  }
  void TestBody() override { (this->*body_)(); }

  void Connection();
  void ContextManager();
  void BatchLoading();
  void AppendMode();
  void OverwriteMode();
  void NullHandling();
  void ErrorHandling();

 private:
  void ExpectRowCount(int64_t rows) {
    AMP_ASSERT_OK_AND_ASSIGN(const int64_t count, config_->GetRowCount(table_));
    EXPECT_EQ(count, rows) << "rows in the target, read by its own client";
  }
  void ExpectMetadata(const LoadResult& result, std::string_view name,
                      const Metadata::Value& value) {
    const Metadata::Value* found = result.metadata.Find(name);
    ASSERT_NE(found, nullptr) << "the result's metadata must have '" << name << "'";
    EXPECT_EQ(*found, value) << "metadata '" << name << "'";
  }
  // Every sample row has its id in its name.
  void ExpectIds(const std::vector<int64_t>& ids) {
    AMP_ASSERT_OK_AND_ASSIGN(const std::vector<Row> rows, config_->QueryRows(table_, "", "id"));
    ASSERT_EQ(rows.size(), ids.size());
    for (size_t i = 0; i < ids.size(); ++i) {
      EXPECT_EQ(rows[i].at("id"), std::to_string(ids[i]));
      EXPECT_EQ(rows[i].at("name"), "row " + std::to_string(ids[i]));
    }
  }

  std::shared_ptr<LoaderTestConfig> config_;
  void (CoreTest::*body_)();
  std::unique_ptr<Loader> loader_;
  TableName table_{kTable};
};

void CoreTest::Connection() {
  EXPECT_FALSE(loader_->is_connected());
  AMP_ASSERT_OK(loader_->Connect());
  EXPECT_TRUE(loader_->is_connected());
  AMP_ASSERT_OK(loader_->Connect());  // a second time does nothing
  AMP_ASSERT_OK(loader_->Disconnect());
  EXPECT_FALSE(loader_->is_connected());
  AMP_ASSERT_OK(loader_->Disconnect());
  AMP_ASSERT_OK(loader_->Connect());
  EXPECT_TRUE(loader_->is_connected()) << "a loader can be connected again";
}

void CoreTest::ContextManager() {
  {
    AMP_ASSERT_OK_AND_ASSIGN(const Session session, loader_->Open());
    EXPECT_TRUE(session->is_connected());
    AMP_ASSERT_OK(session->LoadBatch(*SampleBatch(3), table_).status);
  }
  EXPECT_FALSE(loader_->is_connected()) << "the end of the session disconnects";
  ExpectRowCount(3);
}

void CoreTest::BatchLoading() {
  AMP_ASSERT_OK(loader_->Connect());
  const LoadResult result = loader_->LoadBatch(*SampleBatch(5), table_);
  ASSERT_TRUE(result.success) << result.error;
  EXPECT_EQ(result.rows_loaded, 5);
  EXPECT_EQ(result.table_name, table_);
  EXPECT_EQ(result.loader, config_->loader());
  EXPECT_GT(result.duration_seconds, 0);
  ExpectMetadata(result, "operation", std::string("load_batch"));
  ExpectMetadata(result, "batch_size", int64_t{5});
  ExpectMetadata(result, "schema_fields", int64_t{6});
  ExpectIds({0, 1, 2, 3, 4});
  AMP_ASSERT_OK_AND_ASSIGN(const auto columns, config_->GetColumnNames(table_));
  for (const char* name : {"id", "name", "value", "active", "at", "payload"}) {
    EXPECT_NE(std::find(columns.begin(), columns.end(), name), columns.end())
        << "column '" << name << "' must be in the target";
  }
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader_->GetTableInfo(table_));
  ASSERT_TRUE(info.has_value());
  EXPECT_EQ(info->row_count, 5);
}

void CoreTest::AppendMode() {
  AMP_ASSERT_OK(loader_->Connect());
  const LoadOptions append{.mode = LoadMode::kAppend};
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(3), table_, append).status);
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(2, 3), table_, append).status);
  ExpectIds({0, 1, 2, 3, 4});
  const LoadResult result = loader_->LoadTable(*SampleTable(25'000, 10'000), "amp core test 2");
  EXPECT_TRUE(result.success) << result.error;
  EXPECT_EQ(result.rows_loaded, 25'000);
  ExpectMetadata(result, "operation", std::string("load_table"));
  ExpectMetadata(result, "total_rows", int64_t{25'000});
  ExpectMetadata(result, "batch_count", int64_t{3});
  ExpectMetadata(result, "batches_processed", int64_t{3});
  AMP_ASSERT_OK_AND_ASSIGN(const int64_t count, config_->GetRowCount("amp core test 2"));
  EXPECT_EQ(count, 25'000);
  AMP_ASSERT_OK(loader_->Disconnect());
  AMP_ASSERT_OK(config_->CleanupTable("amp core test 2"));
}

void CoreTest::OverwriteMode() {
  AMP_ASSERT_OK(loader_->Connect());
  const LoadOptions overwrite{.mode = LoadMode::kOverwrite};
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(5), table_).status);
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(2, 100), table_, overwrite).status);
  ExpectIds({100, 101});
  // A table of several batches is cleared once, not once a batch.
  AMP_ASSERT_OK(loader_->LoadTable(*SampleTable(25'000, 10'000), table_, overwrite).status);
  ExpectRowCount(25'000);
}

void CoreTest::NullHandling() {
  AMP_ASSERT_OK(loader_->Connect());
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatchWithNulls(), table_).status);
  AMP_ASSERT_OK_AND_ASSIGN(const std::vector<Row> rows, config_->QueryRows(table_, "", "id"));
  ASSERT_EQ(rows.size(), 6U);
  const std::array<std::string, 6> columns{"id", "name", "value", "active", "at", "payload"};
  for (size_t row = 0; row < rows.size(); ++row) {
    for (size_t column = 0; column < columns.size(); ++column) {
      const auto found = rows[row].find(columns[column]);
      const bool null = found == rows[row].end() || !found->second.has_value();
      EXPECT_EQ(null, row == column && column > 0)
          << "row " << row << ", column '" << columns[column] << "'";
    }
  }
}

void CoreTest::ErrorHandling() {
  const LoadResult not_connected = loader_->LoadBatch(*SampleBatch(1), table_);
  EXPECT_FALSE(not_connected.success);
  EXPECT_NE(not_connected.error.find("not connected"), std::string::npos) << not_connected.error;

  AMP_ASSERT_OK_AND_ASSIGN(
      auto unreachable, Registry::Global().Make(config_->loader(), config_->UnreachableConfig()));
  const Status refused = unreachable->Connect();
  EXPECT_FALSE(refused.ok()) << "a connection that cannot be made must be an error";
  EXPECT_EQ(ExitCodeOf(refused), 4) << Describe(refused);
  EXPECT_FALSE(unreachable->is_connected());

  AMP_ASSERT_OK(loader_->Connect());
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(2), table_).status);
  const auto other =
      arrow::schema({arrow::field("id", arrow::utf8()), arrow::field("extra", arrow::int32())});
  AMP_ASSERT_OK_AND_ASSIGN(const auto wrong, BatchFromJson(other, R"([{"id":"x","extra":1}])"));
  const LoadResult result = loader_->LoadBatch(*wrong, table_);
  EXPECT_FALSE(result.success);
  EXPECT_EQ(result.rows_loaded, 0);
  EXPECT_EQ(KindOf(result.status), ErrorKind::kSchemaMismatch) << result.error;
  EXPECT_NE(result.error.find("extra"), std::string::npos)
      << "the message must name the column that does not fit: " << result.error;
  ExpectIds({0, 1});
  AMP_ASSERT_OK_AND_ASSIGN(const auto missing, loader_->GetTableInfo("amp no such table"));
  EXPECT_FALSE(missing.has_value());
}

struct NamedTest {
  const char* name;
  void (CoreTest::*body)();
  bool LoaderTestConfig::*needs;  ///< a flag; null: every loader has this test
};

constexpr std::array<NamedTest, 7> kTests{
    {{"Connection", &CoreTest::Connection, nullptr},
     {"ContextManager", &CoreTest::ContextManager, nullptr},
     {"BatchLoading", &CoreTest::BatchLoading, nullptr},
     {"AppendMode", &CoreTest::AppendMode, nullptr},
     {"OverwriteMode", &CoreTest::OverwriteMode, &LoaderTestConfig::supports_overwrite},
     {"NullHandling", &CoreTest::NullHandling, &LoaderTestConfig::supports_null_values},
     {"ErrorHandling", &CoreTest::ErrorHandling, nullptr}}};

}  // namespace

bool RegisterCoreTests(std::string_view suite, const std::shared_ptr<LoaderTestConfig>& config) {
  for (const NamedTest& test : kTests) {
    if (test.needs != nullptr && !((*config).*test.needs)) continue;
    ::testing::RegisterTest(
        std::string(suite).c_str(), test.name, nullptr, nullptr, __FILE__, __LINE__,
        [config, body = test.body]() -> CoreTest* { return new CoreTest(config, body); });
  }
  return true;
}

}  // namespace amp::testing
