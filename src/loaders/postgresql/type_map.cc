#include "loaders/postgresql/type_map.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <array>

namespace amp::postgresql {
namespace {

struct KnownType {
  uint32_t oid;
  uint32_t array_oid;
  std::string_view sql;
};

constexpr std::array<KnownType, 19> kTypes{{{oid::kBool, 1000, "boolean"},
                                            {oid::kBytea, 1001, "bytea"},
                                            {oid::kInt8, 1016, "bigint"},
                                            {oid::kInt2, 1005, "smallint"},
                                            {oid::kInt4, 1007, "integer"},
                                            {oid::kText, 1009, "text"},
                                            {oid::kJson, 199, "json"},
                                            {oid::kFloat4, 1021, "real"},
                                            {oid::kFloat8, 1022, "double precision"},
                                            {oid::kBpchar, 1014, "character"},
                                            {oid::kVarchar, 1015, "character varying"},
                                            {oid::kDate, 1182, "date"},
                                            {oid::kTime, 1183, "time without time zone"},
                                            {oid::kTimestamp, 1115, "timestamp without time zone"},
                                            {oid::kTimestamptz, 1185, "timestamp with time zone"},
                                            {oid::kInterval, 1187, "interval"},
                                            {oid::kNumeric, 1231, "numeric"},
                                            {oid::kUuid, 2951, "uuid"},
                                            {oid::kJsonb, 3807, "jsonb"}}};

PgType Known(uint32_t oid, std::string_view note = {}) {
  for (const KnownType& type : kTypes) {
    if (type.oid == oid) {
      return {oid, type.array_oid, std::string(type.sql), std::string(note)};
    }
  }
  return {};
}

constexpr std::string_view kNoZero = "checked: no 0x00 in text";
constexpr std::string_view kMicroseconds = "checked: whole microseconds";

std::string_view TimeNote(arrow::TimeUnit::type unit) {
  return unit == arrow::TimeUnit::NANO ? kMicroseconds : "";
}

PgType NumericType(int precision, int scale) {
  PgType type = Known(oid::kNumeric);
  type.sql = fmt::format("numeric({},{})", precision, scale);
  return type;
}

Result<PgType> ListType(const arrow::DataType& type) {
  if (!IsArrayType(type)) return Known(oid::kJsonb, "as JSON; checked: no 0x00 in text");
  ARROW_ASSIGN_OR_RAISE(PgType element, TypeFor(*type.field(0)->type()));
  return PgType{element.array_oid, 0, element.sql + "[]", element.note};
}

}  // namespace

bool IsArrayType(const arrow::DataType& type) {
  const bool is_list = type.id() == arrow::Type::LIST || type.id() == arrow::Type::LARGE_LIST ||
                       type.id() == arrow::Type::FIXED_SIZE_LIST;
  return is_list && type.field(0)->type()->num_fields() == 0 &&
         type.field(0)->type()->id() != arrow::Type::STRUCT;
}

uint32_t ElementOid(uint32_t array_oid) {
  for (const KnownType& type : kTypes) {
    if (type.array_oid == array_oid) return type.oid;
  }
  return 0;
}

Result<PgType> TypeFor(const arrow::DataType& type) {
  using Id = arrow::Type;
  switch (type.id()) {
    case Id::BOOL:
      return Known(oid::kBool);
    case Id::INT8:
    case Id::UINT8:
    case Id::INT16:
      return Known(oid::kInt2);
    case Id::UINT16:
    case Id::INT32:
      return Known(oid::kInt4);
    case Id::UINT32:
    case Id::INT64:
      return Known(oid::kInt8);
    case Id::UINT64:
      return NumericType(20, 0);
    case Id::HALF_FLOAT:
    case Id::FLOAT:
      return Known(oid::kFloat4);
    case Id::DOUBLE:
      return Known(oid::kFloat8);
    case Id::DECIMAL32:
    case Id::DECIMAL64:
    case Id::DECIMAL128:
    case Id::DECIMAL256: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return NumericType(decimal.precision(), decimal.scale());
    }
    case Id::STRING:
    case Id::LARGE_STRING:
      return Known(oid::kText, kNoZero);
    case Id::NA:
      return Known(oid::kText);
    case Id::BINARY:
    case Id::LARGE_BINARY:
    case Id::FIXED_SIZE_BINARY:
      return Known(oid::kBytea);
    case Id::DATE32:
      return Known(oid::kDate, "checked: 4713 BC to 5874897 AD");
    case Id::DATE64:
      return Known(oid::kDate, "checked: whole days");
    case Id::TIME32:
    case Id::TIME64:
      return Known(oid::kTime, TimeNote(static_cast<const arrow::TimeType&>(type).unit()));
    case Id::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      return Known(timestamp.timezone().empty() ? oid::kTimestamp : oid::kTimestamptz,
                   timestamp.unit() == arrow::TimeUnit::NANO ? kMicroseconds
                                                             : "checked: 4713 BC to 294276 AD");
    }
    case Id::DURATION:
      return Known(oid::kInterval, TimeNote(static_cast<const arrow::DurationType&>(type).unit()));
    case Id::INTERVAL_MONTHS:
    case Id::INTERVAL_DAY_TIME:
      return Known(oid::kInterval);
    case Id::INTERVAL_MONTH_DAY_NANO:
      return Known(oid::kInterval, kMicroseconds);
    case Id::LIST:
    case Id::LARGE_LIST:
    case Id::FIXED_SIZE_LIST:
      return ListType(type);
    case Id::STRUCT:
    case Id::MAP:
      return Known(oid::kJsonb, "as JSON; checked: no 0x00 in text");
    default:
      return MakeError(ErrorKind::kUnsupported,
                       fmt::format("type {} cannot be stored in PostgreSQL", type.ToString()));
  }
}

}  // namespace amp::postgresql
