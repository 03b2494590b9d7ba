#include <arrow/type.h>

#include <nlohmann/json.hpp>

#include "loaders/delta/protocol/schema_json.h"

// What the log says about columns beside their types.
namespace amp::delta {
namespace {

using Json = nlohmann::json;
using TypePtr = std::shared_ptr<arrow::DataType>;
using FieldPtr = std::shared_ptr<arrow::Field>;

Json MetadataJson(const arrow::Field& field) {
  if (field.metadata() == nullptr) return Json::object();
  const auto kept = field.metadata()->Get(std::string(kColumnMetadata));
  if (!kept.ok()) return Json::object();
  Json json = Json::parse(*kept, nullptr, /*allow_exceptions=*/false);
  return json.is_object() ? json : Json::object();
}

std::optional<std::string> FieldWith(const arrow::Field& field, std::string_view key);

std::optional<std::string> InsideOf(const arrow::DataType& type, std::string_view key) {
  for (const FieldPtr& child : type.fields()) {
    if (auto found = FieldWith(*child, key)) return found;
  }
  return std::nullopt;
}

std::optional<std::string> FieldWith(const arrow::Field& field, std::string_view key) {
  if (MetadataJson(field).contains(key)) return field.name();
  auto inside = InsideOf(*field.type(), key);
  return inside ? std::optional(field.name() + "." + *inside) : std::nullopt;
}

TypePtr PhysicalType(const TypePtr& type);

FieldPtr PhysicalField(const FieldPtr& field) {
  const Json metadata = MetadataJson(*field);
  const auto name = metadata.find("delta.columnMapping.physicalName");
  const auto id = metadata.find("delta.columnMapping.id");
  FieldPtr physical = field->WithType(PhysicalType(field->type()))->WithMetadata(nullptr);
  if (name != metadata.end() && name->is_string()) {
    physical = physical->WithName(name->get<std::string>());
  }
  if (id != metadata.end() && id->is_number_integer()) {
    // In the mode "name", too: the protocol wants the ids in files that are written.
    physical = physical->WithMetadata(
        arrow::key_value_metadata({"PARQUET:field_id"}, {std::to_string(id->get<int32_t>())}));
  }
  return physical;
}

TypePtr PhysicalType(const TypePtr& type) {
  arrow::FieldVector fields;
  for (const FieldPtr& field : type->fields()) fields.push_back(PhysicalField(field));
  switch (type->id()) {
    case arrow::Type::STRUCT:
      return arrow::struct_(fields);
    case arrow::Type::LIST:
      return arrow::list(fields[0]);
    case arrow::Type::MAP:
      return std::make_shared<arrow::MapType>(fields[0]->type()->field(0),
                                              fields[0]->type()->field(1));
    default:
      return type;
  }
}

bool HasColumnMapping(const Metadata& metadata) {
  const auto mode = metadata.configuration.find("delta.columnMapping.mode");
  return mode != metadata.configuration.end() && mode->second != "none";
}

}  // namespace

std::optional<std::string> ColumnWith(const arrow::Schema& schema, std::string_view key) {
  for (const FieldPtr& field : schema.fields()) {
    if (auto found = FieldWith(*field, key)) return found;
  }
  return std::nullopt;
}

Result<std::shared_ptr<arrow::Schema>> PhysicalSchema(const arrow::Schema& schema,
                                                      const Metadata& metadata) {
  if (!HasColumnMapping(metadata)) return arrow::schema(schema.fields());
  arrow::FieldVector fields;
  for (const FieldPtr& field : schema.fields()) fields.push_back(PhysicalField(field));
  return arrow::schema(std::move(fields));
}

std::string PhysicalName(const arrow::Field& field, const Metadata& metadata) {
  if (!HasColumnMapping(metadata)) return field.name();
  const Json json = MetadataJson(field);
  const auto name = json.find("delta.columnMapping.physicalName");
  return name != json.end() && name->is_string() ? name->get<std::string>() : field.name();
}

}  // namespace amp::delta
