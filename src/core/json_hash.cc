#include "core/json_hash.h"

#include <bit>
#include <nlohmann/json.hpp>

namespace amp {
namespace {

enum Tag : uint64_t { kNull = 10, kBool, kNumber, kText, kArray, kObject };

Hash128 HashOf(const nlohmann::json& value);

Hash128 HashArray(const nlohmann::json& array) {
  Hash128 hash = HashWords(array.size(), 0, kArray);
  for (const auto& item : array) hash = Chain(hash, HashOf(item));
  return hash;
}

Hash128 HashObject(const nlohmann::json& object) {
  Uint128 sum = 0;
  for (const auto& [name, value] : object.items()) {
    sum += Chain(HashBytes(name), HashOf(value)).number();
  }
  return HashInteger(static_cast<Int128>(sum), kObject);
}

// Integers beyond 2^53 that are no text come from doubles, which a database may write out whole.
Hash128 HashNumber(double value) {
  if (value == 0) value = 0;  // no -0
  return HashWords(std::bit_cast<uint64_t>(value), 0, kNumber);
}

Hash128 HashOf(const nlohmann::json& value) {
  switch (value.type()) {
    case nlohmann::json::value_t::object:
      return HashObject(value);
    case nlohmann::json::value_t::array:
      return HashArray(value);
    case nlohmann::json::value_t::string:
      return Chain(HashWords(0, 0, kText), HashBytes(value.get_ref<const std::string&>()));
    case nlohmann::json::value_t::boolean:
      return HashWords(value.get<bool>() ? 1 : 0, 0, kBool);
    case nlohmann::json::value_t::number_integer:
    case nlohmann::json::value_t::number_unsigned:
    case nlohmann::json::value_t::number_float:
      return HashNumber(value.get<double>());
    default:
      return HashWords(0, 0, kNull);
  }
}

}  // namespace

Hash128 HashJson(std::string_view text) {
  const auto value = nlohmann::json::parse(text.begin(), text.end(), /*callback=*/nullptr,
                                           /*allow_exceptions=*/false);
  return value.is_discarded() ? HashBytes(text) : HashOf(value);
}

}  // namespace amp
