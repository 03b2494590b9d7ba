#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

/// A table's schema: JSON in the log, Arrow here. Source: PROTOCOL.md, "Schema Serialization
/// Format".
///
/// Each Delta type is one Arrow type: byte … long are int8 … int64, float, double, boolean,
/// decimal(p,s) is decimal128, string utf8, binary, date date32, timestamp timestamp[us, UTC],
/// timestamp_ntz timestamp[us], array list, struct, map. Large texts, bytes and lists are written
/// as the plain ones.
namespace amp::delta {

/// Key of an Arrow field's metadata that holds the Delta metadata of the column as JSON.
inline constexpr std::string_view kColumnMetadata = "delta.metadata";

/// Protocol error for text that is no schema; Unsupported, naming the column, for other types.
AMP_EXPORT Result<std::shared_ptr<arrow::Schema>> SchemaFromJson(std::string_view json);

/// Unsupported, naming the column, for types that are none of Delta's; SchemaMismatch for names
/// that differ in case only. Arrow metadata "comment" becomes the column's comment.
AMP_EXPORT Result<std::string> SchemaToJson(const arrow::Schema& schema);

/// For people: "long", "decimal(20,0)", "array<string>", "struct<a:long,b:string>".
AMP_EXPORT std::string DeltaTypeName(const arrow::DataType& type);

/// Has any column, also inside others, the type timestamp_ntz?
AMP_EXPORT bool UsesTimestampNtz(const arrow::Schema& schema);

/// The first column whose metadata has this key, such as "delta.invariants"; as "a.b" where it is
/// inside another.
AMP_EXPORT std::optional<std::string> ColumnWith(const arrow::Schema& schema, std::string_view key);

/// The names that columns have in data files, statistics and partition values: the physical ones
/// of `delta.columnMapping.mode` "name" and "id" (then with PARQUET:field_id), else the schema as
/// it is.
AMP_EXPORT Result<std::shared_ptr<arrow::Schema>> PhysicalSchema(const arrow::Schema& schema,
                                                                 const Metadata& metadata);
/// The physical name of one top-level column.
AMP_EXPORT std::string PhysicalName(const arrow::Field& field, const Metadata& metadata);

}  // namespace amp::delta
