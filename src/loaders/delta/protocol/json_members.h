#pragma once

#include <nlohmann/json.hpp>
#include <optional>
#include <string>

#include "loaders/delta/protocol/actions.h"

/// Reads members of a JSON object that others wrote: absent and null are the same, and a member of
/// another type is remembered instead of thrown.
namespace amp::delta {

class JsonMembers {
 public:
  using Json = nlohmann::json;

  explicit JsonMembers(const Json& object) : object_(object) {}

  /// The member, or null where it is absent or null.
  const Json* Find(const char* name) const {
    if (!object_.is_object()) return nullptr;
    const auto found = object_.find(name);
    return found == object_.end() || found->is_null() ? nullptr : &*found;
  }
  std::optional<std::string> Text(const char* name) {
    const Json* found = Find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_string()) return Wrong<std::string>(name, "text");
    return found->get_ref<const std::string&>();
  }
  std::optional<int64_t> Integer(const char* name) {
    const Json* found = Find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_number_integer()) return Wrong<int64_t>(name, "an integer");
    return found->get<int64_t>();
  }
  std::optional<bool> Flag(const char* name) {
    const Json* found = Find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_boolean()) return Wrong<bool>(name, "true or false");
    return found->get<bool>();
  }
  std::optional<NullableMap> Map(const char* name) {
    const Json* found = Find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_object()) return Wrong<NullableMap>(name, "an object");
    NullableMap map;
    for (const auto& [key, value] : found->items()) map.emplace(key, TextOf(value));
    return map;
  }
  StringMap PlainMap(const char* name) {
    StringMap map;
    for (auto& [key, value] : Map(name).value_or(NullableMap{})) {
      if (value) map.emplace(key, *value);
    }
    return map;
  }
  std::optional<Strings> List(const char* name) {
    const Json* found = Find(name);
    if (found == nullptr) return std::nullopt;
    if (!found->is_array()) return Wrong<Strings>(name, "an array");
    Strings list;
    for (const Json& item : *found) {
      if (!item.is_string()) return Wrong<Strings>(name, "an array of texts");
      list.push_back(item.get_ref<const std::string&>());
    }
    return list;
  }

  std::string RequiredText(const char* name) { return Required(name, Text(name)); }
  int64_t RequiredInteger(const char* name) { return Required(name, Integer(name)); }

  /// What the first wrong member was, such as "'size' is not an integer"; empty where all were
  /// fine.
  const std::string& problem() const { return problem_; }

 private:
  static std::optional<std::string> TextOf(const Json& value) {
    if (value.is_null()) return std::nullopt;
    // Some writers put numbers and flags where the protocol has texts.
    return value.is_string() ? value.get_ref<const std::string&>() : value.dump();
  }
  template <class T>
  std::optional<T> Wrong(const char* name, const char* wanted) {
    if (problem_.empty()) problem_ = std::string("'") + name + "' is not " + wanted;
    return std::nullopt;
  }
  template <class T>
  T Required(const char* name, std::optional<T> value) {
    if (!value && problem_.empty()) problem_ = std::string("'") + name + "' is missing";
    return value ? *std::move(value) : T{};
  }

  const Json& object_;
  std::string problem_;
};

}  // namespace amp::delta
