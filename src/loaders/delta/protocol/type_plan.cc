#include "loaders/delta/protocol/type_plan.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/schema.h"
#include "loaders/delta/protocol/schema_json.h"

namespace amp::delta {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;
using FieldPtr = std::shared_ptr<arrow::Field>;

constexpr int32_t kMostDigits = 38;

struct Mapped {
  TypePtr type;
  std::string note;
};

Status NoType(const arrow::DataType& type, std::string_view advice) {
  return MakeError(ErrorKind::kUnsupported,
                   fmt::format("Delta has no type for {}; {}", type.ToString(), advice));
}

Result<Mapped> MapTime(const TypePtr& type, const TypeOptions& options) {
  const bool counts = type->id() == arrow::Type::TIME32 || type->id() == arrow::Type::TIME64 ||
                      type->id() == arrow::Type::DURATION;
  if (options.on_time == OnTime::kText) return Mapped{arrow::utf8(), "as text"};
  if (options.on_time == OnTime::kNumber && counts) {
    return Mapped{arrow::int64(), fmt::format("counting as {}", type->ToString())};
  }
  return NoType(*type, counts ? "set on_time to text or number, or leave the column out"
                              : "set on_time to text, or leave the column out");
}

Result<Mapped> MapDecimal(const TypePtr& type, const TypeOptions& options) {
  const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
  // Delta's scale is from 0 to the precision: 12E3 is kept as 12000, 0.0012 as a decimal(4,4).
  const int32_t scale = std::max(decimal.scale(), 0);
  const int32_t digits = decimal.precision() - std::min(decimal.scale(), 0);
  const int32_t precision = std::max(digits, scale);
  if (precision <= kMostDigits) return Mapped{arrow::decimal128(precision, scale), ""};
  if (options.on_wide_decimal == OnWideDecimal::kText) return Mapped{arrow::utf8(), "as text"};
  return NoType(*type,
                "its decimals have up to 38 digits: set on_wide_decimal to text, or cast it");
}

Result<Mapped> MapTimestamp(const arrow::TimestampType& type) {
  const TypePtr target =
      arrow::timestamp(arrow::TimeUnit::MICRO, type.timezone().empty() ? "" : "UTC");
  if (type.unit() == arrow::TimeUnit::NANO) return Mapped{target, "checked: whole microseconds"};
  if (type.unit() == arrow::TimeUnit::MICRO) return Mapped{target, ""};
  return Mapped{target, "checked: years -290308 to 294247"};
}

Result<Mapped> MapType(const TypePtr& type, const TypeOptions& options);

Result<FieldPtr> MapField(const arrow::Field& field, std::string_view name,
                          const TypeOptions& options, std::string* note) {
  auto mapped = MapType(field.type(), options);
  if (!mapped.ok()) return WithContext(mapped.status(), fmt::format("inside, '{}'", field.name()));
  if (note->empty()) *note = mapped->note;
  return arrow::field(std::string(name), mapped->type, field.nullable());
}

Result<Mapped> MapList(const TypePtr& type, const TypeOptions& options) {
  Mapped out;
  ARROW_ASSIGN_OR_RAISE(FieldPtr element, MapField(*type->field(0), "element", options, &out.note));
  out.type = arrow::list(element);
  return out;
}

Result<Mapped> MapMap(const arrow::MapType& type, const TypeOptions& options) {
  Mapped out;
  ARROW_ASSIGN_OR_RAISE(FieldPtr key, MapField(*type.key_field(), "key", options, &out.note));
  ARROW_ASSIGN_OR_RAISE(FieldPtr value, MapField(*type.item_field(), "value", options, &out.note));
  out.type = std::make_shared<arrow::MapType>(key->WithNullable(false), value);
  return out;
}

Result<Mapped> MapStruct(const TypePtr& type, const TypeOptions& options) {
  Mapped out;
  if (type->num_fields() == 0) return NoType(*type, "give it a field, or leave the column out");
  arrow::FieldVector fields;
  for (const FieldPtr& field : type->fields()) {
    ARROW_ASSIGN_OR_RAISE(auto one, MapField(*field, field->name(), options, &out.note));
    fields.push_back(std::move(one));
  }
  out.type = arrow::struct_(fields);
  return out;
}

Result<Mapped> MapType(const TypePtr& type, const TypeOptions& options) {
  using Id = arrow::Type;
  switch (type->id()) {
    case Id::BOOL:
    case Id::INT8:
    case Id::INT16:
    case Id::INT32:
    case Id::INT64:
    case Id::FLOAT:
    case Id::DOUBLE:
    case Id::STRING:
    case Id::LARGE_STRING:
    case Id::BINARY:
    case Id::LARGE_BINARY:
    case Id::DATE32:
      return Mapped{type, ""};
    case Id::UINT8:
      return Mapped{arrow::int16(), ""};
    case Id::UINT16:
      return Mapped{arrow::int32(), ""};
    case Id::UINT32:
      return Mapped{arrow::int64(), ""};
    case Id::UINT64:
      return Mapped{arrow::decimal128(20, 0), ""};
    case Id::HALF_FLOAT:
      return Mapped{arrow::float32(), ""};
    case Id::FIXED_SIZE_BINARY:
      return Mapped{arrow::binary(), ""};
    case Id::DATE64:
      return Mapped{arrow::date32(), "checked: whole days"};
    case Id::DECIMAL32:
    case Id::DECIMAL64:
    case Id::DECIMAL128:
    case Id::DECIMAL256:
      return MapDecimal(type, options);
    case Id::TIMESTAMP:
      return MapTimestamp(static_cast<const arrow::TimestampType&>(*type));
    case Id::TIME32:
    case Id::TIME64:
    case Id::DURATION:
    case Id::INTERVAL_MONTHS:
    case Id::INTERVAL_DAY_TIME:
    case Id::INTERVAL_MONTH_DAY_NANO:
      return MapTime(type, options);
    case Id::LIST:
    case Id::LARGE_LIST:
    case Id::FIXED_SIZE_LIST:
      return MapList(type, options);
    case Id::MAP:
      return MapMap(static_cast<const arrow::MapType&>(*type), options);
    case Id::STRUCT:
      return MapStruct(type, options);
    case Id::NA:
      return NoType(*type, "cast the column to a type, or leave it out with --columns");
    default:
      return NoType(*type, "cast the column, or leave it out with --columns");
  }
}

// The comment of the source's column goes along.
FieldPtr WithComment(FieldPtr field, const arrow::Field& source) {
  if (source.metadata() == nullptr) return field;
  const auto comment = source.metadata()->Get("comment");
  if (!comment.ok()) return field;
  return field->WithMetadata(arrow::key_value_metadata({"comment"}, {*comment}));
}

bool IsText(const arrow::DataType& type) { return arrow::is_string(type.id()); }
bool IsBinary(const arrow::DataType& type) {
  return type.id() == arrow::Type::BINARY || type.id() == arrow::Type::LARGE_BINARY;
}

bool HoldsDecimal(const arrow::DecimalType& table, const arrow::DecimalType& given) {
  return table.scale() >= given.scale() &&
         table.precision() - table.scale() >= given.precision() - given.scale();
}

bool HoldsNumber(const arrow::DataType& table, const arrow::DataType& given) {
  if (arrow::is_signed_integer(table.id()) && arrow::is_signed_integer(given.id())) {
    return table.bit_width() >= given.bit_width();
  }
  if (table.id() == arrow::Type::DOUBLE) return given.id() == arrow::Type::FLOAT;
  return table.id() == arrow::Type::DECIMAL128 && given.id() == arrow::Type::DECIMAL128 &&
         HoldsDecimal(static_cast<const arrow::DecimalType&>(table),
                      static_cast<const arrow::DecimalType&>(given));
}

TypePtr FitType(const TypePtr& table, const TypePtr& given);

// Fields are matched by place and name; null where they differ.
FieldPtr FitField(const FieldPtr& table, const FieldPtr& given, bool by_name) {
  if (by_name && table->name() != given->name()) return nullptr;
  const TypePtr type = FitType(table->type(), given->type());
  return type == nullptr ? nullptr : table->WithType(type);
}

TypePtr FitStruct(const TypePtr& table, const TypePtr& given) {
  if (table->num_fields() != given->num_fields()) return nullptr;
  arrow::FieldVector fields;
  for (int i = 0; i < table->num_fields(); ++i) {
    fields.push_back(FitField(table->field(i), given->field(i), true));
    if (fields.back() == nullptr) return nullptr;
  }
  return arrow::struct_(fields);
}

TypePtr FitMap(const arrow::MapType& table, const arrow::MapType& given) {
  const FieldPtr key = FitField(table.key_field(), given.key_field(), false);
  const FieldPtr value = FitField(table.item_field(), given.item_field(), false);
  if (key == nullptr || value == nullptr) return nullptr;
  return std::make_shared<arrow::MapType>(key, value);
}

// The Arrow type in which values of `given` are written to a column of `table`; null where they do
// not fit. Large texts and bytes stay large: in Parquet they are the same.
TypePtr FitType(const TypePtr& table, const TypePtr& given) {
  if (table->Equals(*given)) return table;
  if (IsText(*table) && IsText(*given)) return given;
  if (IsBinary(*table) && IsBinary(*given)) return given;
  if (HoldsNumber(*table, *given)) return table;
  if (table->id() == arrow::Type::LIST && given->id() == arrow::Type::LIST) {
    const FieldPtr element = FitField(table->field(0), given->field(0), false);
    if (element == nullptr) return nullptr;
    return arrow::list(element);
  }
  if (table->id() != given->id()) return nullptr;
  if (table->id() == arrow::Type::STRUCT) return FitStruct(table, given);
  if (table->id() == arrow::Type::MAP) {
    return FitMap(static_cast<const arrow::MapType&>(*table),
                  static_cast<const arrow::MapType&>(*given));
  }
  return nullptr;
}

Status OtherColumns(const Strings& wrong) {
  return MakeError(ErrorKind::kSchemaMismatch,
                   fmt::format("the table has other columns than the data: {}. Choose another "
                               "table, or bring the columns in line with --columns",
                               FirstFew(wrong)));
}

// Which columns of a plan a table's columns are made from, and as what.
struct Fitted {
  arrow::FieldVector fields;
  std::vector<int> places;
  Strings wrong;
};

void FitColumn(const FieldPtr& column, const SchemaPlan& plan, Fitted* out) {
  const int place = plan.written->GetFieldIndex(column->name());
  if (place < 0) {
    out->wrong.push_back(fmt::format("column '{}' is missing in the data", column->name()));
    return;
  }
  const FieldPtr fitted = FitField(column, plan.written->field(place), true);
  if (fitted == nullptr) {
    const ColumnType& given = plan.columns[static_cast<size_t>(place)];
    out->wrong.push_back(fmt::format("column '{}' is {} in the table and {} ({}) in the data",
                                     column->name(), DeltaTypeName(*column->type()),
                                     given.delta_type, given.source_type));
    return;
  }
  out->fields.push_back(fitted);
  out->places.push_back(place);
}

}  // namespace

