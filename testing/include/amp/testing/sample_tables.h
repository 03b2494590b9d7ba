#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>
#include <string>

#include "amp/error.h"

namespace amp::testing {

/// Small rows of mixed types: id int64, name text, value double, active bool, at timestamp[us,
/// UTC], payload binary. Row i has id `first + i` and name "row <id>".
std::shared_ptr<arrow::RecordBatch> SampleBatch(int64_t rows, int64_t first = 0);

/// The same, with a null in every column but id: in the first in row 1, in the second in row 2, ….
std::shared_ptr<arrow::RecordBatch> SampleBatchWithNulls();

/// A table of sample rows in chunks of `chunk` rows.
std::shared_ptr<arrow::Table> SampleTable(int64_t rows, int64_t chunk);

/// A batch from JSON rows: [{"a":1}, …].
Result<std::shared_ptr<arrow::RecordBatch>> BatchFromJson(
    const std::shared_ptr<arrow::Schema>& schema, const std::string& json);

/// One column of every type that is plain (see PlainSchema in the sources), with ordinary values,
/// smallest and largest ones, empty ones and nulls; four rows. Times are whole microseconds.
std::shared_ptr<arrow::RecordBatch> AllTypesBatch();

}  // namespace amp::testing
