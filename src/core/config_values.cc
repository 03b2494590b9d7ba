// Values of configuration fields: text (from flags, URLs and the environment) or typed (from a
// file) to members and back.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "amp/config.h"
#include "core/text.h"

namespace amp {
namespace {

constexpr std::array<std::string_view, 9> kTypeNames{
    "string", "bool", "integer", "number", "duration", "size", "list", "map", "choice"};

// What a field is to be given, for messages.
std::string_view Wanted(FieldType type) {
  switch (type) {
    case FieldType::kString:
      return "a string";
    case FieldType::kBool:
      return "true or false";
    case FieldType::kInteger:
      return "a whole number";
    case FieldType::kNumber:
      return "a number";
    case FieldType::kDuration:
      return "a duration such as 250ms, 10s or 5m";
    case FieldType::kSize:
      return "a size such as 64MiB or 1GB";
    case FieldType::kList:
      return "a list such as a,b";
    case FieldType::kMap:
      return "named values";
    case FieldType::kChoice:
      return "one of its names";
  }
  return "something else";
}

std::string Shown(const FieldSpec& field, const ConfigValue& value) {
  if (field.secret) return "what it was given";
  return std::visit(
      [](const auto& v) -> std::string {
        using T = std::decay_t<decltype(v)>;
        if constexpr (std::is_same_v<T, std::string>) {
          return fmt::format("'{}'", v);
        } else if constexpr (std::is_same_v<T, ConfigValue::List>) {
          return "a list";
        } else if constexpr (std::is_same_v<T, ConfigValue::Map>) {
          return "a table of values";
        } else {
          return fmt::format("{}", v);
        }
      },
      value.value);
}

Status WrongType(const FieldSpec& field, const ConfigValue& value) {
  return Status::Invalid(
      fmt::format("must be {}, not {}", Wanted(field.type), Shown(field, value)));
}

Status CheckRange(const FieldSpec& field, int64_t number) {
  if ((!field.min || number >= *field.min) && (!field.max || number <= *field.max)) {
    return Status::OK();
  }
  return Status::Invalid(
      fmt::format("must be between {} and {}, not {}", *field.min, *field.max, number));
}

struct Unit {
  std::string_view name;
  double factor;
};

// `12unit` → 12 × factor. An empty unit name stands for a plain number.
std::optional<double> ReadWithUnit(std::string_view text, const std::vector<Unit>& units) {
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || number < 0) return std::nullopt;
  std::string_view unit(end, text.data() + text.size() - end);
  while (unit.starts_with(' ')) unit.remove_prefix(1);
  for (const Unit& known : units) {
    if (unit == known.name) return number * known.factor;
  }
  return std::nullopt;
}

const std::vector<Unit>& DurationUnits() {
  static const std::vector<Unit> units{{"", 1000},    {"ms", 1},        {"s", 1000},
                                       {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  return units;
}

const std::vector<Unit>& SizeUnits() {
  static const std::vector<Unit> units{{"", 1},
                                       {"B", 1},
                                       {"kB", 1e3},
                                       {"KB", 1e3},
                                       {"MB", 1e6},
                                       {"GB", 1e9},
                                       {"TB", 1e12},
                                       {"KiB", 1024.0},
                                       {"MiB", 1048576.0},
                                       {"GiB", 1073741824.0},
                                       {"TiB", 1099511627776.0}};
  return units;
}

Status ReadUnits(const FieldSpec& field, const ConfigValue& value, const std::vector<Unit>& units,
                 int64_t* out) {
  std::optional<double> number;
  if (const auto* text = std::get_if<std::string>(&value.value)) {
    number = ReadWithUnit(*text, units);
  } else if (const auto* integer = std::get_if<int64_t>(&value.value); integer && *integer >= 0) {
    number = static_cast<double>(*integer) * units[0].factor;
  }
  // The comparison is false for NaN, too.
  if (!number || !(*number <= 9e18)) return WrongType(field, value);
  *out = std::llround(*number);
  return CheckRange(field, *out);
}

}  // namespace

std::string_view ToString(FieldType type) { return kTypeNames[static_cast<size_t>(type)]; }

namespace internal {

Status ReadValue(const FieldSpec& field, const ConfigValue& value, std::string* out) {
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) return WrongType(field, value);
  *out = *text;
  return Status::OK();
}

Status ReadValue(const FieldSpec& field, const ConfigValue& value, bool* out) {
  if (const auto* typed = std::get_if<bool>(&value.value)) {
    *out = *typed;
    return Status::OK();
  }
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr || (*text != "true" && *text != "false")) return WrongType(field, value);
  *out = *text == "true";
  return Status::OK();
}

Status ReadValue(const FieldSpec& field, const ConfigValue& value, int64_t* out) {
  if (const auto* typed = std::get_if<int64_t>(&value.value)) {
    *out = *typed;
    return CheckRange(field, *out);
  }
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) return WrongType(field, value);
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *out);
  if (error != std::errc() || end != text->data() + text->size()) return WrongType(field, value);
  return CheckRange(field, *out);
}

