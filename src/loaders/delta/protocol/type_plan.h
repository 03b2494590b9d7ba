#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

/// Arrow types → Delta types. What Delta has no type for is refused up front, by column, unless an
/// option says how to keep it.
namespace amp::delta {

/// time32, time64, duration and intervals, of which Delta has none.
enum class OnTime {
  kRefuse,
  kNumber,  ///< long, counting the column's own unit; not for intervals
  kText,    ///< string: RFC 3339 and ISO 8601 with all digits
};
/// Decimals of over 38 digits.
enum class OnWideDecimal { kRefuse, kText };
/// A value that its column's type cannot hold: nanoseconds that are no whole microseconds.
enum class OnLossy {
  kError,
  kNull,
  kTruncate,  ///< towards the past; a value that is out of range is still an error
};

struct TypeOptions {
  OnTime on_time = OnTime::kRefuse;
  OnWideDecimal on_wide_decimal = OnWideDecimal::kRefuse;
  OnLossy on_lossy = OnLossy::kError;
};

/// How one column will lie in the table.
struct ColumnType {
  std::string name;
  std::string source_type;
  std::string delta_type;  ///< as `DeltaTypeName`
  std::string note;        ///< what is checked or changed; empty where each value is held exactly
};

/// How batches of one schema become rows of the table.
struct SchemaPlan {
  std::shared_ptr<arrow::Schema> source;   ///< what comes in
  std::shared_ptr<arrow::Schema> plain;    ///< without dictionaries, runs, views, extensions
  std::shared_ptr<arrow::Schema> written;  ///< what goes into Parquet, and `SchemaToJson`
  std::vector<ColumnType> columns;
  TypeOptions options;
};

/// For a new table. Unsupported names the column, its type and what to set instead.
AMP_EXPORT Result<SchemaPlan> PlanColumns(const arrow::Schema& source, const TypeOptions& options);

/// For a table that is there: `written` has the table's columns in its order; values are widened
/// where that is exact (short → long, float → double, decimals). SchemaMismatch names every column
/// that is missing, new, or of another type.
AMP_EXPORT Result<SchemaPlan> PlanColumnsFor(const arrow::Schema& table,
                                             const arrow::Schema& source,
                                             const TypeOptions& options);

}  // namespace amp::delta
