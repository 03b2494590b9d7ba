#pragma once

#include <arrow/io/interfaces.h>

#include <memory>

#include "amp/export.h"
#include "storage/object_store.h"

namespace amp::storage {

/// A new object as Arrow's and Parquet's writers want to write it; small pieces are gathered. The
/// object is closed with the stream, and aborted where the stream is dropped before.
AMP_EXPORT std::shared_ptr<arrow::io::OutputStream> AsOutputStream(
    std::unique_ptr<OutputObject> object);

}  // namespace amp::storage
