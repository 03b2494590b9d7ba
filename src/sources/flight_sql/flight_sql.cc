#include "sources/flight_sql/flight_sql.h"

#include <fmt/format.h>

#include <cstdint>
#include <optional>

namespace amp {
namespace {

// https://protobuf.dev/programming-guides/encoding/: a member is a varint of number × 8 + wire
// type, then its value.
enum WireType : uint8_t { kVarint = 0, kFixed64 = 1, kBytes = 2, kFixed32 = 5 };

constexpr uint64_t kTypeUrlMember = 1;
constexpr uint64_t kValueMember = 2;
constexpr uint64_t kQueryMember = 1;

void AppendVarint(uint64_t value, std::string* out) {
  for (; value >= 0x80; value >>= 7) out->push_back(static_cast<char>(value | 0x80));
  out->push_back(static_cast<char>(value));
}

void AppendBytes(uint64_t member, std::string_view bytes, std::string* out) {
  AppendVarint(member << 3 | kBytes, out);
  AppendVarint(bytes.size(), out);
  out->append(bytes);
}

struct Member {
  uint64_t number = 0;
  std::optional<std::string_view> bytes = {};  ///< of a member of that wire type
};

/// Reads members one after the other; fails at bytes that are no protobuf.
class MemberReader {
 public:
  explicit MemberReader(std::string_view bytes) : rest_(bytes) {}

  bool done() const { return rest_.empty(); }

  std::optional<Member> Next() {
    const auto tag = Varint();
    if (!tag || *tag >> 3 == 0) return std::nullopt;
    Member member{.number = *tag >> 3};
    switch (*tag & 7) {
      case kVarint:
        return Varint() ? std::optional(member) : std::nullopt;
      case kFixed64:
        return Take(8) ? std::optional(member) : std::nullopt;
      case kFixed32:
        return Take(4) ? std::optional(member) : std::nullopt;
      case kBytes: {
        const auto size = Varint();
        if (size) member.bytes = Take(*size);
        return member.bytes ? std::optional(member) : std::nullopt;
      }
      default:
        return std::nullopt;
    }
  }

 private:
  std::optional<std::string_view> Take(uint64_t size) {
    if (size > rest_.size()) return std::nullopt;
    const std::string_view taken = rest_.substr(0, size);
    rest_.remove_prefix(size);
    return taken;
  }

  // Seven bits a byte, the lowest first; at most ten bytes.
  std::optional<uint64_t> Varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 70 && !rest_.empty(); shift += 7) {
      const auto byte = static_cast<uint8_t>(rest_.front());
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7F) << shift;
      if (byte < 0x80) return value;
    }
    return std::nullopt;
  }

  std::string_view rest_;
};

Status Broken() {
  return MakeError(ErrorKind::kDataInvalid,
                   "the command is no google.protobuf.Any message; ask with a Flight SQL client");
}

}  // namespace

std::string EncodeStatementQuery(std::string_view sql) {
  std::string command;
  AppendBytes(kQueryMember, sql, &command);
  std::string any;
  AppendBytes(kTypeUrlMember, kStatementQueryUrl, &any);
  AppendBytes(kValueMember, command, &any);
  return any;
}

Result<std::string> DecodeStatementQuery(std::string_view any_bytes) {
  std::string_view url;
  std::string_view value;
  for (MemberReader reader(any_bytes); !reader.done();) {
    const auto member = reader.Next();
    if (!member) return Broken();
    if (member->number == kTypeUrlMember) url = member->bytes.value_or("");
    if (member->number == kValueMember) value = member->bytes.value_or("");
  }
  if (url != kStatementQueryUrl) {
    return MakeError(
        ErrorKind::kUnsupported,
        fmt::format("the command is '{}'; only CommandStatementQuery is answered", url));
  }
  std::string query;
  for (MemberReader reader(value); !reader.done();) {
    const auto member = reader.Next();
    if (!member) return Broken();
    if (member->number == kQueryMember) query = std::string(member->bytes.value_or(""));
  }
  return query;
}

}  // namespace amp
