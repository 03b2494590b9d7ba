#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"

/// Small things about text.
namespace amp {

AMP_EXPORT Result<std::string> ReadTextFile(const std::string& path);

/// "a, b" → {"a", "b"}; empty parts are left out.
AMP_EXPORT std::vector<std::string> SplitList(std::string_view text);

/// AMPLOAD_<OWNER>_<FIELD>
AMP_EXPORT std::string EnvironmentName(std::string_view owner, std::string_view field);

/// Is a parameter of this name a secret, whoever's it is?
AMP_EXPORT bool IsSecretName(std::string_view name);

/// Lower-case digits, without a prefix.
AMP_EXPORT void AppendHex(const uint8_t* bytes, size_t size, std::string* out);
/// None where `hex` is not pairs of hex digits.
AMP_EXPORT std::optional<std::string> HexDecode(std::string_view hex);

/// 1234567 → "1,234,567"
AMP_EXPORT std::string Grouped(int64_t number);
/// 3221225472 → "3.0 GiB"
AMP_EXPORT std::string HumanBytes(int64_t bytes);

}  // namespace amp
