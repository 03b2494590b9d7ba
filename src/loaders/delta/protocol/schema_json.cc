#include "loaders/delta/protocol/schema_json.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <set>

#include "core/json_text.h"
#include "core/text.h"

namespace amp::delta {
namespace {

using Json = nlohmann::json;
using TypePtr = std::shared_ptr<arrow::DataType>;
using FieldPtr = std::shared_ptr<arrow::Field>;

// Deeper than any table; keeps text that is all brackets from using up the stack.
constexpr int kDeepest = 64;

Status Broken(std::string_view what) {
  return MakeError({.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget},
                   fmt::format("the table's schema is broken: {}", what));
}

Status Unsupported(std::string message) {
  return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                   std::move(message));
}

const Json* Member(const Json& object, const char* name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &*found;
}

bool FlagOr(const Json& object, const char* name, bool otherwise) {
  const Json* found = Member(object, name);
  return found != nullptr && found->is_boolean() ? found->get<bool>() : otherwise;
}

// "decimal(10,2)"; "decimal" alone is decimal(10,0).
Result<TypePtr> DecimalFrom(std::string_view name) {
  int precision = 10;
  int scale = 0;
  if (name != "decimal") {
    const std::string text(name);
    int used = 0;
    const int read = std::sscanf(text.c_str(), "decimal(%2d,%2d)%n", &precision, &scale, &used);
    if (read != 2 || static_cast<size_t>(used) != text.size()) {
      return Broken(fmt::format("no type is called '{}'", name));
    }
  }
  if (precision < 1 || precision > 38 || scale < 0 || scale > precision) {
    return Broken(fmt::format("there is no '{}'", name));
  }
  return arrow::decimal128(precision, scale);
}

Result<TypePtr> PrimitiveFrom(const std::string& name) {
  static const std::map<std::string_view, TypePtr> kTypes{
      {"string", arrow::utf8()},
      {"long", arrow::int64()},
      {"integer", arrow::int32()},
      {"short", arrow::int16()},
      {"byte", arrow::int8()},
      {"float", arrow::float32()},
      {"double", arrow::float64()},
      {"boolean", arrow::boolean()},
      {"binary", arrow::binary()},
      {"date", arrow::date32()},
      {"timestamp", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")},
      {"timestamp_ntz", arrow::timestamp(arrow::TimeUnit::MICRO)},
      {"void", arrow::null()},
  };
  const auto found = kTypes.find(name);
  if (found != kTypes.end()) return found->second;
  if (name.starts_with("decimal")) return DecimalFrom(name);
  return Unsupported(fmt::format("type '{}' is not supported", name));
}

Result<TypePtr> TypeFrom(const Json& json, int depth);

Result<FieldPtr> FieldFrom(const Json& json, int depth) {
  const Json* name = json.is_object() ? Member(json, "name") : nullptr;
  const Json* type_json = json.is_object() ? Member(json, "type") : nullptr;
  if (name == nullptr || type_json == nullptr || !name->is_string()) {
    return Broken("a column has no name or type");
  }
  const auto& column = name->get_ref<const std::string&>();
  auto type = TypeFrom(*type_json, depth);
  if (!type.ok()) return WithContext(type.status(), fmt::format("column '{}'", column));
  const Json* metadata = Member(json, "metadata");
  std::shared_ptr<const arrow::KeyValueMetadata> kept;
  if (metadata != nullptr && metadata->is_object() && !metadata->empty()) {
    kept = arrow::key_value_metadata({std::string(kColumnMetadata)}, {metadata->dump()});
  }
  return arrow::field(column, *std::move(type), FlagOr(json, "nullable", true), kept);
}

Result<arrow::FieldVector> FieldsFrom(const Json& json, int depth) {
  const Json* fields = Member(json, "fields");
  if (fields == nullptr || !fields->is_array()) return Broken("a struct has no fields");
  arrow::FieldVector out;
  for (const Json& field : *fields) {
    ARROW_ASSIGN_OR_RAISE(FieldPtr one, FieldFrom(field, depth));
    out.push_back(std::move(one));
  }
  return out;
}

Result<TypePtr> ChildFrom(const Json& json, const char* name, int depth) {
  const Json* child = Member(json, name);
  if (child == nullptr) return Broken(fmt::format("'{}' is missing", name));
  return TypeFrom(*child, depth);
}

Result<TypePtr> NestedFrom(const Json& json, int depth) {
  const Json* type = Member(json, "type");
  const std::string name = type != nullptr && type->is_string() ? type->get<std::string>() : "";
  if (name == "struct") {
    ARROW_ASSIGN_OR_RAISE(auto fields, FieldsFrom(json, depth));
    return arrow::struct_(fields);
  }
  if (name == "array") {
    ARROW_ASSIGN_OR_RAISE(TypePtr element, ChildFrom(json, "elementType", depth));
    return arrow::list(arrow::field("element", element, FlagOr(json, "containsNull", true)));
  }
  if (name == "map") {
    ARROW_ASSIGN_OR_RAISE(TypePtr key, ChildFrom(json, "keyType", depth));
    ARROW_ASSIGN_OR_RAISE(TypePtr value, ChildFrom(json, "valueType", depth));
    return std::make_shared<arrow::MapType>(
        arrow::field("key", key, false),
        arrow::field("value", value, FlagOr(json, "valueContainsNull", true)));
  }
  if (name.empty()) return Broken("a type has no name");
  return Unsupported(fmt::format("type '{}' is not supported", name));
}

Result<TypePtr> TypeFrom(const Json& json, int depth) {
  if (depth > kDeepest) return Broken("its types are nested too deeply");
  if (json.is_string()) return PrimitiveFrom(json.get_ref<const std::string&>());
  if (json.is_object()) return NestedFrom(json, depth + 1);
  return Broken("a type is neither text nor an object");
}

Status AppendType(const arrow::DataType& type, std::string* out);

// {"comment":"…"} of a column that comes from Arrow; else what the log had.
std::string MetadataOf(const arrow::Field& field) {
  if (field.metadata() == nullptr) return "{}";
  if (const auto kept = field.metadata()->Get(std::string(kColumnMetadata)); kept.ok()) {
    return *kept;
  }
  const auto comment = field.metadata()->Get("comment");
  if (!comment.ok()) return "{}";
  std::string json = R"({"comment":)";
  AppendJsonString(*comment, &json);
  return json + "}";
}

Status AppendField(const arrow::Field& field, std::string* out) {
  out->append(R"({"name":)");
  AppendJsonString(field.name(), out);
  out->append(R"(,"type":)");
  const Status status = AppendType(*field.type(), out);
  if (!status.ok()) return WithContext(status, fmt::format("column '{}'", field.name()));
  fmt::format_to(std::back_inserter(*out), R"(,"nullable":{},"metadata":{}}})", field.nullable(),
                 MetadataOf(field));
  return Status::OK();
}

// Delta compares names without regard to case.
Status CheckNames(const arrow::FieldVector& fields) {
  std::set<std::string> seen;
  for (const FieldPtr& field : fields) {
    std::string folded = field->name();
    for (char& c : folded) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
    if (!seen.insert(folded).second) {
      return MakeError(ErrorKind::kSchemaMismatch,
                       fmt::format("column '{}' is there twice for Delta, which takes names that "
                                   "differ in case only for the same: rename one",
                                   field->name()));
    }
  }
  return Status::OK();
}

Status AppendStruct(const arrow::FieldVector& fields, std::string* out) {
  ARROW_RETURN_NOT_OK(CheckNames(fields));
  out->append(R"({"type":"struct","fields":[)");
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out->push_back(',');
    ARROW_RETURN_NOT_OK(AppendField(*fields[i], out));
  }
  out->append("]}");
  return Status::OK();
}

Status AppendList(const arrow::Field& element, std::string* out) {
  out->append(R"({"type":"array","elementType":)");
  ARROW_RETURN_NOT_OK(AppendType(*element.type(), out));
  fmt::format_to(std::back_inserter(*out), R"(,"containsNull":{}}})", element.nullable());
  return Status::OK();
}

Status AppendMap(const arrow::MapType& map, std::string* out) {
  out->append(R"({"type":"map","keyType":)");
  ARROW_RETURN_NOT_OK(AppendType(*map.key_type(), out));
  out->append(R"(,"valueType":)");
  ARROW_RETURN_NOT_OK(AppendType(*map.item_type(), out));
  fmt::format_to(std::back_inserter(*out), R"(,"valueContainsNull":{}}})",
                 map.item_field()->nullable());
  return Status::OK();
}

std::string PrimitiveName(const arrow::DataType& type) {
  using Id = arrow::Type;
  switch (type.id()) {
    case Id::BOOL:
      return "boolean";
    case Id::INT8:
      return "byte";
    case Id::INT16:
      return "short";
    case Id::INT32:
      return "integer";
    case Id::INT64:
      return "long";
    case Id::FLOAT:
      return "float";
    case Id::DOUBLE:
      return "double";
    case Id::STRING:
    case Id::LARGE_STRING:
      return "string";
    case Id::BINARY:
    case Id::LARGE_BINARY:
      return "binary";
    case Id::DATE32:
      return "date";
    case Id::NA:
      return "void";
    case Id::DECIMAL128: {
      const auto& decimal = static_cast<const arrow::DecimalType&>(type);
      return fmt::format("decimal({},{})", decimal.precision(), decimal.scale());
    }
    case Id::TIMESTAMP: {
      const auto& timestamp = static_cast<const arrow::TimestampType&>(type);
      if (timestamp.unit() != arrow::TimeUnit::MICRO) return "";
      return timestamp.timezone().empty() ? "timestamp_ntz" : "timestamp";
    }
    default:
      return "";
  }
}

Status AppendType(const arrow::DataType& type, std::string* out) {
  switch (type.id()) {
    case arrow::Type::STRUCT:
      return AppendStruct(type.fields(), out);
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
      return AppendList(*type.field(0), out);
    case arrow::Type::MAP:
      return AppendMap(static_cast<const arrow::MapType&>(type), out);
    default:
      break;
  }
  const std::string name = PrimitiveName(type);
  if (name.empty()) return Unsupported(fmt::format("Delta has no type {}", type.ToString()));
  AppendJsonString(name, out);
  return Status::OK();
}

bool IsTimestampNtz(const arrow::DataType& type) {
  if (type.id() == arrow::Type::TIMESTAMP) {
    return static_cast<const arrow::TimestampType&>(type).timezone().empty();
  }
  return std::any_of(type.fields().begin(), type.fields().end(),
                     [](const FieldPtr& field) { return IsTimestampNtz(*field->type()); });
}

}  // namespace

