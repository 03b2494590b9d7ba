#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string_view>

#include "core/row_encoder.h"
#include "loaders/lmdb/lmdb_config.h"

namespace amp::lmdb {

/// Rows to values.
class ValueWriter {
 public:
  virtual ~ValueWriter() = default;
  /// Gives the batch's rows to `sink`, in order, some at a time.
  virtual Status Write(const arrow::RecordBatch& batch, int64_t first_row,
                       const RowEncoder::Sink& sink) = 0;
};

/// Values back to rows.
class ValueReader {
 public:
  virtual ~ValueReader() = default;
  virtual Status Append(std::string_view value) = 0;
  /// All rows since the last call.
  virtual Result<std::shared_ptr<arrow::RecordBatch>> Finish() = 0;
};

/// The schema is plain (see PlainSchema). Unsupported for types that the format cannot hold.
Result<std::unique_ptr<ValueWriter>> MakeValueWriter(LmdbValueFormat format,
                                                     const arrow::Schema& schema);
Result<std::unique_ptr<ValueReader>> MakeValueReader(LmdbValueFormat format,
                                                     std::shared_ptr<arrow::Schema> schema);

}  // namespace amp::lmdb
