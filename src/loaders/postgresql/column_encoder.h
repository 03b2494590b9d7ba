#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "amp/error.h"

namespace amp::postgresql {

/// Encodes one column for COPY BINARY, a run of rows at a time: first the sizes of all cells, then
/// all cells, each to where its row has come. So the loops over rows know their type, and there is
/// one virtual call a column and run.
///
/// A cell is an int32 length and as many bytes; a null is the length -1 alone.
/// https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"
class ColumnEncoder {
 public:
  virtual ~ColumnEncoder() = default;

  /// Takes rows [start, start + count) of `column` in hand and adds each cell's size to `sizes`.
  /// Errors: DataInvalid for a value that PostgreSQL cannot hold, saying its row (in `column`) and
  /// value. The column must live until Write.
  virtual Status Measure(const arrow::Array& column, int64_t start, int64_t count,
                         uint32_t* sizes) = 0;

  /// Writes the measured cells, cell i to cursors[i], and moves the cursors on.
  virtual void Write(uint8_t** cursors) = 0;
};

/// An encoder of `type` for a column of PostgreSQL type `oid`; SchemaMismatch where the column
/// cannot take such values without changing them.
Result<std::unique_ptr<ColumnEncoder>> MakeColumnEncoder(const arrow::DataType& type,
                                                         uint32_t oid);

/// A value that does not fit. Its row is in the error's info; the encoder of whole rows adds the
/// column's name and counts the row within the load.
Status ValueError(int64_t row, std::string why);

}  // namespace amp::postgresql
