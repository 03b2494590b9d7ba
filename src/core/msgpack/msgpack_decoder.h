#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

namespace amp::msgpack {

/// Rows as MakeRowEncoder writes them back to Arrow; nullable columns at the end that a row lacks
/// are null in it. Trusts nothing: DataInvalid for bytes that are not such a row.
class AMP_EXPORT RowDecoder {
 public:
  static Result<RowDecoder> Make(std::shared_ptr<arrow::Schema> schema);
  RowDecoder(RowDecoder&&) noexcept;
  ~RowDecoder();

  Status Append(std::string_view row);
  /// All rows since the last call.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();

 private:
  explicit RowDecoder(std::shared_ptr<arrow::Schema> schema);

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  int64_t rows_ = 0;
};

}  // namespace amp::msgpack
