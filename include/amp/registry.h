#pragma once

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "amp/config.h"
#include "amp/error.h"
#include "amp/export.h"

namespace amp {

class Loader;
struct LoaderTraits;

/// A loader as the registry knows it.
struct LoaderEntry {
  const LoaderTraits* traits = nullptr;
  const std::vector<FieldSpec>& (*fields)() = nullptr;
  /// A configuration with every field at its default; for documentation.
  std::shared_ptr<const void> defaults = {};
  std::function<Result<std::unique_ptr<Loader>>(const ConfigMap&)> make = {};
};

/// All loaders of the process. Deriving from DataLoader adds to it.
class AMP_EXPORT Registry {
 public:
  static Registry& Global();

  template <class L>
  bool Add() {
    using Config = typename L::Config;
    return AddEntry({.traits = &L::kTraits,
                     .fields = &FieldsOf<Config>,
                     .defaults = std::make_shared<const Config>(),
                     .make = [](const ConfigMap& values) { return L::Make(values); }});
  }
  bool AddEntry(LoaderEntry entry);

  /// By name or alias. NotFound names those there are.
  Result<const LoaderEntry*> Find(std::string_view name) const;
  /// In alphabetic order.
  std::vector<const LoaderEntry*> entries() const;

  /// Makes a loader from its name and configuration: `values` go before the environment
  /// (AMPLOAD_<LOADER>_<FIELD>), that goes before `fallback`.
  Result<std::unique_ptr<Loader>> Make(std::string_view name, const ConfigMap& values,
                                       const ConfigMap& fallback = {}) const;
  /// Makes a loader from a URL; `values` go before what the URL says.
  Result<std::unique_ptr<Loader>> MakeFromUrl(std::string_view url,
                                              const ConfigMap& values = {}) const;

 private:
  std::map<std::string, LoaderEntry, std::less<>> entries_;
};

/// Built-in loaders that this build lacks: name and why.
AMP_EXPORT const std::vector<std::pair<std::string, std::string>>& MissingLoaders();

}  // namespace amp
