#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "core/row_encoder.h"

namespace amp::postgresql {

/// An encoder for COPY BINARY of values of `type` into a column of PostgreSQL type `oid`;
/// SchemaMismatch where the column cannot take such values without changing them.
///
/// A cell is an int32 length and as many bytes; a null is the length -1 alone.
/// https://www.postgresql.org/docs/current/sql-copy.html, "Binary Format"
Result<std::unique_ptr<ColumnEncoder>> MakeColumnEncoder(const arrow::DataType& type, uint32_t oid);

}  // namespace amp::postgresql
