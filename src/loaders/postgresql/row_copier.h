#pragma once

#include <string>
#include <vector>

#include "loaders/postgresql/connection.h"
#include "loaders/postgresql/copy_encoder.h"

namespace amp::postgresql {

/// Copies batches into a table: one COPY is open from the first Write until End.
class RowCopier {
 public:
  /// `qualified` is the table, `schema` the plain schema of the batches, `oids` the types of the
  /// table's columns in its order.
  static Result<RowCopier> Make(const std::string& qualified, std::shared_ptr<arrow::Schema> schema,
                                const std::vector<uint32_t>& oids);

  Status Write(Connection& connection, const arrow::RecordBatch& batch);
  Status End(Connection& connection);
  /// Leaves a COPY without storing its rows.
  void Abort(Connection& connection);

 private:
  RowCopier(std::string copy_sql, std::shared_ptr<arrow::Schema> schema, RowEncoder encoder)
      : copy_sql_(std::move(copy_sql)), schema_(std::move(schema)), encoder_(std::move(encoder)) {}
  Status Start(Connection& connection);

  std::string copy_sql_;
  std::shared_ptr<arrow::Schema> schema_;
  RowEncoder encoder_;
  int64_t rows_ = 0;
  bool copying_ = false;
};

}  // namespace amp::postgresql
