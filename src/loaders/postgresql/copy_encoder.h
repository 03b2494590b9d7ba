#pragma once

#include <arrow/type_fwd.h>

#include <span>
#include <vector>

#include "core/row_encoder.h"

/// Record batches to the bytes of COPY … FROM STDIN (FORMAT binary).
namespace amp::postgresql {

/// "PGCOPY\n\377\r\n\0", int32 flags, int32 length of an extension.
AMP_EXPORT std::span<const uint8_t> CopyHeader();
/// An int16 of -1 in place of a row's count of columns.
AMP_EXPORT std::span<const uint8_t> CopyTrailer();

/// `oids` are the types of the table's columns, in the schema's order. The schema is plain (see
/// PlainSchema). SchemaMismatch names the column that does not fit.
AMP_EXPORT Result<RowEncoder> MakeCopyEncoder(const arrow::Schema& schema,
                                              const std::vector<uint32_t>& oids);

}  // namespace amp::postgresql
