#include "storage/signature.h"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <algorithm>
#include <array>
#include <sstream>
#include <vector>

namespace amp::testing {
namespace {

std::string Hex(const std::string& bytes) {
  std::string hex;
  for (const char c : bytes) {
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) >> 4];
    hex += "0123456789abcdef"[static_cast<uint8_t>(c) & 15];
  }
  return hex;
}

std::string Hmac(const std::string& key, const std::string& text) {
  std::array<unsigned char, 32> out{};
  unsigned int size = 0;
  HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), out.data(), &size);
  return std::string(out.begin(), out.end());
}

std::vector<std::string> Split(const std::string& text, char separator) {
  std::vector<std::string> parts;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, separator);) parts.push_back(part);
  return parts;
}

/// The value of `name=` in an Authorization header.
std::string Part(const std::string& header, const std::string& name) {
  const size_t at = header.find(name + "=");
  if (at == std::string::npos) return {};
  const size_t start = at + name.size() + 1;
  return header.substr(start, header.find_first_of(", ", start) - start);
}

std::string CanonicalQuery(const std::string& query) {
  std::vector<std::string> parts = Split(query, '&');
  for (std::string& part : parts) {
    if (part.find('=') == std::string::npos) part += '=';
  }
  std::sort(parts.begin(), parts.end());
  std::string joined;
  for (const std::string& part : parts) joined += (joined.empty() ? "" : "&") + part;
  return joined;
}

std::string CanonicalRequest(const SeenRequest& request, const std::string& signed_headers) {
  std::string text =
      request.method + "\n" + request.path + "\n" + CanonicalQuery(request.query) + "\n";
  for (const std::string& name : Split(signed_headers, ';')) {
    text += name + ":" + request.Header(name) + "\n";
  }
  return text + "\n" + signed_headers + "\n" + request.Header("x-amz-content-sha256");
}

// Whatever an attacker could change to his advantage must be signed.
std::string CheckSignedHeaders(const SeenRequest& request, const std::string& signed_headers) {
  const std::string all = ";" + signed_headers + ";";
  for (const char* name : {"host", "x-amz-date", "x-amz-content-sha256"}) {
    if (all.find(";" + std::string(name) + ";") == std::string::npos) {
      return std::string(name) + " is not signed";
    }
  }
  for (const auto& [name, value] : request.headers) {
    const bool must = name.starts_with("x-amz-") || name == "if-none-match" || name == "range";
    if (must && all.find(";" + name + ";") == std::string::npos) return name + " is not signed";
  }
  return {};
}

}  // namespace

std::string HexSha256(const std::string& bytes) {
  std::array<unsigned char, 32> out{};
  unsigned int size = 0;
  EVP_Digest(bytes.data(), bytes.size(), out.data(), &size, EVP_sha256(), nullptr);
  return Hex(std::string(out.begin(), out.end()));
}

std::string CheckSignature(const SeenRequest& request, const std::string& key_id,
                           const std::string& secret) {
  const std::string header = request.Header("authorization");
  const auto scope = Split(Part(header, "Credential"), '/');
  if (!header.starts_with("AWS4-HMAC-SHA256 ") || scope.size() != 5) return "no signature";
  if (scope[0] != key_id) return "another key";
  if (request.Header("x-amz-content-sha256") != HexSha256(request.body)) return "payload hash";
  const std::string signed_headers = Part(header, "SignedHeaders");
  if (std::string wrong = CheckSignedHeaders(request, signed_headers); !wrong.empty()) return wrong;
  const std::string rest = scope[1] + "/" + scope[2] + "/" + scope[3] + "/" + scope[4];
  const std::string to_sign = "AWS4-HMAC-SHA256\n" + request.Header("x-amz-date") + "\n" + rest +
                              "\n" + HexSha256(CanonicalRequest(request, signed_headers));
  std::string key = Hmac("AWS4" + secret, scope[1]);
  for (size_t i = 2; i < 5; ++i) key = Hmac(key, scope[i]);
  return Hex(Hmac(key, to_sign)) == Part(header, "Signature") ? "" : "another signature";
}

}  // namespace amp::testing