Status ReadValue(const FieldSpec& field, const ConfigValue& value, double* out) {
  if (const auto* typed = std::get_if<double>(&value.value)) {
    *out = *typed;
    return Status::OK();
  }
  if (const auto* whole = std::get_if<int64_t>(&value.value)) {
    *out = static_cast<double>(*whole);
    return Status::OK();
  }
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) return WrongType(field, value);
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), *out);
  if (error != std::errc() || end != text->data() + text->size()) return WrongType(field, value);
  return Status::OK();
}

Status ReadValue(const FieldSpec& field, const ConfigValue& value, std::chrono::milliseconds* out) {
  int64_t ms = 0;
  ARROW_RETURN_NOT_OK(ReadUnits(field, value, DurationUnits(), &ms));
  *out = std::chrono::milliseconds(ms);
  return Status::OK();
}

Status ReadValue(const FieldSpec& field, const ConfigValue& value, ByteSize* out) {
  return ReadUnits(field, value, SizeUnits(), &out->bytes);
}

Status ReadValue(const FieldSpec& field, const ConfigValue& value, ConfigValue::List* out) {
  if (const auto* typed = std::get_if<ConfigValue::List>(&value.value)) {
    *out = *typed;
    return Status::OK();
  }
  const auto* text = std::get_if<std::string>(&value.value);
  if (text == nullptr) return WrongType(field, value);
  *out = SplitList(*text);
  return Status::OK();
}

Status ReadValue(const FieldSpec& field, const ConfigValue& value, ConfigValue::Map* out) {
  const auto* typed = std::get_if<ConfigValue::Map>(&value.value);
  if (typed == nullptr) return WrongType(field, value);
  for (const auto& [name, text] : *typed) (*out)[name] = text;
  return Status::OK();
}

Status ReadChoice(const FieldSpec& field, const ConfigValue& value, size_t* out) {
  const auto* text = std::get_if<std::string>(&value.value);
  const auto found = text == nullptr ? field.choices.end()
                                     : std::find(field.choices.begin(), field.choices.end(), *text);
  if (found == field.choices.end()) {
    return Status::Invalid(fmt::format("must be one of {}, not {}", fmt::join(field.choices, ", "),
                                       Shown(field, value)));
  }
  *out = static_cast<size_t>(found - field.choices.begin());
  return Status::OK();
}

std::string TextOf(const std::string& value) { return value; }
std::string TextOf(bool value) { return value ? "true" : "false"; }
std::string TextOf(int64_t value) { return fmt::format("{}", value); }
std::string TextOf(double value) { return fmt::format("{}", value); }

std::string TextOf(std::chrono::milliseconds value) {
  const int64_t ms = value.count();
  if (ms == 0) return "0s";
  if (ms % 60'000 == 0) return fmt::format("{}m", ms / 60'000);
  return ms % 1000 == 0 ? fmt::format("{}s", ms / 1000) : fmt::format("{}ms", ms);
}

std::string TextOf(ByteSize value) {
  constexpr std::array<std::string_view, 4> kUnits{"", "KiB", "MiB", "GiB"};
  int64_t number = value.bytes;
  size_t unit = 0;
  while (number != 0 && number % 1024 == 0 && unit + 1 < kUnits.size()) {
    number /= 1024;
    ++unit;
  }
  return fmt::format("{}{}", number, kUnits[unit]);
}

std::string TextOf(const ConfigValue::List& value) {
  return fmt::format("{}", fmt::join(value, ","));
}

std::string TextOf(const ConfigValue::Map& value) {
  std::vector<std::string> parts;
  for (const auto& [name, text] : value) parts.push_back(name + "=" + text);
  return fmt::format("{}", fmt::join(parts, ","));
}

}  // namespace internal
}  // namespace amp
