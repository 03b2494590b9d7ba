#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "amp/error.h"
#include "amp/export.h"
#include "amp/stream.h"

/// The columns that a stream adds to its rows.
namespace amp {

/// The schema with `_amp_batch_id` and, where asked for, `_amp_block_ranges`. SchemaMismatch for a
/// schema that has a column of such a name already.
AMP_EXPORT Result<std::shared_ptr<arrow::Schema>> WithStreamColumns(const arrow::Schema& schema,
                                                                    bool block_ranges);

/// The batch with those columns filled; `schema` is what WithStreamColumns gave.
Result<std::shared_ptr<arrow::RecordBatch>> AddStreamColumns(
    const arrow::RecordBatch& batch, const std::shared_ptr<arrow::Schema>& schema,
    const BatchRecord& record);

}  // namespace amp
