#pragma once

#include <cstdint>
#include <string_view>

/// 128-bit hashes of values: good against chance, not against someone who looks for collisions.
namespace amp {

__extension__ using Int128 = __int128;
__extension__ using Uint128 = unsigned __int128;

struct Hash128 {
  uint64_t low = 0;
  uint64_t high = 0;

  Uint128 number() const { return (Uint128{high} << 64) | low; }
  friend bool operator==(const Hash128&, const Hash128&) = default;
};

/// The finalizer of splitmix64: one to one, and every bit in changes about half of those out.
constexpr uint64_t MixBits(uint64_t x) {
  x = (x ^ (x >> 30)) * 0xBF58476D1CE4E5B9ULL;
  x = (x ^ (x >> 27)) * 0x94D049BB133111EBULL;
  return x ^ (x >> 31);
}

/// Two words, and a small one that tells kinds of values apart.
constexpr Hash128 HashWords(uint64_t a, uint64_t b, uint64_t tag) {
  constexpr uint64_t kOne = 0x9E3779B97F4A7C15ULL;
  constexpr uint64_t kTwo = 0xD1B54A32D192ED03ULL;
  return {.low = MixBits(MixBits(MixBits(a + kOne) + b) + tag),
          .high = MixBits(MixBits(MixBits(b ^ kTwo) + a * kOne) ^ (tag * kTwo))};
}

constexpr Hash128 HashInteger(Int128 value, uint64_t tag = 0) {
  return HashWords(static_cast<uint64_t>(value), static_cast<uint64_t>(value >> 64), tag);
}

/// What comes after what: order matters.
constexpr Hash128 Chain(Hash128 before, Hash128 next) {
  return HashWords(before.low + MixBits(next.low + 1), before.high + MixBits(next.high + 2), 3);
}

Hash128 HashBytes(std::string_view bytes);

/// Of no value, whatever its type.
inline constexpr Hash128 kNullHash{0x6E756C6C00000001ULL, 0x6E756C6C00000002ULL};

}  // namespace amp
