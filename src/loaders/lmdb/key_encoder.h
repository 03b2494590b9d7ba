#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "amp/export.h"
#include "core/json_text.h"
#include "loaders/lmdb/table_format.h"

namespace amp::lmdb {

/// LMDB's limit, as Debian builds it.
inline constexpr size_t kMaxKeyBytes = 511;

/// Makes the keys of a batch's rows.
class KeyEncoder {
 public:
  virtual ~KeyEncoder() = default;
  /// One key a row. `first_row` is the batch's place in the load, for messages. Errors:
  /// DataInvalid, for a null in a key or one that is too long.
  virtual Result<TextColumn> Encode(const arrow::RecordBatch& batch, int64_t first_row) = 0;
};

/// Binary keys from columns, which compare (byte by byte) as the columns' values do, one column
/// after the other: unsigned integers big-endian; signed integers and times the same, the sign bit
/// flipped; booleans one byte; decimals as signed integers of their width; text and binary as they
/// are, and where another column follows with 0x00 written as 00 FF and ended by 00 00; fixed-size
/// binary as it is.
///
/// Errors: ConfigInvalid for an unknown column, Unsupported for a type that cannot be in a key.
AMP_EXPORT Result<std::unique_ptr<KeyEncoder>> MakeColumnKeys(
    const arrow::Schema& schema, const std::vector<std::string>& columns);

/// Text keys from a pattern: {table} is the table's name, {column} a value as text: numbers in
/// decimal, binary as hex without 0x, times as RFC 3339. {{ and }} stand for braces.
AMP_EXPORT Result<std::unique_ptr<KeyEncoder>> MakePatternKeys(const arrow::Schema& schema,
                                                               const std::string& pattern,
                                                               const std::string& table);

/// Row numbers, 8 bytes big-endian, from `next` on.
AMP_EXPORT std::unique_ptr<KeyEncoder> MakeRowNumberKeys(uint64_t next);

/// The keys that a table's format asks for; `next` is the first row number, where it has those.
Result<std::unique_ptr<KeyEncoder>> MakeKeys(const TableFormat& format, const std::string& table,
                                             uint64_t next);

}  // namespace amp::lmdb
