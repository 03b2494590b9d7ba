#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "loaders/postgresql/column_encoder.h"

namespace amp::postgresql {

/// Record batches to the bytes of COPY … FROM STDIN (FORMAT binary).
class CopyEncoder {
 public:
  using Sink = std::function<Status(std::span<const uint8_t>)>;

  /// "PGCOPY\n\377\r\n\0", int32 flags, int32 length of an extension.
  static std::span<const uint8_t> Header();
  /// An int16 of -1 in place of a row's count of columns.
  static std::span<const uint8_t> Trailer();

  /// `oids` are the types of the table's columns, in the schema's order. The schema is plain (see
  /// PlainSchema). SchemaMismatch names the column that does not fit.
  static Result<CopyEncoder> Make(const arrow::Schema& schema, const std::vector<uint32_t>& oids);

  /// Encodes a batch and gives it to `sink` in pieces of about `kPieceBytes`. `first_row` is the
  /// batch's place in the load, for messages.
  Status Encode(const arrow::RecordBatch& batch, int64_t first_row, const Sink& sink);

 private:
  // Small enough for a processor's second cache, large enough to make few system calls.
  static constexpr size_t kPieceBytes = 256 << 10;

  int64_t RowsPerPiece(const arrow::RecordBatch& batch) const;
  Status MeasureRun(const arrow::RecordBatch& batch, int64_t start, int64_t count,
                    int64_t first_row);
  std::span<const uint8_t> WriteRun(int64_t count);

  std::vector<std::string> names_;
  std::vector<std::unique_ptr<ColumnEncoder>> columns_;
  std::vector<uint32_t> sizes_;
  std::vector<uint8_t*> cursors_;
  std::vector<uint8_t> piece_;
};

}  // namespace amp::postgresql
