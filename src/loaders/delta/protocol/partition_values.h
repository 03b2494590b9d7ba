#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

/// Values of partition columns as text, and batches cut by them. Source: PROTOCOL.md, "Partition
/// Value Serialization".
namespace amp::delta {

/// A value of a column of the written schema; none for null. Timestamps are ISO 8601 in UTC.
/// DataInvalid for what no reader gets back: empty text or bytes (they would be null), bytes that
/// are not ASCII, and years beyond 0001 to 9999.
AMP_EXPORT Result<std::optional<std::string>> PartitionValue(const arrow::Array& column,
                                                             int64_t row);

/// The value back, as an array of one element of a Delta column's type; for reading.
AMP_EXPORT Result<std::shared_ptr<arrow::Array>> ParsePartitionValue(
    const std::optional<std::string>& text, const std::shared_ptr<arrow::DataType>& type);

/// Refuses partition columns that are not in the schema, are named twice, are nested, or are all
/// columns there are.
AMP_EXPORT Status CheckPartitionColumns(const arrow::Schema& schema, const Strings& columns);

/// The rows of a batch that go into the same file.
struct PartitionPiece {
  NullableMap values;
  std::shared_ptr<arrow::RecordBatch> rows;  ///< without the partition columns
};

/// The batch by the values of its partition columns, in one pass: pieces in the order of their
/// first rows, rows in the order they have. Without partition columns it is one piece.
AMP_EXPORT Result<std::vector<PartitionPiece>> SplitByPartition(
    const std::shared_ptr<arrow::RecordBatch>& batch, const Strings& columns);

}  // namespace amp::delta
