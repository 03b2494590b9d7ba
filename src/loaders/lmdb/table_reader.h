#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "loaders/lmdb/environment.h"
#include "loaders/lmdb/table_format.h"

namespace amp::lmdb {

/// A table's rows in the order of their keys, as of now: what is written meanwhile is not seen.
/// Negative limit: all rows.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadRows(Txn txn, MDB_dbi dbi,
                                                           const TableFormat& format,
                                                           int64_t limit);

}  // namespace amp::lmdb
