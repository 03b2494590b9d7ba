#include "loaders/postgresql/key_index.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>

#include <algorithm>

#include "loaders/postgresql/table.h"

namespace amp::postgresql {
namespace {

Status BadKey(std::string message) {
  return MakeError(ErrorKind::kConfigInvalid, "loader 'postgresql': " + std::move(message));
}

int64_t FirstNull(const arrow::Array& column) {
  for (int64_t row = 0; row < column.length(); ++row) {
    if (column.IsNull(row)) return row;
  }
  return -1;
}

}  // namespace

bool IsKeyed(LoadMode mode) { return mode == LoadMode::kUpsert || mode == LoadMode::kMerge; }

Status CheckKey(LoadMode mode, const std::vector<std::string>& key) {
  if (!IsKeyed(mode)) {
    if (key.empty()) return Status::OK();
    return BadKey(
        fmt::format("there is no use for a key in mode '{}'; leave it out", ToString(mode)));
  }
  if (key.empty()) {
    return BadKey(
        fmt::format("mode '{}' needs a key; name its columns with --key", ToString(mode)));
  }
  std::vector<std::string> sorted = key;
  std::sort(sorted.begin(), sorted.end());
  const auto twice = std::adjacent_find(sorted.begin(), sorted.end());
  if (twice == sorted.end()) return Status::OK();
  return BadKey(fmt::format("column '{}' is in the key twice", *twice));
}

std::string QuotedList(const std::vector<std::string>& names, std::string_view prefix) {
  std::vector<std::string> quoted;
  for (const std::string& name : names) quoted.push_back(std::string(prefix) + QuoteName(name));
  return fmt::format("{}", fmt::join(quoted, ", "));
}

std::string KeyIndexSql(const std::string& qualified, const std::vector<std::string>& key) {
  return fmt::format("CREATE UNIQUE INDEX ON {} ({})", qualified, QuotedList(key));
}

Result<bool> HasKeyIndex(Connection& connection, const std::string& qualified,
                         const std::vector<std::string>& key) {
  std::vector<std::string> names;
  for (const std::string& name : key) names.push_back(connection.Literal(name));
  ARROW_ASSIGN_OR_RAISE(
      const Rows rows,
      connection.Query(
          fmt::format("SELECT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = to_regclass($1)"
                      " AND i.indisunique AND i.indisvalid AND i.indimmediate"
                      " AND i.indpred IS NULL AND i.indexprs IS NULL AND"
                      " (SELECT array_agg(a.attname ORDER BY a.attname) FROM pg_attribute a"
                      " WHERE a.attrelid = i.indrelid AND a.attnum ="
                      " ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])) ="
                      " (SELECT array_agg(k ORDER BY k) FROM unnest(ARRAY[{}]::name[]) k))",
                      fmt::join(names, ", ")),
          "looking for the key's index", {qualified}));
  return rows.flag(0, 0);
}

Status EnsureKeyIndex(Connection& connection, const std::string& qualified,
                      const std::vector<std::string>& key, bool create_key) {
  ARROW_ASSIGN_OR_RAISE(const bool there, HasKeyIndex(connection, qualified, key));
  if (there) return Status::OK();
  if (!create_key) {
    return BadKey(
        fmt::format("{} has no primary key or unique index on exactly ({}), and "
                    "create_key is off. Make it: {}",
                    qualified, fmt::join(key, ", "), KeyIndexSql(qualified, key)));
  }
  return connection.Execute(KeyIndexSql(qualified, key), "creating the key's index").status();
}

Status CheckNoNullKeys(const arrow::RecordBatch& batch, const std::vector<std::string>& key,
                       int64_t first_row) {
  for (const std::string& name : key) {
    const auto column = batch.GetColumnByName(name);
    if (column == nullptr || column->null_count() == 0) continue;
    const int64_t row = first_row + FirstNull(*column);
    return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget, .row = row},
                     fmt::format("column '{}', row {} of the load: NULL in a key; fill it in the "
                                 "source, or leave such rows out with --where",
                                 name, row));
  }
  return Status::OK();
}

}  // namespace amp::postgresql
