#include "amp/registry.h"

#include <fmt/format.h>

#include <algorithm>

#include "amp/loader.h"
#include "missing_loaders.h"

namespace amp {
namespace {

bool HasAlias(const LoaderTraits& traits, std::string_view name) {
  return !name.empty() &&
         std::find(traits.aliases.begin(), traits.aliases.end(), name) != traits.aliases.end();
}

// What an upper layer says goes before what a lower one says. An alias in one and the plain name in
// the other are the same field.
void AddUnset(const ConfigMap& lower, const std::vector<FieldSpec>& fields, ConfigMap* upper) {
  auto is_set = [&](std::string_view name) {
    const FieldSpec* field = FindField(fields, name);
    return std::any_of(upper->begin(), upper->end(), [&](const auto& entry) {
      return entry.first == name || (field != nullptr && field->type != FieldType::kMap &&
                                     FindField(fields, entry.first) == field);
    });
  };
  ConfigMap missing;
  for (const auto& [name, value] : lower) {
    if (!is_set(name)) missing.emplace(name, value);
  }
  upper->merge(missing);
}

}  // namespace

Registry& Registry::Global() {
  static Registry registry;
  return registry;
}

bool Registry::AddEntry(LoaderEntry entry) {
  return entries_.emplace(entry.traits->name, std::move(entry)).second;
}

Result<const LoaderEntry*> Registry::Find(std::string_view name) const {
  if (auto found = entries_.find(name); found != entries_.end()) return &found->second;
  std::vector<std::string> names;
  for (const auto& [known, entry] : entries_) {
    if (HasAlias(*entry.traits, name)) return &entry;
    names.push_back(known);
  }
  for (const auto& [missing, why] : MissingLoaders()) {
    if (missing == name) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("loader '{}' is not in this build: {}", name, why));
    }
  }
  const std::string nearest = NearestName(name, names);
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("there is no loader '{}'{}. There are: {}", name,
                               nearest.empty() ? "" : fmt::format(" (did you mean '{}'?)", nearest),
                               fmt::join(names, ", ")));
}

std::vector<const LoaderEntry*> Registry::entries() const {
  std::vector<const LoaderEntry*> all;
  for (const auto& [name, entry] : entries_) all.push_back(&entry);
  return all;
}

Result<std::unique_ptr<Loader>> Registry::Make(std::string_view name, const ConfigMap& values,
                                               const ConfigMap& fallback) const {
  ARROW_ASSIGN_OR_RAISE(const LoaderEntry* entry, Find(name));
  ConfigMap all = values;
  AddUnset(EnvironmentConfig(entry->traits->name, entry->fields()), entry->fields(), &all);
  AddUnset(fallback, entry->fields(), &all);
  return entry->make(all);
}

Result<std::unique_ptr<Loader>> Registry::MakeFromUrl(std::string_view url,
                                                      const ConfigMap& values) const {
  const size_t colon = url.find(':');
  if (colon == std::string_view::npos) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("'{}' is not a target URL: it has no scheme such as "
                                 "'postgresql:' or 'lmdb:'",
                                 url));
  }
  ARROW_ASSIGN_OR_RAISE(const LoaderEntry* entry, Find(url.substr(0, colon)));
  ARROW_ASSIGN_OR_RAISE(const ConfigMap from_url, ParseUrl(url, entry->traits->url_path));
  ConfigMap all = values;
  AddUnset(from_url, entry->fields(), &all);
  return Make(entry->traits->name, all);
}

const std::vector<std::pair<std::string, std::string>>& MissingLoaders() {
  // Set by the build: {"lmdb", "liblmdb was not found"}, …
  static const std::vector<std::pair<std::string, std::string>> missing{AMPLOAD_MISSING_LOADERS};
  return missing;
}

}  // namespace amp
