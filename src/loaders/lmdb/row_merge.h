#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "core/json_text.h"
#include "loaders/lmdb/environment.h"
#include "loaders/lmdb/table_format.h"

namespace amp::lmdb {

/// Rows in the order of the table's columns, and their keys.
struct KeyedRows {
  std::shared_ptr<arrow::RecordBatch> batch;
  TextColumn keys;
};

/// Completes rows that lack columns of the table with those of the rows that are there.
class RowMerge {
 public:
  /// `places` are those of the table's columns in the data; -1: the data lacks it.
  RowMerge(const Txn* txn, MDB_dbi rows, const TableFormat& format, const std::vector<int>& places);

  /// Of rows with the same key only the last is kept, as it brings the same columns. Columns that
  /// the data lacks become those of the row that lies under the key, null where there is none.
  Result<KeyedRows> Complete(KeyedRows rows) const;

 private:
  struct Stored {
    std::shared_ptr<arrow::RecordBatch> batch;
    std::shared_ptr<arrow::Array> places;  ///< of each row's in `batch`, null where there is none
  };
  Result<Stored> ReadStored(const TextColumn& keys) const;

  const Txn* txn_;
  MDB_dbi rows_;
  LmdbValueFormat value_format_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<int> missing_;  ///< columns of the table
};

}  // namespace amp::lmdb
