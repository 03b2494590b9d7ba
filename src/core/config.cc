#include "amp/config.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>

#include "core/text.h"

namespace amp {
namespace {

Status FieldError(std::string_view owner, const FieldSpec& field, const ConfigValue& value,
                  const Status& why) {
  return MakeError(ErrorKind::kConfigInvalid, fmt::format("{}: option '{}' from {} {}", owner,
                                                          field.name, value.origin, why.message()));
}

// A secret may lie elsewhere: in an environment variable or in a file.
Result<std::string> ResolveSecretText(const std::string& text) {
  if (text.starts_with("${") && text.ends_with("}")) {
    const std::string name = text.substr(2, text.size() - 3);
    if (const char* set = std::getenv(name.c_str()); set != nullptr) return std::string(set);
    return Status::Invalid(
        fmt::format("refers to the environment variable {}, which is not set", name));
  }
  if (!text.starts_with("file:")) return text;
  ARROW_ASSIGN_OR_RAISE(std::string content, ReadTextFile(text.substr(5)));
  while (content.ends_with('\n') || content.ends_with('\r')) content.pop_back();
  return content;
}

Result<ConfigValue> ResolveSecret(ConfigValue value) {
  if (auto* text = std::get_if<std::string>(&value.value); text != nullptr) {
    ARROW_ASSIGN_OR_RAISE(*text, ResolveSecretText(*text));
  } else if (auto* entries = std::get_if<ConfigValue::Map>(&value.value); entries != nullptr) {
    for (auto& [name, entry] : *entries) {
      ARROW_ASSIGN_OR_RAISE(entry, ResolveSecretText(entry));
    }
  }
  return value;
}

Status SetField(std::string_view owner, const FieldSpec& field, const ConfigValue& given,
                void* config) {
  if (!field.secret) {
    const Status status = field.set(field, config, given);
    return status.ok() ? status : FieldError(owner, field, given, status);
  }
  const auto resolved = ResolveSecret(given);
  if (!resolved.ok()) return FieldError(owner, field, given, resolved.status());
  const Status status = field.set(field, config, *resolved);
  return status.ok() ? status : FieldError(owner, field, given, status);
}

Status UnknownField(std::string_view owner, const std::vector<FieldSpec>& fields,
                    std::string_view name, const ConfigValue& value) {
  std::vector<std::string> names;
  for (const FieldSpec& field : fields) names.emplace_back(field.name);
  const std::string nearest = NearestName(name, names);
  const std::string hint = nearest.empty() ? fmt::format("there are: {}", fmt::join(names, ", "))
                                           : fmt::format("did you mean '{}'?", nearest);
  return MakeError(ErrorKind::kConfigInvalid, fmt::format("{}: unknown option '{}' from {}; {}",
                                                          owner, name, value.origin, hint));
}

Status MissingField(std::string_view owner, const FieldSpec& field) {
  return MakeError(
      ErrorKind::kConfigInvalid,
      fmt::format("{}: required option '{}' is missing ({}); set it with --set "
                  "{}=… or {}",
                  owner, field.name, field.doc, field.name, EnvironmentName(owner, field.name)));
}

// `columns.NAME = text` is one entry of the map field `columns`.
ConfigValue AsMapEntry(std::string_view key, const ConfigValue& value) {
  const auto* text = std::get_if<std::string>(&value.value);
  ConfigValue entry{.value = ConfigValue::Map{}, .origin = value.origin};
  if (text != nullptr) entry.value = ConfigValue::Map{{std::string(key), *text}};
  return entry;
}

}  // namespace

const FieldSpec* FindField(const std::vector<FieldSpec>& fields, std::string_view name) {
  for (const FieldSpec& field : fields) {
    if (field.name == name) return &field;
    if (std::find(field.aliases.begin(), field.aliases.end(), name) != field.aliases.end()) {
      return &field;
    }
  }
  const size_t dot = name.find('.');
  if (dot == std::string_view::npos) return nullptr;
  const FieldSpec* map = FindField(fields, name.substr(0, dot));
  return map != nullptr && map->type == FieldType::kMap ? map : nullptr;
}

Status ApplyConfig(std::string_view owner, const std::vector<FieldSpec>& fields,
                   const ConfigMap& values, void* config) {
  std::map<const FieldSpec*, std::string_view> seen;
  for (const auto& [name, value] : values) {
    const FieldSpec* field = FindField(fields, name);
    if (field == nullptr) return UnknownField(owner, fields, name, value);
    if (field->type == FieldType::kMap && name.find('.') != std::string::npos) {
      ARROW_RETURN_NOT_OK(
          SetField(owner, *field, AsMapEntry(name.substr(name.find('.') + 1), value), config));
    } else {
      if (seen.contains(field)) {
        return MakeError(ErrorKind::kConfigInvalid,
                         fmt::format("{}: options '{}' and '{}' are the same; give one", owner,
                                     seen[field], name));
      }
      ARROW_RETURN_NOT_OK(SetField(owner, *field, value, config));
    }
    seen.emplace(field, name);
  }
  for (const FieldSpec& field : fields) {
    if (field.required && !seen.contains(&field)) return MissingField(owner, field);
  }
  return CheckRequired(owner, fields, config);
}

Status CheckRequired(std::string_view owner, const std::vector<FieldSpec>& fields,
                     const void* config) {
  for (const FieldSpec& field : fields) {
    if (field.required && field.text(config).empty()) return MissingField(owner, field);
  }
  return Status::OK();
}

ConfigMap EnvironmentConfig(std::string_view owner, const std::vector<FieldSpec>& fields) {
  ConfigMap found;
  for (const FieldSpec& field : fields) {
    const std::string name = EnvironmentName(owner, field.name);
    if (const char* value = std::getenv(name.c_str()); value != nullptr) {
      found.emplace(field.name, ConfigValue{.value = std::string(value),
                                            .origin = "environment variable " + name});
    }
  }
  return found;
}

std::string RedactedText(const std::vector<FieldSpec>& fields, const void* config,
                         const void* defaults) {
  std::vector<std::string> parts;
  for (const FieldSpec& field : fields) {
    const std::string text = field.text(config);
    if (text == field.text(defaults)) continue;
    parts.push_back(fmt::format("{}={}", field.name,
                                field.secret          ? "***"
                                : field.name == "url" ? RedactUrl(text)
                                                      : text));
  }
  return fmt::format("{}", fmt::join(parts, " "));
}

std::string JsonSchemaOf(std::string_view owner, const std::vector<FieldSpec>& fields,
                         const void* defaults) {
  using Json = nlohmann::ordered_json;
  static const std::map<FieldType, std::string_view> kTypes{{FieldType::kBool, "boolean"},
                                                            {FieldType::kInteger, "integer"},
                                                            {FieldType::kNumber, "number"},
                                                            {FieldType::kList, "array"},
                                                            {FieldType::kMap, "object"}};
  Json properties = Json::object();
  Json required = Json::array();
  for (const FieldSpec& field : fields) {
    Json property;
    const auto type = kTypes.find(field.type);
    property["type"] = type == kTypes.end() ? "string" : type->second;
    property["description"] = field.doc;
    if (field.type == FieldType::kList) property["items"] = {{"type", "string"}};
    if (field.type == FieldType::kInteger && field.min) property["minimum"] = *field.min;
    if (field.type == FieldType::kInteger && field.max) property["maximum"] = *field.max;
    if (!field.choices.empty()) property["enum"] = field.choices;
    if (field.secret) property["writeOnly"] = true;
    const std::string text = field.text(defaults);
    if (!text.empty()) {
      const Json parsed = Json::parse(text, nullptr, false);
      const bool literal = property["type"] != "string" && !parsed.is_discarded();
      property["default"] = literal ? parsed : Json(text);
    }
    if (field.required) required.push_back(field.name);
    properties[std::string(field.name)] = std::move(property);
  }
  return Json{{"$schema", "https://json-schema.org/draft/2020-12/schema"},
              {"title", owner},
              {"type", "object"},
              {"properties", properties},
              {"required", required},
              {"additionalProperties", false}}
      .dump(2);
}

}  // namespace amp
