#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>

#include "amp/export.h"

namespace amp {

/// Bytes of Arrow data that the batch refers to: of slices, only their part. As
/// `arrow::util::ReferencedBufferSize`, but without the arrays that builds for each call, which
/// cost more than encoding a small batch; bytes that several columns share count for each of them.
AMP_EXPORT int64_t BytesOf(const arrow::RecordBatch& batch);
/// The same of one column.
AMP_EXPORT int64_t BytesOf(const arrow::ArrayData& column);

}  // namespace amp
