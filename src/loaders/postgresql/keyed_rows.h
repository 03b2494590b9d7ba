#pragma once

#include <optional>

#include "loaders/postgresql/keyed_sql.h"
#include "loaders/postgresql/row_copier.h"

namespace amp::postgresql {

/// Writes rows by key: copies them into a temporary table, and brings them from there into the
/// target. Batches of a stream are brought over one by one, as each has images of its own.
class KeyedRows {
 public:
  /// Makes the temporary table where the connection has none. `oids` are the types of the target's
  /// columns in the schema's order.
  static Result<KeyedRows> Make(Connection& connection, KeyedTarget target,
                                const std::vector<uint32_t>& oids);

  Status Write(Connection& connection, std::optional<int64_t> batch_id,
               const arrow::RecordBatch& batch);
  /// Brings all rows over.
  Status Flush(Connection& connection);
  void Abort(Connection& connection) { rows_.Abort(connection); }

  const KeyedTarget& target() const { return target_; }

 private:
  KeyedRows(KeyedTarget target, RowCopier rows)
      : target_(std::move(target)), rows_(std::move(rows)) {}
  Status BringOver(Connection& connection);
  Status EmptyStage(Connection& connection);

  KeyedTarget target_;
  RowCopier rows_;
  std::optional<int64_t> batch_id_;
  int64_t first_row_ = 0;  ///< the first that was not brought over
  int64_t next_row_ = 0;
  int64_t stale_rows_ = 0;  ///< in the temporary table, and brought over
};

}  // namespace amp::postgresql
