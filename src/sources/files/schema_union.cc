#include "sources/files/schema_union.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

namespace amp {
namespace {

Status Refuse(std::string why) {
  return MakeError({.kind = ErrorKind::kSchemaMismatch, .side = ErrorSide::kSource},
                   std::move(why));
}

}  // namespace

Status SchemaUnion::Add(const std::string& path, const arrow::Schema& schema) {
  for (const auto& field : schema.fields()) {
    if (schema.GetAllFieldIndices(field->name()).size() > 1) {
      return Refuse(fmt::format("file '{}' has two columns '{}'", path, field->name()));
    }
    ARROW_RETURN_NOT_OK(AddField(path, field->RemoveMetadata()));
  }
  for (auto& [known, from] : fields_) {
    if (schema.GetFieldIndex(known->name()) < 0) known = known->WithNullable(true);
  }
  ++files_;
  return Status::OK();
}

std::shared_ptr<arrow::Schema> SchemaUnion::Finish() const {
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const auto& [field, from] : fields_) fields.push_back(field);
  return arrow::schema(std::move(fields));
}

Status SchemaUnion::AddField(const std::string& path, const std::shared_ptr<arrow::Field>& field) {
  const auto known = std::find_if(fields_.begin(), fields_.end(), [&](const auto& entry) {
    return entry.first->name() == field->name();
  });
  if (known == fields_.end()) {
    fields_.emplace_back(files_ > 0 ? field->WithNullable(true) : field, path);
    return Status::OK();
  }
  auto& [have, from] = *known;
  // A column in which a text file had nothing to tell a type from takes any type.
  if (have->type()->id() == arrow::Type::NA) {
    have = field->WithNullable(true);
    from = path;
    return Status::OK();
  }
  if (field->type()->id() != arrow::Type::NA && !field->type()->Equals(*have->type())) {
    return Refuse(fmt::format(
        "column '{}' is {} in file '{}' and {} in file '{}'; load them "
        "apart, or leave the column out with --columns",
        field->name(), have->type()->ToString(), from, field->type()->ToString(), path));
  }
  if (field->nullable()) have = have->WithNullable(true);
  return Status::OK();
}

}  // namespace amp
