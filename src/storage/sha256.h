#pragma once

#include <string>
#include <string_view>

namespace amp::storage {

/// The SHA-256 of `bytes` in lower-case hex digits.
std::string Sha256Hex(std::string_view bytes);

/// The MD5 of `bytes` in Base64, which S3 wants with lists of objects to delete.
std::string Md5Base64(std::string_view bytes);

}  // namespace amp::storage
