#pragma once

#include <arrow/memory_pool.h>
#include <arrow/type_fwd.h>

#include <memory>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/type_plan.h"

namespace amp::delta {

/// The batch in the plan's `written` schema, with the columns in its order. Values are exact, or
/// what `on_lossy` makes of them; DataInvalid names column, row and value where one does not fit,
/// and for a null where none may be. Columns that are fine as they are, are not copied.
AMP_EXPORT Result<std::shared_ptr<arrow::RecordBatch>> ConvertBatch(
    const arrow::RecordBatch& batch, const SchemaPlan& plan,
    arrow::MemoryPool* pool = arrow::default_memory_pool());

}  // namespace amp::delta
