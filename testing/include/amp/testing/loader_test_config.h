#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/loader.h"

namespace amp::testing {

/// A row as the target's own client shows it: column → text, none for NULL.
using Row = std::map<std::string, std::optional<std::string>>;

/// What the suites need to know of a loader. A loader's test file derives from it and gives the
/// four functions that look into the target; they use the target's own client, not the loader under
/// test.
///
/// The object is made before any test runs, so that its flags can say which tests there are: it
/// must not start or connect to anything until it is asked for something.
class LoaderTestConfig {
 public:
  virtual ~LoaderTestConfig() = default;

  // What the loader can do; a test that a flag excludes is not registered.
  bool supports_overwrite = true;
  bool supports_null_values = true;
  bool supports_streaming = false;      ///< undoes batches of streams
  bool supports_multi_network = false;  ///< keeps the networks of a stream apart

  /// The loader's name in the registry.
  virtual std::string_view loader() const = 0;
  /// A configuration that works; starts a server where one is needed.
  virtual Result<ConfigMap> WorkingConfig() = 0;
  /// One that is valid, and cannot connect.
  virtual ConfigMap UnreachableConfig() = 0;

  virtual Result<int64_t> GetRowCount(const TableName& table) = 0;
  /// Rows for which `where` (`column = text`, empty: all) holds, in the order of a column.
  virtual Result<std::vector<Row>> QueryRows(const TableName& table, const std::string& where,
                                             const std::string& order_by) = 0;
  /// Removes the table, if it is there.
  virtual Status CleanupTable(const TableName& table) = 0;
  /// The same, but leaves what Ampload keeps of its streams, as someone without Ampload would. No
  /// loader is connected then.
  virtual Status DropTable(const TableName& table) { return CleanupTable(table); }
  virtual Result<std::vector<std::string>> GetColumnNames(const TableName& table) = 0;

  /// The loader, made from WorkingConfig().
  Result<std::unique_ptr<Loader>> MakeLoader();
};

}  // namespace amp::testing
