#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <tuple>
#include <type_traits>
#include <utility>
#include <variant>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

/// Typed configuration from one list of fields.
///
/// A configuration is a plain struct with defaults and a static function that lists its fields:
///
///     struct ExampleConfig {
///       std::string host;
///       int port = 5432;
///       std::string password;
///
///       static constexpr auto Fields() {
///         return std::make_tuple(
///             amp::Field("host", &ExampleConfig::host, "Server to connect to").Required(),
///             amp::Field("port", &ExampleConfig::port, "Its port").Range(1, 65535),
///             amp::Field("password", &ExampleConfig::password, "Password").Secret());
///       }
///       amp::Status Validate() const;  // optional: what no single field can say
///     };
///
/// From that list come parsing, type checks, unknown and missing field errors, URL parameters,
/// environment variables, documentation, JSON schema and redaction.
///
/// Members may be: std::string, bool, int, int64_t, double, std::chrono::milliseconds,
/// std::chrono::seconds, amp::ByteSize, std::vector<std::string>, std::map<std::string,
/// std::string>, an enum with names (see `AmpEnumNames` below), or std::optional of these. An
/// enum's names are found by argument-dependent look-up, in the order of its values from 0:
///
///     constexpr std::array<std::string_view, 2> AmpEnumNames(Color) { return {"red", "green"}; }
namespace amp {

/// A number of bytes; written `64MiB`, `1GB` or as a plain number.
struct ByteSize {
  int64_t bytes = 0;
  friend bool operator==(ByteSize, ByteSize) = default;
};

/// A value as it was given, and by whom: for messages.
struct ConfigValue {
  using List = std::vector<std::string>;
  using Map = std::map<std::string, std::string>;
  std::variant<std::string, bool, int64_t, double, List, Map> value;
  std::string origin = "the configuration";  ///< such as "--set port" or "targets.prod in a.toml"
};

/// Field name → value. A dotted name such as `columns.NAME` sets one entry of a map field.
using ConfigMap = std::map<std::string, ConfigValue, std::less<>>;

enum class FieldType { kString, kBool, kInteger, kNumber, kDuration, kSize, kList, kMap, kChoice };
AMP_EXPORT std::string_view ToString(FieldType type);

/// One field with its type erased.
struct FieldSpec {
  std::string_view name;
  std::string_view doc;
  FieldType type = FieldType::kString;
  bool required = false;
  bool secret = false;
  std::optional<int64_t> min = {};
  std::optional<int64_t> max = {};
  std::vector<std::string_view> aliases = {};
  std::vector<std::string_view> choices = {};
  std::function<Status(const FieldSpec&, void* config, const ConfigValue&)> set = {};
  /// The field's value as text that `set` reads back; empty when unset.
  std::function<std::string(const void* config)> text = {};
  std::function<void(void* to, const void* from)> copy = {};
};

namespace internal {

AMP_EXPORT Status ReadValue(const FieldSpec&, const ConfigValue&, std::string* out);
AMP_EXPORT Status ReadValue(const FieldSpec&, const ConfigValue&, bool* out);
AMP_EXPORT Status ReadValue(const FieldSpec&, const ConfigValue&, int64_t* out);
AMP_EXPORT Status ReadValue(const FieldSpec&, const ConfigValue&, double* out);
AMP_EXPORT Status ReadValue(const FieldSpec&, const ConfigValue&, std::chrono::milliseconds* out);
AMP_EXPORT Status ReadValue(const FieldSpec&, const ConfigValue&, ByteSize* out);
AMP_EXPORT Status ReadValue(const FieldSpec&, const ConfigValue&, ConfigValue::List* out);
AMP_EXPORT Status ReadValue(const FieldSpec&, const ConfigValue&, ConfigValue::Map* out);
AMP_EXPORT Status ReadChoice(const FieldSpec&, const ConfigValue&, size_t* out);

AMP_EXPORT std::string TextOf(const std::string&);
AMP_EXPORT std::string TextOf(bool);
AMP_EXPORT std::string TextOf(int64_t);
AMP_EXPORT std::string TextOf(double);
AMP_EXPORT std::string TextOf(std::chrono::milliseconds);
AMP_EXPORT std::string TextOf(ByteSize);
AMP_EXPORT std::string TextOf(const ConfigValue::List&);
AMP_EXPORT std::string TextOf(const ConfigValue::Map&);

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};

template <class T>
concept Duration = std::is_convertible_v<T, std::chrono::milliseconds> && !std::is_arithmetic_v<T>;
template <class T>
concept NamedEnum = std::is_enum_v<T> && requires(T value) { AmpEnumNames(value); };

template <class T>
constexpr FieldType FieldTypeOf() {
  if constexpr (IsOptional<T>::value) {
    return FieldTypeOf<typename T::value_type>();
  } else if constexpr (std::is_same_v<T, std::string>) {
    return FieldType::kString;
  } else if constexpr (std::is_same_v<T, bool>) {
    return FieldType::kBool;
  } else if constexpr (std::is_integral_v<T>) {
    return FieldType::kInteger;
  } else if constexpr (std::is_same_v<T, double>) {
    return FieldType::kNumber;
  } else if constexpr (Duration<T>) {
    return FieldType::kDuration;
  } else if constexpr (std::is_same_v<T, ByteSize>) {
    return FieldType::kSize;
  } else if constexpr (std::is_same_v<T, ConfigValue::List>) {
    return FieldType::kList;
  } else if constexpr (std::is_same_v<T, ConfigValue::Map>) {
    return FieldType::kMap;
  } else {
    static_assert(NamedEnum<T>, "a member of this type cannot be a configuration field");
    return FieldType::kChoice;
  }
}

template <class T>
std::vector<std::string_view> ChoicesOf() {
  if constexpr (IsOptional<T>::value) {
    return ChoicesOf<typename T::value_type>();
  } else if constexpr (NamedEnum<T>) {
    const auto names = AmpEnumNames(T{});
    return {names.begin(), names.end()};
  } else {
    return {};
  }
}

template <class T>
Status ReadMember(const FieldSpec& field, const ConfigValue& value, T* out) {
  if constexpr (IsOptional<T>::value) {
    typename T::value_type inner{};
    ARROW_RETURN_NOT_OK(ReadMember(field, value, &inner));
    *out = std::move(inner);
    return Status::OK();
  } else if constexpr (NamedEnum<T>) {
    size_t index = 0;
    ARROW_RETURN_NOT_OK(ReadChoice(field, value, &index));
    *out = static_cast<T>(index);
    return Status::OK();
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    int64_t wide = 0;
    ARROW_RETURN_NOT_OK(ReadValue(field, value, &wide));
    *out = static_cast<T>(wide);
    return Status::OK();
  } else if constexpr (Duration<T>) {
    std::chrono::milliseconds fine{};
    ARROW_RETURN_NOT_OK(ReadValue(field, value, &fine));
    *out = std::chrono::duration_cast<T>(fine);
    if (*out != fine) return Status::Invalid("must be whole seconds");
    return Status::OK();
  } else {
    return ReadValue(field, value, out);
  }
}

template <class T>
std::string MemberText(const T& member) {
  if constexpr (IsOptional<T>::value) {
    return member ? MemberText(*member) : std::string();
  } else if constexpr (NamedEnum<T>) {
    return std::string(AmpEnumNames(member)[static_cast<size_t>(member)]);
  } else if constexpr (std::is_integral_v<T> && !std::is_same_v<T, bool>) {
    return TextOf(static_cast<int64_t>(member));
  } else if constexpr (Duration<T>) {
    return TextOf(std::chrono::duration_cast<std::chrono::milliseconds>(member));
  } else {
    return TextOf(member);
  }
}

}  // namespace internal

