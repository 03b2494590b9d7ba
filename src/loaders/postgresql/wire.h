#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <type_traits>

/// Numbers in network byte order, as PostgreSQL's binary formats have them.
namespace amp::postgresql {

template <class T>
constexpr T BigEndian(T value) {
  if constexpr (sizeof(T) == 1) {
    return value;
  } else if constexpr (sizeof(T) == 2) {
    return static_cast<T>(__builtin_bswap16(static_cast<uint16_t>(value)));
  } else if constexpr (sizeof(T) == 4) {
    return static_cast<T>(__builtin_bswap32(static_cast<uint32_t>(value)));
  } else {
    return static_cast<T>(__builtin_bswap64(static_cast<uint64_t>(value)));
  }
}

template <class T>
uint8_t* Put(T value, uint8_t* out) {
  if constexpr (std::is_same_v<T, float>) {
    return Put(std::bit_cast<uint32_t>(value), out);
  } else if constexpr (std::is_same_v<T, double>) {
    return Put(std::bit_cast<uint64_t>(value), out);
  } else {
    const T wire = BigEndian(value);
    std::memcpy(out, &wire, sizeof(T));
    return out + sizeof(T);
  }
}

inline uint8_t* PutBytes(const void* bytes, size_t size, uint8_t* out) {
  std::memcpy(out, bytes, size);
  return out + size;
}

template <class T>
T Get(const uint8_t* in) {
  T wire;
  std::memcpy(&wire, in, sizeof(T));
  return BigEndian(wire);
}

}  // namespace amp::postgresql
