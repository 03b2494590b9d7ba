#pragma once

#include <arrow/compute/expression.h>
#include <arrow/type_fwd.h>

#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

namespace amp {

/// A `--where` expression over the columns of a schema.
struct Where {
  arrow::compute::Expression expression;  ///< not bound yet; literals have their column's type
  std::vector<std::string> columns;       ///< that it mentions
};

/// `column op literal` joined by AND; ops = != < <= > >= IN (…), IS NULL, IS NOT NULL. A column
/// name with other characters than letters, digits and _ is written "in quotes"; a literal is a
/// number, 'text', true, false, a time in quotes, or 0x hex for binary columns.
/// ConfigInvalid says where the text goes wrong.
AMP_EXPORT Result<Where> ParseWhere(std::string_view text, const arrow::Schema& schema);

}  // namespace amp
