#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

/// numeric in PostgreSQL's binary form (numeric_send in src/backend/utils/adt/numeric.c):
/// int16 count of digits, int16 weight, uint16 sign, uint16 display scale, then the digits, each an
/// int16 from 0 to 9999. Its value is Σ digit[i] × 10000^(weight - i). Zeros at both ends are left
/// out.
namespace amp::postgresql {

class Numeric {
 public:
  static constexpr size_t kMaxDigits = 24;  // 76 decimal digits, and a cut group at each end
  static constexpr size_t kMaxBytes = 8 + 2 * kMaxDigits;

  /// The number `magnitude` × 10^-scale; magnitude in 64-bit words, the lowest first.
  Numeric(std::span<const uint64_t> magnitude, bool negative, int scale);

  size_t size() const { return 8 + 2 * count_; }
  /// Writes size() bytes; returns their end.
  uint8_t* Write(uint8_t* out) const;

 private:
  void Push(uint32_t group) { groups_[count_++] = static_cast<uint16_t>(group); }

  std::array<uint16_t, kMaxDigits> groups_;  // the lowest first
  size_t count_ = 0;
  int weight_ = 0;
  bool negative_;
  int display_scale_;
};

}  // namespace amp::postgresql
