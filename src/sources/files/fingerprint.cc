#include "sources/files/fingerprint.h"

#include <arrow/buffer.h>
#include <arrow/io/interfaces.h>
#include <fmt/format.h>

#include <algorithm>
#include <cstring>
#include <string_view>

namespace amp {
namespace {

constexpr int64_t kEnd = 64 << 10;

// FNV-1a of 64 bits (draft-eastlake-fnv): the same in every version, which is what counts here.
class Fnv1a {
 public:
  void Add(const arrow::Buffer& bytes) {
    for (const char c : std::string_view(bytes)) {
      hash_ = (hash_ ^ static_cast<uint8_t>(c)) * 0x100000001b3U;
    }
  }
  uint64_t hash() const { return hash_; }

 private:
  uint64_t hash_ = 0xcbf29ce484222325U;
};

/// Bytes of a Parquet file from the start of its footer on; 0 where it is no Parquet file. The file
/// ends with the footer's length (4 bytes, little-endian) and "PAR1".
Result<int64_t> FooterBytes(arrow::io::RandomAccessFile* file, int64_t size) {
  constexpr int64_t kTail = 8;
  if (size < kTail) return 0;
  ARROW_ASSIGN_OR_RAISE(const auto tail, file->ReadAt(size - kTail, kTail));
  if (!std::string_view(*tail).ends_with("PAR1")) return 0;
  uint32_t length = 0;
  std::memcpy(&length, tail->data(), sizeof(length));
  return std::min(size, int64_t{length} + kTail);
}

Result<std::string> HashOf(InputFiles* files, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto file, files->Open(path));
  ARROW_ASSIGN_OR_RAISE(const int64_t size, file->GetSize());
  ARROW_ASSIGN_OR_RAISE(const int64_t footer, FooterBytes(file.get(), size));
  Fnv1a hash;
  if (footer == 0) {
    ARROW_ASSIGN_OR_RAISE(const auto start, file->ReadAt(0, std::min(size, kEnd)));
    hash.Add(*start);
  }
  const int64_t end = footer > 0 ? footer : std::min(size, kEnd);
  ARROW_ASSIGN_OR_RAISE(const auto bytes, file->ReadAt(size - end, end));
  hash.Add(*bytes);
  return fmt::format("0x{:016x}{:016x}", static_cast<uint64_t>(size), hash.hash());
}

}  // namespace

Result<std::string> Fingerprint(InputFiles* files, const std::string& path) {
  auto hash = HashOf(files, path);
  if (hash.ok()) return hash;
  if (hash.status().message().starts_with("file '")) return hash;
  return WithSide(WithContext(hash.status(), fmt::format("file '{}'", path)), ErrorSide::kSource);
}

}  // namespace amp
