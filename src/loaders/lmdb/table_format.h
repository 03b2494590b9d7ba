#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/load_result.h"
#include "loaders/lmdb/environment.h"
#include "loaders/lmdb/lmdb_config.h"

namespace amp::lmdb {

/// The named database in which every table of Ampload has a description under its name.
inline constexpr const char* kTablesDatabase = "_amp_tables";

/// How a table's keys are made.
struct KeySpec {
  std::vector<std::string> columns;  ///< empty: a growing row number, unless there is a pattern
  std::string pattern;
  friend bool operator==(const KeySpec&, const KeySpec&) = default;
};

/// What is known of a table; stored as JSON: {"version":1, "schema": an Arrow IPC schema message in
/// base64, "key_columns":[…], "key_pattern":"…", "value_format":"msgpack", "id":"…"}.
struct TableFormat {
  std::shared_ptr<arrow::Schema> schema;
  KeySpec key;
  LmdbValueFormat value_format = LmdbValueFormat::kMsgpack;
  /// Tells the table from others that have had its name; empty in tables of the first version.
  std::string id = {};
};

/// None where there is no such table.
Result<std::optional<TableFormat>> ReadTableFormat(const Txn& txn, MDB_dbi tables,
                                                   const std::string& table);
Status WriteTableFormat(const Txn& txn, MDB_dbi tables, const std::string& table,
                        const TableFormat& format);

/// AlreadyExists where a named database without a description holds entries.
Status CheckEmpty(const Txn& txn, MDB_dbi rows, const std::string& table);

/// 16 random hex digits.
std::string NewTableId();

/// What a load asks of a table.
struct TableRequest {
  const std::string& table;
  const std::shared_ptr<arrow::Schema>& schema;  ///< plain
  const LMDBConfig& config;
  const std::vector<std::string>& key;  ///< as the load says it; may be empty
  LoadMode mode;
};

/// The format that the table has or, where it is new (`known` is none), will have. SchemaMismatch
/// where the table has another one, ConfigInvalid where the request contradicts itself.
Result<TableFormat> ChooseFormat(const TableRequest& request,
                                 const std::optional<TableFormat>& known);

/// For each column of the table its place in the data; -1 where the data need not have it, being
/// nullable and a stream's own or, when rows are merged, outside of the key. SchemaMismatch where
/// other columns differ.
Result<std::vector<int>> PlaceColumns(const TableFormat& format, const arrow::Schema& incoming,
                                      const std::string& table, LoadMode mode);

/// The table's columns in its order, null where `places` has none.
Result<std::shared_ptr<arrow::RecordBatch>> Arrange(const arrow::RecordBatch& batch,
                                                    const arrow::Schema& schema,
                                                    const std::vector<int>& places);

}  // namespace amp::lmdb
