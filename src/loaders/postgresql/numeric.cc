#include "loaders/postgresql/numeric.h"

#include <algorithm>

#include "core/cell_encoder.h"

namespace amp::postgresql {
namespace {

constexpr uint32_t kBase = 10'000;
constexpr int kDigitsPerGroup = 4;
constexpr uint16_t kNegative = 0x4000;
constexpr std::array<uint32_t, 5> kPowers{1, 10, 100, 1'000, 10'000};

/// A magnitude of up to 256 bits that is divided down to 0.
class Magnitude {
 public:
  explicit Magnitude(std::span<const uint64_t> words) {
    std::copy(words.begin(), words.end(), words_.begin());
    used_ = words.size();
    Trim();
  }

  bool zero() const { return used_ == 0; }

  /// Divides by `divisor`; returns the remainder.
  uint32_t Divide(uint32_t divisor) {
    if (used_ <= 1) {
      const auto remainder = static_cast<uint32_t>(words_[0] % divisor);
      words_[0] /= divisor;
      Trim();
      return remainder;
    }
    __extension__ using Wide = unsigned __int128;
    uint64_t remainder = 0;
    for (size_t i = used_; i-- > 0;) {
      const Wide part = (static_cast<Wide>(remainder) << 64) | words_[i];
      words_[i] = static_cast<uint64_t>(part / divisor);
      remainder = static_cast<uint64_t>(part % divisor);
    }
    Trim();
    return static_cast<uint32_t>(remainder);
  }

 private:
  void Trim() {
    while (used_ > 0 && words_[used_ - 1] == 0) --used_;
  }

  std::array<uint64_t, 4> words_{};
  size_t used_ = 0;
};

}  // namespace

Numeric::Numeric(std::span<const uint64_t> words, bool negative, int scale)
    : negative_(negative), display_scale_(std::max(scale, 0)) {
  Magnitude rest(words);
  // Groups are counted from the decimal point: a scale that is no multiple of four leaves a part of
  // a group at the end. A negative scale puts its zeros before the point: 12e5 = 120 groups of
  // 10^4. `exponent` is that of the lowest group, in powers of 10,000.
  const int exponent =
      scale > 0 ? -((scale + kDigitsPerGroup - 1) / kDigitsPerGroup) : -scale / kDigitsPerGroup;
  const int cut = ((scale % kDigitsPerGroup) + kDigitsPerGroup) % kDigitsPerGroup;
  if (cut != 0 && !rest.zero()) {
    const auto fraction_digits = static_cast<size_t>(cut);
    const uint32_t low = rest.Divide(kPowers[fraction_digits]);
    Push(low * kPowers[kDigitsPerGroup - fraction_digits]);
  }
  while (!rest.zero()) Push(rest.Divide(kBase));
  size_t zeros = 0;
  while (zeros < count_ && groups_[zeros] == 0) ++zeros;
  std::copy(groups_.begin() + static_cast<ptrdiff_t>(zeros),
            groups_.begin() + static_cast<ptrdiff_t>(count_), groups_.begin());
  weight_ = exponent + static_cast<int>(count_) - 1;
  count_ -= zeros;
  while (count_ > 0 && groups_[count_ - 1] == 0) {
    --count_;
    --weight_;
  }
  if (count_ == 0) {
    weight_ = 0;
    negative_ = false;
  }
}

uint8_t* Numeric::Write(uint8_t* out) const {
  out = Put(static_cast<int16_t>(count_), out);
  out = Put(static_cast<int16_t>(weight_), out);
  out = Put(negative_ ? kNegative : uint16_t{0}, out);
  out = Put(static_cast<uint16_t>(display_scale_), out);
  for (size_t i = count_; i-- > 0;) out = Put(groups_[i], out);
  return out;
}

}  // namespace amp::postgresql
