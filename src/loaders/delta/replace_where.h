#pragma once

#include <arrow/compute/expression.h>
#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>

#include "amp/error.h"
#include "loaders/delta/protocol/actions.h"

namespace amp::delta {

/// Which partitions an OVERWRITE replaces: those that fit an expression over partition columns, or
/// all where there is none.
class ReplaceWhere {
 public:
  static Result<ReplaceWhere> Parse(const std::string& text, const Metadata& metadata);

  Result<bool> Fits(const NullableMap& partition_values) const;
  /// DataInvalid for rows of a partition that is not replaced.
  Status CheckNew(const Add& add) const;

 private:
  std::string text_;
  std::shared_ptr<arrow::Schema> columns_;
  std::optional<arrow::compute::Expression> expression_;
};

}  // namespace amp::delta