/// One line of a field list; see the top of this file.
template <class Config, class Member>
class Field {
 public:
  constexpr Field(std::string_view name, Member Config::*member, std::string_view doc)
      : name_(name), doc_(doc), member_(member) {
    // An int member is bounded by its type, so that nothing is cut on the way in.
    if constexpr (std::is_same_v<Member, int>) Range(INT32_MIN, INT32_MAX);
  }

  constexpr Field Required() const {
    return With([](Field& f) { f.required_ = true; });
  }
  /// Never shown; may be given as `${ENVIRONMENT_VARIABLE}` or `file:PATH`.
  constexpr Field Secret() const {
    return With([](Field& f) { f.secret_ = true; });
  }
  /// Another name that is accepted too.
  constexpr Field Alias(std::string_view alias) const {
    return With([&](Field& f) { f.aliases_[f.alias_count_++] = alias; });
  }
  /// Smallest and largest value, inclusive (in bytes for sizes, in milliseconds for durations).
  constexpr Field Between(int64_t min, int64_t max) const {
    return With([&](Field& f) { f.Range(min, max); });
  }

  FieldSpec Erase() const {
    FieldSpec spec{.name = name_,
                   .doc = doc_,
                   .type = internal::FieldTypeOf<Member>(),
                   .required = required_,
                   .secret = secret_,
                   .min = min_,
                   .max = max_};
    spec.aliases.assign(aliases_.begin(), aliases_.begin() + alias_count_);
    spec.choices = internal::ChoicesOf<Member>();
    spec.set = [member = member_](const FieldSpec& field, void* config, const ConfigValue& value) {
      return internal::ReadMember(field, value, &(static_cast<Config*>(config)->*member));
    };
    spec.text = [member = member_](const void* config) {
      return internal::MemberText(static_cast<const Config*>(config)->*member);
    };
    spec.copy = [member = member_](void* to, const void* from) {
      static_cast<Config*>(to)->*member = static_cast<const Config*>(from)->*member;
    };
    return spec;
  }

