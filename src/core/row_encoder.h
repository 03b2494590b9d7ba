#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

/// Columns to rows of bytes, for targets that take rows.
///
/// The work is done a column at a time over a run of rows: every column says how large each of its
/// cells is, then every column writes its cells, each to where its row has come. So the loops over
/// rows know their type, and there is one virtual call a column and run.
namespace amp {

/// Encodes one column.
class ColumnEncoder {
 public:
  virtual ~ColumnEncoder() = default;

  /// Takes rows [start, start + count) of `column` in hand and adds each cell's size to `sizes`.
  /// DataInvalid for a value that the format cannot hold: see ValueError. The column must live
  /// until Write.
  virtual Status Measure(const arrow::Array& column, int64_t start, int64_t count,
                         uint32_t* sizes) = 0;

  /// Writes the measured cells, cell i to cursors[i], and moves the cursors on.
  virtual void Write(uint8_t** cursors) = 0;
};

/// A value that does not fit. Its row is in the error's info; the encoder of whole rows adds the
/// column's name and counts the row within the load.
Status ValueError(int64_t row, std::string why);

/// Rows, one after the other.
struct EncodedRows {
  std::span<const uint8_t> bytes;
  std::span<const uint32_t> sizes;
};

/// Encodes whole rows: `prefix`, then the cells of all columns.
class AMP_EXPORT RowEncoder {
 public:
  using Sink = std::function<Status(const EncodedRows&)>;

  RowEncoder(std::vector<uint8_t> prefix, std::vector<std::string> names,
             std::vector<std::unique_ptr<ColumnEncoder>> columns);

  /// Gives the batch's rows to `sink` in pieces of about `kPieceBytes`. The batch has a column for
  /// each encoder. `first_row` is the batch's place in the load, for messages.
  Status Encode(const arrow::RecordBatch& batch, int64_t first_row, const Sink& sink);

 private:
  // Small enough for a processor's second cache, large enough to make few system calls.
  static constexpr int64_t kPieceBytes = 256 << 10;

  Status EncodeHalves(const arrow::RecordBatch& batch, int64_t first_row, const Sink& sink);
  int64_t RowsPerPiece(const arrow::RecordBatch& batch) const;
  Status Measure(const arrow::RecordBatch& batch, int64_t start, int64_t count, int64_t first_row);
  std::span<const uint8_t> Write();

  std::vector<uint8_t> prefix_;
  std::vector<std::string> names_;
  std::vector<std::unique_ptr<ColumnEncoder>> columns_;
  std::vector<uint32_t> sizes_;
  std::vector<uint8_t*> cursors_;
  std::vector<uint8_t> piece_;
};

}  // namespace amp
