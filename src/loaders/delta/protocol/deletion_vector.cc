#include "loaders/delta/protocol/deletion_vector.h"

#include <fmt/format.h>

#include <array>
#include <bit>
#include <cstring>

#include "loaders/delta/protocol/paths.h"

namespace amp::delta {
namespace {

Status Broken(std::string_view what) {
  return MakeError({.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget},
                   fmt::format("a deletion vector is broken: {}", what));
}

constexpr std::string_view kZ85 =
    "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

// Takes numbers from the front of some bytes; once they end, it has failed.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : bytes_(bytes) {}

  template <class T>
  T Little() {
    const std::string_view taken = Bytes(sizeof(T));
    T value = 0;
    for (size_t i = taken.size(); i-- > 0;) {
      value = static_cast<T>(static_cast<uint64_t>(value) << 8 | static_cast<uint8_t>(taken[i]));
    }
    return value;
  }
  uint32_t Big32() { return __builtin_bswap32(Little<uint32_t>()); }
  std::string_view Bytes(size_t count) {
    if (failed_ || bytes_.size() < count) {
      failed_ = true;
      return {};
    }
    const std::string_view taken = bytes_.substr(0, count);
    bytes_.remove_prefix(count);
    return taken;
  }
  bool failed() const { return failed_; }

 private:
  std::string_view bytes_;
  bool failed_ = false;
};

// CRC-32 as in zlib.
uint32_t Crc32(std::string_view bytes) {
  static const auto table = [] {
    std::array<uint32_t, 256> out{};
    for (uint32_t i = 0; i < 256; ++i) {
      uint32_t value = i;
      for (int bit = 0; bit < 8; ++bit) {
        value = (value & 1U) != 0 ? 0xEDB88320U ^ (value >> 1) : value >> 1;
      }
      out[i] = value;
    }
    return out;
  }();
  uint32_t crc = ~0U;
  for (const char c : bytes) crc = table[(crc ^ static_cast<uint8_t>(c)) & 0xFF] ^ (crc >> 8);
  return ~crc;
}

// Collects rows up to the number that there should be.
class RowCollector {
 public:
  explicit RowCollector(uint64_t most) : most_(most) {}

  bool Add(uint64_t row) {
    if (rows_.size() >= most_) return false;
    rows_.push_back(row);
    return true;
  }
  DeletedRows Take() { return std::move(rows_); }

 private:
  uint64_t most_;
  DeletedRows rows_;
};

constexpr uint32_t kCookieWithRuns = 12347;
constexpr uint32_t kCookie = 12346;
constexpr uint32_t kNoOffsetsBelow = 4;
constexpr uint32_t kLargestArray = 4096;
constexpr size_t kBitmapBytes = 8192;

struct Container {
  uint64_t high = 0;  // the upper bits of all its values
  uint32_t count = 0;
  bool runs = false;
};

bool ReadRuns(ByteReader* in, const Container& container, RowCollector* out) {
  const uint32_t runs = in->Little<uint16_t>();
  for (uint32_t i = 0; i < runs && !in->failed(); ++i) {
    const uint32_t start = in->Little<uint16_t>();
    const uint32_t more = in->Little<uint16_t>();
    if (start + more > 0xFFFF) return false;
    for (uint32_t value = start; value <= start + more; ++value) {
      if (!out->Add(container.high | value)) return false;
    }
  }
  return !in->failed();
}

bool ReadArray(ByteReader* in, const Container& container, RowCollector* out) {
  for (uint32_t i = 0; i < container.count; ++i) {
    const uint32_t value = in->Little<uint16_t>();
    if (in->failed() || !out->Add(container.high | value)) return false;
  }
  return true;
}

bool ReadBits(ByteReader* in, const Container& container, RowCollector* out) {
  const std::string_view bits = in->Bytes(kBitmapBytes);
  for (size_t i = 0; i < bits.size(); ++i) {
    for (auto byte = static_cast<uint8_t>(bits[i]); byte != 0; byte &= byte - 1) {
      if (!out->Add(container.high | (i * 8 + static_cast<size_t>(std::countr_zero(byte))))) {
        return false;
      }
    }
  }
  return !in->failed();
}

bool ReadContainer(ByteReader* in, const Container& container, RowCollector* out) {
  if (container.runs) return ReadRuns(in, container, out);
  return container.count <= kLargestArray ? ReadArray(in, container, out)
                                          : ReadBits(in, container, out);
}

// The head of a 32-bit bitmap: how many containers there are, what is in them, and where.
bool ReadHead(ByteReader* in, uint64_t high, std::vector<Container>* out) {
  const uint32_t cookie = in->Little<uint32_t>();
  const bool has_runs = (cookie & 0xFFFF) == kCookieWithRuns;
  if (!has_runs && cookie != kCookie) return false;
  const uint32_t containers = has_runs ? (cookie >> 16) + 1 : in->Little<uint32_t>();
  if (containers > 0x10000) return false;
  const std::string_view run_flags = has_runs ? in->Bytes((containers + 7) / 8) : "";
  for (uint32_t i = 0; i < containers && !in->failed(); ++i) {
    const uint64_t key = in->Little<uint16_t>();
    const uint32_t count = in->Little<uint16_t>() + 1U;
    const bool runs = has_runs && ((static_cast<uint8_t>(run_flags[i / 8]) >> (i % 8)) & 1) != 0;
    out->push_back({high | key << 16, count, runs});
  }
  // Offsets of the containers, which follow one another anyway.
  if (!has_runs || containers >= kNoOffsetsBelow) in->Bytes(size_t{4} * containers);
  return !in->failed();
}

bool ReadBitmap32(ByteReader* in, uint64_t high, RowCollector* out) {
  std::vector<Container> containers;
  if (!ReadHead(in, high, &containers)) return false;
  for (const Container& container : containers) {
    if (!ReadContainer(in, container, out)) return false;
  }
  return true;
}

}  // namespace