 private:
  template <class Change>
  constexpr Field With(Change change) const {
    Field copy = *this;
    change(copy);
    return copy;
  }
  constexpr void Range(int64_t min, int64_t max) {
    min_ = min;
    max_ = max;
  }

  std::string_view name_, doc_;
  Member Config::*member_;
  bool required_ = false, secret_ = false;
  std::optional<int64_t> min_ = {}, max_ = {};
  std::array<std::string_view, 4> aliases_ = {};
  size_t alias_count_ = 0;
};

/// The fields of a configuration struct, made once.
template <class Config>
const std::vector<FieldSpec>& FieldsOf() {
  static const std::vector<FieldSpec> fields =
      std::apply([](const auto&... field) { return std::vector<FieldSpec>{field.Erase()...}; },
                 Config::Fields());
  return fields;
}

/// Writes `values` into `config`. Errors: ConfigInvalid, for an unknown or missing field, a wrong
/// type, or a value out of range; `owner` (such as "postgresql") says whose field it is.
AMP_EXPORT Status ApplyConfig(std::string_view owner, const std::vector<FieldSpec>& fields,
                              const ConfigMap& values, void* config);

/// What `Config::Validate()` says, or OK where there is none.
template <class Config>
Status ValidateConfig(const Config& config) {
  if constexpr (requires { config.Validate(); }) {
    return config.Validate();
  } else {
    return Status::OK();
  }
}

template <class Config>
Result<Config> ParseConfig(std::string_view owner, const ConfigMap& values) {
  Config config;
  ARROW_RETURN_NOT_OK(ApplyConfig(owner, FieldsOf<Config>(), values, &config));
  ARROW_RETURN_NOT_OK(ValidateConfig(config));
  return config;
}

/// Checks that required fields of a struct filled by hand are set, and validates it.
AMP_EXPORT Status CheckRequired(std::string_view owner, const std::vector<FieldSpec>& fields,
                                const void* config);

/// Finds a field by name, alias, or as the map in a dotted name; null where there is none.
AMP_EXPORT const FieldSpec* FindField(const std::vector<FieldSpec>& fields, std::string_view name);

/// The fields that environment variables AMPLOAD_<OWNER>_<FIELD> set.
AMP_EXPORT ConfigMap EnvironmentConfig(std::string_view owner,
                                       const std::vector<FieldSpec>& fields);

/// Splits `scheme://user:password@host:port/path?name=value` into the fields user, password, host,
/// port, `path_field` and the parameters; also `scheme:PATH`, whose whole rest is `path_field`.
/// A loader whose `path_field` is "path" takes all after `scheme:` or `scheme://` as it is.
AMP_EXPORT Result<ConfigMap> ParseUrl(std::string_view url, std::string_view path_field);

/// A configuration whose `url` field is spelled out into the other fields; what those say
/// themselves goes before it.
template <class Config>
Result<Config> ExpandUrl(std::string_view owner, const Config& config,
                         std::string_view path_field) {
  if (config.url.empty()) return config;
  ARROW_ASSIGN_OR_RAISE(const ConfigMap values, ParseUrl(config.url, path_field));
  Config expanded;
  ARROW_RETURN_NOT_OK(ApplyConfig(owner, FieldsOf<Config>(), values, &expanded));
  const Config defaults;
  for (const FieldSpec& field : FieldsOf<Config>()) {
    if (field.text(&config) != field.text(&defaults)) field.copy(&expanded, &config);
  }
  expanded.url.clear();
  return expanded;
}

/// The URL with its password taken out: what may be shown.
AMP_EXPORT std::string RedactUrl(std::string_view url);

/// `name=value …` of every field that differs from its default, secrets as "***".
AMP_EXPORT std::string RedactedText(const std::vector<FieldSpec>& fields, const void* config,
                                    const void* defaults);

/// JSON Schema (draft 2020-12) of a configuration.
AMP_EXPORT std::string JsonSchemaOf(std::string_view owner, const std::vector<FieldSpec>& fields,
                                    const void* defaults);

/// The one of `candidates` that `word` was probably meant to be; empty where none is near.
AMP_EXPORT std::string NearestName(std::string_view word,
                                   const std::vector<std::string>& candidates);

}  // namespace amp
