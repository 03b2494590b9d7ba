#include "cli/config_file.h"

#include <toml++/toml.h>

#include <cstdlib>
#include <filesystem>

namespace amp::cli {
namespace {

constexpr std::string_view kDefaultFile = "ampload.toml";

Status FileError(const std::string& path, std::string_view why) {
  return MakeError(ErrorKind::kConfigInvalid, fmt::format("config file '{}': {}", path, why));
}

Result<ConfigValue::List> ReadList(const toml::array& array) {
  ConfigValue::List list;
  for (const toml::node& node : array) {
    const auto text = node.value_exact<std::string>();
    if (!text) return Status::Invalid("must be a list of strings");
    list.push_back(*text);
  }
  return list;
}

Result<ConfigValue::Map> ReadMap(const toml::table& table) {
  ConfigValue::Map map;
  for (const auto& [name, node] : table) {
    const auto text = node.value<std::string>();
    if (!text) return Status::Invalid("must be a table of strings");
    map.emplace(name.str(), *text);
  }
  return map;
}

Result<ConfigValue> ReadValue(const toml::node& node) {
  ConfigValue value;
  if (const auto* text = node.as_string()) {
    value.value = text->get();
  } else if (const auto* flag = node.as_boolean()) {
    value.value = flag->get();
  } else if (const auto* integer = node.as_integer()) {
    value.value = integer->get();
  } else if (const auto* number = node.as_floating_point()) {
    value.value = number->get();
  } else if (const auto* array = node.as_array()) {
    ARROW_ASSIGN_OR_RAISE(value.value, ReadList(*array));
  } else if (const auto* table = node.as_table()) {
    ARROW_ASSIGN_OR_RAISE(value.value, ReadMap(*table));
  } else {
    return Status::Invalid("has a type that options do not have");
  }
  return value;
}

Result<ConfigMap> ReadSection(const std::string& path, const std::string& section,
                              const toml::node& node) {
  if (!node.is_table()) return FileError(path, fmt::format("[{}] must be a table", section));
  ConfigMap values;
  for (const auto& [name, entry] : *node.as_table()) {
    auto value = ReadValue(entry);
    if (!value.ok()) {
      return FileError(
          path, fmt::format("'{}' in [{}] {}", name.str(), section, value.status().message()));
    }
    value->origin = fmt::format("[{}] in {}", section, path);
    values.emplace(name.str(), *std::move(value));
  }
  return values;
}

Status ReadSections(const std::string& path, const std::string& kind, const toml::node& node,
                    std::map<std::string, ConfigMap>* sections) {
  if (!node.is_table()) return FileError(path, fmt::format("[{}] must be a table", kind));
  for (const auto& [name, entry] : *node.as_table()) {
    const std::string key(name.str());
    ARROW_ASSIGN_OR_RAISE((*sections)[key], ReadSection(path, kind + "." + key, entry));
  }
  return Status::OK();
}

std::string ChoosePath(const std::string& given) {
  if (!given.empty()) return given;
  if (const char* path = std::getenv("AMPLOAD_CONFIG"); path != nullptr) return path;
  return std::filesystem::exists(kDefaultFile) ? std::string(kDefaultFile) : std::string();
}

}  // namespace

Result<ConfigFile> ReadConfigFile(const std::string& given) {
  ConfigFile file;
  file.path = ChoosePath(given);
  if (file.path.empty()) return file;
  toml::table root;
  try {
    root = toml::parse_file(file.path);
  } catch (const toml::parse_error& error) {
    const auto line = error.source().begin.line;
    return FileError(file.path, line == 0 ? std::string(error.description())
                                          : fmt::format("line {}: {}", line, error.description()));
  }
  const std::map<std::string_view, std::map<std::string, ConfigMap>*> kinds{
      {"targets", &file.targets},
      {"sources", &file.sources},
      {"streams", &file.streams},
      {"loads", &file.loads}};
  for (const auto& [name, node] : root) {
    if (const auto kind = kinds.find(name.str()); kind != kinds.end()) {
      ARROW_RETURN_NOT_OK(ReadSections(file.path, std::string(name.str()), node, kind->second));
    } else if (name == "pipeline") {
      ARROW_ASSIGN_OR_RAISE(file.pipeline, ReadSection(file.path, "pipeline", node));
    } else {
      return FileError(file.path,
                       fmt::format("there is no section '{}'; there are: targets, sources, "
                                   "pipeline, streams, loads",
                                   name.str()));
    }
  }
  return file;
}

}  // namespace amp::cli
