#pragma once

#include <variant>

#include "loaders/postgresql/keyed_rows.h"

namespace amp::postgresql {

/// The rows of one transaction on their way into their table: by COPY alone, or by key.
class TableRows {
 public:
  /// SchemaMismatch where the table's columns do not fit.
  static Result<TableRows> Make(Connection& connection, const TablePlace& place, uint32_t table_id,
                                const std::vector<TableColumn>& columns, const WriteSpec& spec);

  Status Write(Connection& connection, std::optional<int64_t> batch_id,
               const arrow::RecordBatch& batch);
  /// After it all rows are in the table.
  Status Flush(Connection& connection);
  /// Leaves a COPY that is under way, without storing its rows.
  void Abort(Connection& connection);
  /// Null where rows do not go by key.
  const KeyedTarget* keyed() const;

 private:
  using Writer = std::variant<RowCopier, KeyedRows>;
  explicit TableRows(Writer writer) : writer_(std::move(writer)) {}

  Writer writer_;
};

}  // namespace amp::postgresql
