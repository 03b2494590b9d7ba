#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

namespace amp {

/// Rows as RenderJsonRows writes them back to Arrow; a nullable column that a row lacks is null in
/// it. Trusts nothing: DataInvalid for text that is not such a row.
class AMP_EXPORT JsonRowDecoder {
 public:
  static Result<JsonRowDecoder> Make(std::shared_ptr<arrow::Schema> schema);
  JsonRowDecoder(JsonRowDecoder&&) noexcept;
  ~JsonRowDecoder();

  Status Append(std::string_view row);
  /// All rows since the last call.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();

 private:
  explicit JsonRowDecoder(std::shared_ptr<arrow::Schema> schema);

  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  int64_t rows_ = 0;
};

}  // namespace amp
