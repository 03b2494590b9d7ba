// What every loader must do, as delta-rs sees it.

#include <arrow/scalar.h>
#include <arrow/table.h>

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "amp/testing/asserts.h"
#include "amp/testing/core_tests.h"
#include "amp/testing/servers.h"
#include "amp/testing/streaming_tests.h"
#include "interop/delta_client.h"

namespace amp::testing {
namespace {

class DeltaTestConfig : public LoaderTestConfig {
 public:
  DeltaTestConfig() {
    supports_streaming = true;
    supports_multi_network = true;
  }
  std::string_view loader() const override { return "delta"; }
  Result<ConfigMap> WorkingConfig() override { return ConfigMap{{"path", {.value = Path()}}}; }
  ConfigMap UnreachableConfig() override {
    // A file is in the way.
    std::ofstream(Path() + ".file") << "no folder";
    return {{"path", {.value = Path() + ".file"}}};
  }
  Result<int64_t> GetRowCount(const TableName& table) override {
    ARROW_ASSIGN_OR_RAISE(const auto rows, Rows(table));
    return rows->num_rows();
  }
  Result<std::vector<Row>> QueryRows(const TableName& table, const std::string& /*where*/,
                                     const std::string& order_by) override {
    ARROW_ASSIGN_OR_RAISE(const auto found, Rows(table));
    std::vector<Row> rows(static_cast<size_t>(found->num_rows()));
    for (const auto& field : found->schema()->fields()) {
      const auto column = found->GetColumnByName(field->name());
      for (int64_t i = 0; i < found->num_rows(); ++i) {
        ARROW_ASSIGN_OR_RAISE(const auto value, column->GetScalar(i));
        auto& cell = rows[static_cast<size_t>(i)][field->name()];
        if (value->is_valid) cell = value->ToString();
      }
    }
    if (!order_by.empty()) {
      std::sort(rows.begin(), rows.end(), [&](Row& a, Row& b) {
        const std::string left = a[order_by].value_or("");
        const std::string right = b[order_by].value_or("");
        return left.size() != right.size() ? left.size() < right.size() : left < right;
      });
    }
    return rows;
  }
  Status CleanupTable(const TableName& table) override {
    std::filesystem::remove_all(Path() + "/" + table);
    return Status::OK();
  }
  // Who drops the folder drops the streams with it; another tool may make another table in it.
  Status DropTable(const TableName& table) override {
    return RunPython("replace_delta.py", {Path() + "/" + table}).status();
  }
  Result<std::vector<std::string>> GetColumnNames(const TableName& table) override {
    ARROW_ASSIGN_OR_RAISE(const auto rows, Rows(table));
    return rows->ColumnNames();
  }

 private:
  const std::string& Path() {
    if (!folder_) folder_.emplace();
    return folder_->path();
  }
  Result<std::shared_ptr<arrow::Table>> Rows(const TableName& table) {
    ARROW_ASSIGN_OR_RAISE(auto rows, ReadDelta(Path() + "/" + table));
    if (rows == nullptr) return Status::KeyError("there is no table ", table);
    return rows;
  }

  std::optional<TemporaryFolder> folder_;
};

AMP_CORE_TESTS(DeltaCore, DeltaTestConfig);
AMP_STREAMING_TESTS(DeltaStreaming, DeltaTestConfig);

}  // namespace
}  // namespace amp::testing
