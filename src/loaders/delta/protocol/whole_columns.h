#pragma once

#include <arrow/type_fwd.h>

#include <memory>

#include "amp/error.h"

/// Conversions that take a column as a whole: of values that all fit, whatever they are, and of
/// those that all fit usually.
namespace amp::delta {

using ArrayPtr = std::shared_ptr<arrow::Array>;

/// The bitmap without the array's offset; null where all are valid.
Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array);

/// The same bytes with offsets; they are not copied. NULL for an array that is too large for that.
Result<ArrayPtr> FixedToBinary(const arrow::FixedSizeBinaryArray& array, arrow::MemoryPool* pool);
/// As a decimal of scale 0 and enough digits.
Result<ArrayPtr> UnsignedToDecimal(const arrow::UInt64Array& array,
                                   const std::shared_ptr<arrow::DataType>& type,
                                   arrow::MemoryPool* pool);
/// NULL where some value is no whole microsecond.
Result<ArrayPtr> NanosToMicros(const arrow::TimestampArray& array,
                               const std::shared_ptr<arrow::DataType>& type,
                               arrow::MemoryPool* pool);

}  // namespace amp::delta
