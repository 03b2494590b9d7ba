#include "storage/sha256.h"

#include <openssl/evp.h>

#include <array>

#include "core/text.h"

namespace amp::storage {
namespace {

struct Digest {
  std::array<uint8_t, EVP_MAX_MD_SIZE> bytes{};
  unsigned int size = 0;
};

Digest DigestOf(std::string_view bytes, const EVP_MD* kind) {
  Digest digest;
  EVP_Digest(bytes.data(), bytes.size(), digest.bytes.data(), &digest.size, kind, nullptr);
  return digest;
}

}  // namespace

std::string Sha256Hex(std::string_view bytes) {
  const Digest digest = DigestOf(bytes, EVP_sha256());
  std::string hex;
  AppendHex(digest.bytes.data(), digest.size, &hex);
  return hex;
}

std::string Md5Base64(std::string_view bytes) {
  const Digest digest = DigestOf(bytes, EVP_md5());
  std::array<uint8_t, 64> text{};
  const int size = EVP_EncodeBlock(text.data(), digest.bytes.data(), static_cast<int>(digest.size));
  return std::string(text.begin(), text.begin() + size);
}

}  // namespace amp::storage
