#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "core/row_encoder.h"

namespace amp::msgpack {

/// An encoder of rows as MessagePack arrays, one element a column, in the schema's order:
/// null → nil; integers → the shortest form; half and single → float 32, double → float 64;
/// text → str; binary → bin; decimals → str, as written in full; dates, times, timestamps and
/// durations → integers in the column's unit; month intervals → integer; other intervals → arrays
/// of [days, milliseconds] or [months, days, nanoseconds]; lists and structs → arrays; maps → maps.
/// https://github.com/msgpack/msgpack/blob/master/spec.md
///
/// The schema is plain (see PlainSchema). Unsupported for types that have no form.
AMP_EXPORT Result<RowEncoder> MakeRowEncoder(const arrow::Schema& schema);

}  // namespace amp::msgpack