Result<std::shared_ptr<arrow::Schema>> SchemaFromJson(std::string_view text) {
  const Json json = Json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Broken("it is no JSON object");
  ARROW_ASSIGN_OR_RAISE(auto fields, FieldsFrom(json, 0));
  return arrow::schema(std::move(fields));
}

Result<std::string> SchemaToJson(const arrow::Schema& schema) {
  std::string json;
  ARROW_RETURN_NOT_OK(AppendStruct(schema.fields(), &json));
  return json;
}

std::string DeltaTypeName(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
      return fmt::format("array<{}>", DeltaTypeName(*type.field(0)->type()));
    case arrow::Type::MAP: {
      const auto& map = static_cast<const arrow::MapType&>(type);
      return fmt::format("map<{},{}>", DeltaTypeName(*map.key_type()),
                         DeltaTypeName(*map.item_type()));
    }
    case arrow::Type::STRUCT: {
      Strings parts;
      for (const FieldPtr& field : type.fields()) {
        parts.push_back(field->name() + ":" + DeltaTypeName(*field->type()));
      }
      return fmt::format("struct<{}>", fmt::join(parts, ","));
    }
    default:
      return PrimitiveName(type);
  }
}

bool UsesTimestampNtz(const arrow::Schema& schema) {
  return std::any_of(schema.fields().begin(), schema.fields().end(),
                     [](const FieldPtr& field) { return IsTimestampNtz(*field->type()); });
}

}  // namespace amp::delta