Result<SchemaPlan> PlanColumns(const arrow::Schema& source, const TypeOptions& options) {
  SchemaPlan plan;
  plan.source = arrow::schema(source.fields());
  plan.options = options;
  ARROW_ASSIGN_OR_RAISE(plan.plain, PlainSchema(source));
  arrow::FieldVector written;
  for (int i = 0; i < source.num_fields(); ++i) {
    const FieldPtr& field = source.field(i);
    auto mapped = MapType(plan.plain->field(i)->type(), options);
    if (!mapped.ok()) {
      return WithContext(mapped.status(), fmt::format("column '{}'", field->name()));
    }
    written.push_back(
        WithComment(arrow::field(field->name(), mapped->type, field->nullable()), *field));
    plan.columns.push_back({field->name(), field->type()->ToString(), DeltaTypeName(*mapped->type),
                            std::move(mapped->note)});
  }
  plan.written = arrow::schema(std::move(written));
  return plan;
}

Result<SchemaPlan> PlanColumnsFor(const arrow::Schema& table, const arrow::Schema& source,
                                  const TypeOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const SchemaPlan plan, PlanColumns(source, options));
  Fitted fitted;
  for (const FieldPtr& column : table.fields()) FitColumn(column, plan, &fitted);
  for (const FieldPtr& field : plan.written->fields()) {
    if (table.GetFieldIndex(field->name()) < 0) {
      fitted.wrong.push_back(fmt::format("column '{}' is not in the table", field->name()));
    }
  }
  if (!fitted.wrong.empty()) return OtherColumns(fitted.wrong);
  SchemaPlan out;
  out.source = plan.source;
  out.plain = plan.plain;
  out.written = arrow::schema(std::move(fitted.fields));
  out.options = options;
  for (size_t i = 0; i < fitted.places.size(); ++i) {
    out.columns.push_back(plan.columns[static_cast<size_t>(fitted.places[i])]);
    out.columns.back().delta_type = DeltaTypeName(*out.written->field(static_cast<int>(i))->type());
  }
  return out;
}

}  // namespace amp::delta