Result<std::string> DecodeZ85(std::string_view text) {
  if (text.size() % 5 != 0) return Broken("its text is not whole groups of five");
  std::string bytes;
  for (size_t i = 0; i < text.size(); i += 5) {
    uint64_t value = 0;
    for (size_t j = 0; j < 5; ++j) {
      const size_t digit = kZ85.find(text[i + j]);
      if (digit == std::string_view::npos) return Broken("its text is not Z85");
      value = value * 85 + digit;
    }
    if (value > 0xFFFFFFFFU) return Broken("its text is not Z85");
    for (int shift = 24; shift >= 0; shift -= 8) {
      bytes.push_back(static_cast<char>(value >> shift & 0xFF));
    }
  }
  return bytes;
}

Result<std::string> DeletionVectorPath(const DeletionVectorDescriptor& descriptor) {
  if (descriptor.storage_type == "i") return std::string();
  if (descriptor.storage_type == "p") return DecodePath(descriptor.path_or_inline_dv);
  constexpr size_t kUuidDigits = 20;
  const std::string_view text = descriptor.path_or_inline_dv;
  if (descriptor.storage_type != "u" || text.size() < kUuidDigits) {
    return Broken(fmt::format("its storage type is '{}'", descriptor.storage_type));
  }
  ARROW_ASSIGN_OR_RAISE(const std::string uuid, DecodeZ85(text.substr(text.size() - kUuidDigits)));
  std::string name;
  for (size_t i = 0; i < uuid.size(); ++i) {
    if (i == 4 || i == 6 || i == 8 || i == 10) name.push_back('-');
    fmt::format_to(std::back_inserter(name), "{:02x}", static_cast<uint8_t>(uuid[i]));
  }
  const std::string_view prefix = text.substr(0, text.size() - kUuidDigits);
  return fmt::format("{}{}deletion_vector_{}.bin", prefix, prefix.empty() ? "" : "/", name);
}

Result<DeletedRows> ParseRowBitmap(std::string_view bytes, int64_t cardinality) {
  constexpr uint32_t kMagic = 1681511377;
  ByteReader in(bytes);
  if (in.Little<uint32_t>() != kMagic) return Broken("it has another format (magic number)");
  const auto buckets = in.Little<uint64_t>();
  RowCollector rows(cardinality < 0 ? 0 : static_cast<uint64_t>(cardinality));
  for (uint64_t i = 0; i < buckets; ++i) {
    const uint64_t key = in.Little<uint32_t>();
    if (in.failed() || key > 0x7FFFFFFF || !ReadBitmap32(&in, key << 32, &rows)) {
      return Broken("its bitmap ends early, or holds more rows than it says");
    }
  }
  DeletedRows out = rows.Take();
  if (in.failed() || static_cast<int64_t>(out.size()) != cardinality) {
    return Broken(fmt::format("it has {} rows and should have {}", out.size(), cardinality));
  }
  return out;
}

Result<DeletedRows> ReadInlineDeletionVector(const DeletionVectorDescriptor& descriptor) {
  if (descriptor.storage_type != "i") return Broken("it is not inline");
  ARROW_ASSIGN_OR_RAISE(std::string bytes, DecodeZ85(descriptor.path_or_inline_dv));
  // Z85 works on groups of four bytes; the last may be padded.
  const auto size = static_cast<size_t>(std::max(descriptor.size_in_bytes, 0));
  if (size > bytes.size()) return Broken("it is shorter than it says");
  bytes.resize(size);
  return ParseRowBitmap(bytes, descriptor.cardinality);
}

Result<DeletedRows> ReadDeletionVector(const DeletionVectorDescriptor& descriptor,
                                       std::string_view file) {
  // The first byte of a file is its version; offsets count it.
  if (file.empty() || file[0] != 1) return Broken("its file has another version");
  ByteReader in(file);
  in.Bytes(static_cast<size_t>(std::max(descriptor.offset.value_or(1), 1)));
  const uint32_t size = in.Big32();
  if (in.failed() || static_cast<int64_t>(size) != descriptor.size_in_bytes) {
    return Broken(
        fmt::format("it has {} bytes and should have {}", size, descriptor.size_in_bytes));
  }
  const std::string_view bytes = in.Bytes(size);
  const uint32_t checksum = in.Big32();
  if (in.failed()) return Broken("its file ends early");
  if (checksum != Crc32(bytes)) return Broken("its checksum is wrong");
  return ParseRowBitmap(bytes, descriptor.cardinality);
}

}  // namespace amp::delta
