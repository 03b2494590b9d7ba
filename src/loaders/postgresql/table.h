#pragma once

#include <arrow/type_fwd.h>

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/loader.h"
#include "loaders/postgresql/connection.h"

/// Tables: their names, what the catalog says of them, the SQL that makes them.
namespace amp::postgresql {

/// PostgreSQL's limit for names, in bytes. It would cut longer ones without an error.
inline constexpr size_t kMaxNameBytes = 63;

/// "name", with quotes inside doubled.
std::string QuoteName(std::string_view name);
/// "schema"."table", or "table" where the schema is left to search_path.
std::string QualifiedName(std::string_view schema, std::string_view table);

struct TableColumn {
  std::string name;
  uint32_t oid = 0;
  int32_t modifier = -1;  ///< precision and the like, packed as in pg_attribute.atttypmod
  std::string sql_type;
  bool not_null = false;
  bool filled_by_server = false;  ///< has a default, is an identity or is generated
  bool generated = false;
};

/// The columns of an existing table, in its order; none where there is no table of that name.
/// Unsupported where the name is that of a view or the like.
Result<std::optional<std::vector<TableColumn>>> DescribeTable(Connection& connection,
                                                              const std::string& qualified);

/// The column of that name; null where there is none.
const TableColumn* FindColumn(const std::vector<TableColumn>& columns, std::string_view name);

/// What tells a table from another one of the same name, and from what it was before its rows were
/// written anew (as a change of a column's type does).
struct TableIdentity {
  uint32_t id = 0;    ///< its oid
  uint32_t file = 0;  ///< its relfilenode; 0 for a partitioned table
  friend bool operator==(const TableIdentity&, const TableIdentity&) = default;
};
/// None where there is no such table.
Result<std::optional<TableIdentity>> IdentifyTable(Connection& connection,
                                                   const std::string& qualified);

/// Keeps out all others who would make the table, until the end of the transaction.
Status LockTableName(Connection& connection, const TableName& table);

/// CREATE TABLE for a plain schema.
Result<std::string> CreateTableSql(const std::string& qualified, const arrow::Schema& schema);

/// The types of the table's columns in the schema's order. SchemaMismatch names every column that
/// the table lacks, that the data lacks, or whose type does not fit.
Result<std::vector<uint32_t>> MatchTable(const std::vector<TableColumn>& columns,
                                         const arrow::Schema& schema, const TableName& table);

/// Column by column: Arrow type, SQL type (that of the table, where it exists), what is checked.
Result<std::vector<ColumnPlan>> PlanColumns(const arrow::Schema& schema,
                                            const std::vector<TableColumn>& existing);

}  // namespace amp::postgresql
