#pragma once

#include "core/cell_encoder.h"

/// The bytes that start each kind of MessagePack value.
namespace amp::msgpack {

inline constexpr uint8_t kNil = 0xC0, kFalse = 0xC2, kTrue = 0xC3, kBin8 = 0xC4, kBin16 = 0xC5,
                         kBin32 = 0xC6, kFloat32 = 0xCA, kFloat64 = 0xCB, kUint8 = 0xCC,
                         kUint16 = 0xCD, kUint32 = 0xCE, kUint64 = 0xCF, kInt8 = 0xD0,
                         kInt16 = 0xD1, kInt32 = 0xD2, kInt64 = 0xD3, kStr8 = 0xD9, kStr16 = 0xDA,
                         kStr32 = 0xDB, kArray16 = 0xDC, kArray32 = 0xDD, kMap16 = 0xDE,
                         kMap32 = 0xDF;
inline constexpr uint8_t kFixStr = 0xA0, kFixArray = 0x90, kFixMap = 0x80, kFixNegative = 0xE0;

/// A value's first bytes: a tag with a length or number in it, or a tag and a number after it.
template <class Number>
uint8_t* PutTagged(uint8_t tag, Number number, uint8_t* out) {
  return Put(number, Put(tag, out));
}

inline uint32_t UnsignedSize(uint64_t value) {
  if (value < 0x80) return 1;
  if (value <= UINT8_MAX) return 2;
  if (value <= UINT16_MAX) return 3;
  return value <= UINT32_MAX ? 5 : 9;
}

inline uint8_t* PutUnsigned(uint64_t value, uint8_t* out) {
  if (value < 0x80) return Put(static_cast<uint8_t>(value), out);
  if (value <= UINT8_MAX) return PutTagged(kUint8, static_cast<uint8_t>(value), out);
  if (value <= UINT16_MAX) return PutTagged(kUint16, static_cast<uint16_t>(value), out);
  if (value <= UINT32_MAX) return PutTagged(kUint32, static_cast<uint32_t>(value), out);
  return PutTagged(kUint64, value, out);
}

inline uint32_t SignedSize(int64_t value) {
  if (value >= 0) return UnsignedSize(static_cast<uint64_t>(value));
  if (value >= -32) return 1;
  if (value >= INT8_MIN) return 2;
  if (value >= INT16_MIN) return 3;
  return value >= INT32_MIN ? 5 : 9;
}

inline uint8_t* PutSigned(int64_t value, uint8_t* out) {
  if (value >= 0) return PutUnsigned(static_cast<uint64_t>(value), out);
  if (value >= -32) return Put(static_cast<int8_t>(value), out);
  if (value >= INT8_MIN) return PutTagged(kInt8, static_cast<int8_t>(value), out);
  if (value >= INT16_MIN) return PutTagged(kInt16, static_cast<int16_t>(value), out);
  if (value >= INT32_MIN) return PutTagged(kInt32, static_cast<int32_t>(value), out);
  return PutTagged(kInt64, value, out);
}

inline uint32_t TextHeaderSize(uint64_t length) {
  if (length < 32) return 1;
  if (length <= UINT8_MAX) return 2;
  return length <= UINT16_MAX ? 3 : 5;
}

inline uint8_t* PutTextHeader(uint64_t length, uint8_t* out) {
  if (length < 32) return Put(static_cast<uint8_t>(kFixStr | length), out);
  if (length <= UINT8_MAX) return PutTagged(kStr8, static_cast<uint8_t>(length), out);
  if (length <= UINT16_MAX) return PutTagged(kStr16, static_cast<uint16_t>(length), out);
  return PutTagged(kStr32, static_cast<uint32_t>(length), out);
}

inline uint32_t BinaryHeaderSize(uint64_t length) {
  if (length <= UINT8_MAX) return 2;
  return length <= UINT16_MAX ? 3 : 5;
}

inline uint8_t* PutBinaryHeader(uint64_t length, uint8_t* out) {
  if (length <= UINT8_MAX) return PutTagged(kBin8, static_cast<uint8_t>(length), out);
  if (length <= UINT16_MAX) return PutTagged(kBin16, static_cast<uint16_t>(length), out);
  return PutTagged(kBin32, static_cast<uint32_t>(length), out);
}

/// The tags of arrays and of maps differ, their form is the same.
struct SequenceTags {
  uint8_t fix, tag16, tag32;
};
inline constexpr SequenceTags kArrayTags{kFixArray, kArray16, kArray32};
inline constexpr SequenceTags kMapTags{kFixMap, kMap16, kMap32};

inline uint32_t SequenceHeaderSize(uint64_t length) {
  if (length < 16) return 1;
  return length <= UINT16_MAX ? 3 : 5;
}

inline uint8_t* PutSequenceHeader(SequenceTags tags, uint64_t length, uint8_t* out) {
  if (length < 16) return Put(static_cast<uint8_t>(tags.fix | length), out);
  if (length <= UINT16_MAX) return PutTagged(tags.tag16, static_cast<uint16_t>(length), out);
  return PutTagged(tags.tag32, static_cast<uint32_t>(length), out);
}

}  // namespace amp::msgpack
