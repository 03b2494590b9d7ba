#include "cli/target.h"

#include "cli/config_file.h"

namespace amp::cli {
namespace {

/// --set values, told apart by whose options they are.
struct SetOptions {
  ConfigMap target;
  ConfigMap pipeline;
};

Result<SetOptions> ReadSetOptions(const std::vector<std::string>& set) {
  SetOptions options;
  for (const std::string& entry : set) {
    const size_t equals = entry.find('=');
    if (equals == std::string::npos || equals == 0) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("--set {}: write option=value", entry.substr(0, equals)));
    }
    const std::string name = entry.substr(0, equals);
    const bool is_pipeline = FindField(FieldsOf<PipelineOptions>(), name) != nullptr;
    (is_pipeline ? options.pipeline : options.target)
        .insert_or_assign(name, ConfigValue{.value = entry.substr(equals + 1), .origin = "--set"});
  }
  return options;
}

bool IsLoaderUrl(const std::string& to) {
  const size_t colon = to.find(':');
  return colon != std::string::npos && Registry::Global().Find(to.substr(0, colon)).ok();
}

// A target from the file: `loader = NAME` and its options, or `url` and options beside it.
Result<std::unique_ptr<Loader>> MakeNamed(const std::string& name, ConfigMap values,
                                          const ConfigMap& set) {
  const auto url = values.find("url");
  const auto loader = values.find("loader");
  if (loader != values.end()) {
    const std::string loader_name = internal::TextOf(std::get<std::string>(loader->second.value));
    values.erase(loader);
    return Registry::Global().Make(loader_name, set, values);
  }
  if (url == values.end()) {
    return MakeError(
        ErrorKind::kConfigInvalid,
        fmt::format("target '{}' in the config file has neither url nor loader", name));
  }
  const std::string text = std::get<std::string>(url->second.value);
  ARROW_ASSIGN_OR_RAISE(const LoaderEntry* entry,
                        Registry::Global().Find(text.substr(0, text.find(':'))));
  ARROW_ASSIGN_OR_RAISE(ConfigMap from_url, ParseUrl(text, entry->traits->url_path));
  values.erase(url);
  values.merge(from_url);
  return Registry::Global().Make(entry->traits->name, set, values);
}

Status UnknownTarget(const std::string& to, const ConfigFile& file) {
  std::vector<std::string> names, loaders;
  for (const auto& [name, values] : file.targets) names.push_back(name);
  for (const LoaderEntry* entry : Registry::Global().entries()) {
    loaders.push_back(std::string(entry->traits->name) + ":…");
  }
  const std::string in_file = file.path.empty() ? "there is no config file"
                              : names.empty()
                                  ? fmt::format("'{}' has no targets", file.path)
                                  : fmt::format("'{}' has: {}", file.path, fmt::join(names, ", "));
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("--to {}: neither a URL ({}) nor the name of a target ({})",
                               RedactUrl(to), fmt::join(loaders, " "), in_file));
}

}  // namespace

Result<Target> ResolveTarget(const CommonOptions& common, const std::string& to) {
  ARROW_ASSIGN_OR_RAISE(const ConfigFile file, ReadConfigFile(common.config));
  ARROW_ASSIGN_OR_RAISE(const SetOptions set, ReadSetOptions(common.set));
  Target target;
  ConfigMap pipeline = set.pipeline;
  pipeline.merge(EnvironmentConfig("pipeline", FieldsOf<PipelineOptions>()));
  ConfigMap from_file = file.pipeline;
  pipeline.merge(from_file);
  ARROW_ASSIGN_OR_RAISE(target.pipeline, ParseConfig<PipelineOptions>("pipeline", pipeline));
  if (const auto named = file.targets.find(to); named != file.targets.end()) {
    ARROW_ASSIGN_OR_RAISE(target.loader, MakeNamed(to, named->second, set.target));
    return target;
  }
  if (!to.empty() && !IsLoaderUrl(to)) {
    // A scheme that no loader has is told apart from a mistyped name.
    const size_t colon = to.find(':');
    if (colon == std::string::npos) return UnknownTarget(to, file);
    return Registry::Global().Find(to.substr(0, colon)).status();
  }
  ARROW_ASSIGN_OR_RAISE(
      target.loader,
      Registry::Global().MakeFromUrl(to.empty() ? std::string(kDefaultTarget) : to, set.target));
  return target;
}

void AddTargetOptions(CLI::App* command, std::string* to, std::string* table) {
  command
      ->add_option("--to", *to,
                   fmt::format("URL or name from the config file; left out: {}", kDefaultTarget))
      ->type_name("TARGET");
  command->add_option("--table", *table, "Table, taken as it is")->required()->type_name("NAME");
}

}  // namespace amp::cli
