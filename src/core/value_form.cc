#include "core/value_form.h"

#include <arrow/extension_type.h>
#include <arrow/type.h>

namespace amp {
namespace {

using Kind = ValueForm::Kind;
using Form = std::optional<ValueForm>;

Kind KindOfScalar(const arrow::DataType& type) {
  using Id = arrow::Type;
  if (arrow::is_integer(type.id()) || arrow::is_decimal(type.id())) return Kind::kNumber;
  if (arrow::is_floating(type.id())) return Kind::kReal;
  if (arrow::is_base_binary_like(type.id())) return Kind::kBytes;
  switch (type.id()) {
    case Id::BOOL:
      return Kind::kBool;
    case Id::FIXED_SIZE_BINARY:
      return Kind::kBytes;
    case Id::DATE32:
    case Id::DATE64:
      return Kind::kDate;
    case Id::TIME32:
    case Id::TIME64:
      return Kind::kTime;
    case Id::TIMESTAMP:
      return static_cast<const arrow::TimestampType&>(type).timezone().empty() ? Kind::kClock
                                                                               : Kind::kInstant;
    case Id::DURATION:
    case Id::INTERVAL_MONTHS:
    case Id::INTERVAL_DAY_TIME:
    case Id::INTERVAL_MONTH_DAY_NANO:
      return Kind::kInterval;
    default:
      return Kind::kNull;
  }
}

Kind KindOf(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
    case arrow::Type::LARGE_LIST:
    case arrow::Type::FIXED_SIZE_LIST:
      return Kind::kList;
    case arrow::Type::STRUCT:
      return Kind::kStruct;
    case arrow::Type::MAP:
      return Kind::kMap;
    default:
      return KindOfScalar(type);
  }
}

bool IsText(const arrow::DataType& type) { return arrow::is_string(type.id()); }

Form Plain(const arrow::DataType& a, const arrow::DataType& b);

Form WithChildren(Kind kind, const std::vector<Form>& children,
                  std::vector<std::string> names = {}) {
  ValueForm form{.kind = kind, .names = std::move(names)};
  for (const Form& child : children) {
    if (!child) return std::nullopt;
    form.children.push_back(*child);
  }
  return form;
}

Form Structs(const arrow::DataType& a, const arrow::DataType& b) {
  if (a.num_fields() != b.num_fields()) return std::nullopt;
  std::vector<Form> children;
  std::vector<std::string> names;
  for (const auto& field : a.fields()) {
    const auto other = static_cast<const arrow::StructType&>(b).GetFieldByName(field->name());
    if (other == nullptr) return std::nullopt;
    children.push_back(Plain(*field->type(), *other->type()));
    names.push_back(field->name());
  }
  return WithChildren(Kind::kStruct, children, std::move(names));
}

Form Maps(const arrow::DataType& a, const arrow::DataType& b) {
  const auto& left = static_cast<const arrow::MapType&>(a);
  const auto& right = static_cast<const arrow::MapType&>(b);
  return WithChildren(Kind::kMap, {Plain(*left.key_type(), *right.key_type()),
                                   Plain(*left.item_type(), *right.item_type())});
}

// Where a target has no Arrow type for a value, it is read back as the target's own text.
Form WithText(const arrow::DataType& type) {
  const Kind kind = KindOf(type);
  if (kind == Kind::kNumber || kind == Kind::kInterval) return ValueForm{.kind = kind};
  if (kind != Kind::kList) return std::nullopt;
  return WithChildren(kind, {WithText(*type.field(0)->type())});
}

Form Plain(const arrow::DataType& a, const arrow::DataType& b) {
  if (a.id() == arrow::Type::NA) return b.id() == arrow::Type::NA ? ValueForm{} : Plain(b, b);
  if (b.id() == arrow::Type::NA) return Plain(a, a);
  const Kind kind = KindOf(a);
  if (kind != KindOf(b)) {
    if (IsText(b)) return WithText(a);
    return IsText(a) ? WithText(b) : std::nullopt;
  }
  switch (kind) {
    case Kind::kNull:
      return std::nullopt;
    case Kind::kList:
      return WithChildren(kind, {Plain(*a.field(0)->type(), *b.field(0)->type())});
    case Kind::kStruct:
      return Structs(a, b);
    case Kind::kMap:
      return Maps(a, b);
    default:
      return ValueForm{.kind = kind};
  }
}

bool HasJson(const TypedAs& typed) {
  return typed.json || IsText(typed.type) || typed.type.num_fields() > 0 ||
         typed.type.id() == arrow::Type::STRUCT || typed.type.id() == arrow::Type::NA;
}

}  // namespace

Form CommonForm(const TypedAs& a, const TypedAs& b) {
  if (!a.json && !b.json) return Plain(a.type, b.type);
  if (!HasJson(a) || !HasJson(b)) return std::nullopt;
  return ValueForm{.kind = Kind::kJson};
}

bool IsJsonText(const arrow::DataType& type) {
  return type.id() == arrow::Type::EXTENSION &&
         static_cast<const arrow::ExtensionType&>(type).extension_name() == "arrow.json";
}

}  // namespace amp
