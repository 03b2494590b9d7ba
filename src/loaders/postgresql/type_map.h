#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <string>

#include "amp/error.h"
#include "amp/export.h"

namespace amp::postgresql {

/// Object identifiers of PostgreSQL's own types. From src/include/catalog/pg_type.dat, where they
/// are fixed for good.
namespace oid {
inline constexpr uint32_t kBool = 16, kBytea = 17, kInt8 = 20, kInt2 = 21, kInt4 = 23, kText = 25,
                          kJson = 114, kFloat4 = 700, kFloat8 = 701, kBpchar = 1042,
                          kVarchar = 1043, kDate = 1082, kTime = 1083, kTimestamp = 1114,
                          kTimestamptz = 1184, kInterval = 1186, kNumeric = 1700, kUuid = 2950,
                          kJsonb = 3802;
}  // namespace oid

/// The PostgreSQL type that a new table gets for an Arrow type.
struct PgType {
  uint32_t oid;
  uint32_t array_oid;  ///< of arrays of it
  std::string sql;     ///< as in CREATE TABLE
  std::string note;    ///< what is checked value by value; empty where every value is held exactly
};

/// Errors: Unsupported, for types that have no place in PostgreSQL.
AMP_EXPORT Result<PgType> TypeFor(const arrow::DataType& type);

/// Whether a list becomes an array (else it becomes jsonb): its elements are scalars.
AMP_EXPORT bool IsArrayType(const arrow::DataType& type);

/// The element type of an array type; 0 for other types.
AMP_EXPORT uint32_t ElementOid(uint32_t array_oid);

}  // namespace amp::postgresql
