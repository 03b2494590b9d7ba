#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "loaders/postgresql/connection.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {

/// A table's rows as Arrow, by COPY … TO STDOUT (FORMAT binary). Types without an Arrow
/// counterpart come as text. Negative limit: all rows. The reader keeps the connection.
Result<std::shared_ptr<arrow::RecordBatchReader>> ReadByCopy(
    ConnectionPool::Lease connection, const std::string& qualified,
    const std::vector<TableColumn>& columns, int64_t limit);

}  // namespace amp::postgresql
