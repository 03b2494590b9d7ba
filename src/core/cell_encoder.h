#pragma once

#include <arrow/array.h>

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "core/row_encoder.h"

/// The parts that column encoders of all formats are made of.
///
/// A *cell* class knows one kind of value: bound to a column, it says of row i (counted from the
/// column's start) whether its value fits, how large its bytes are, and writes them. A *format*
/// class knows what surrounds every cell: how a null looks, and a header that tells the size. Both
/// are parameters of `CellEncoder`, so their calls are inlined.
namespace amp {

/// Numbers in network byte order.
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

/// Writes a number in network byte order; returns where it ends.
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
  if (size > 0) std::memcpy(out, bytes, size);
  return out + size;
}

/// Reads a number in network byte order.
template <class T>
T Get(const uint8_t* in) {
  T wire;
  std::memcpy(&wire, in, sizeof(T));
  return BigEndian(wire);
}

/// What every cell class has; the defaults of its optional parts.
struct Cell {
  static constexpr uint32_t kSize = 0;     ///< of every value's bytes; 0: `Size(row)` tells
  static constexpr bool kChecked = false;  ///< values are looked at with `Fits` and `Why`
};

/// Values in a buffer of fixed-width values.
template <class T>
struct FixedWidth : Cell {
  const T* values = nullptr;
  void Bind(const arrow::Array& column, int64_t /*start*/, int64_t /*count*/) {
    values = column.data()->GetValues<T>(1);
  }
};

struct BoolValues : Cell {
  const arrow::BooleanArray* column = nullptr;
  void Bind(const arrow::Array& array, int64_t /*start*/, int64_t /*count*/) {
    column = &static_cast<const arrow::BooleanArray&>(array);
  }
};

/// Strings of bytes of any length.
template <class Offset>
struct Binary : Cell {
  const Offset* offsets = nullptr;
  const uint8_t* bytes = nullptr;
  void Bind(const arrow::Array& column, int64_t /*start*/, int64_t /*count*/) {
    offsets = column.data()->GetValues<Offset>(1);
    bytes = column.data()->buffers[2] == nullptr ? nullptr : column.data()->buffers[2]->data();
  }
  int64_t Length(int64_t row) const { return int64_t{offsets[row + 1]} - offsets[row]; }
  const uint8_t* At(int64_t row) const { return bytes + offsets[row]; }
};

/// Strings of bytes of the type's length.
struct FixedBinary : Cell {
  const uint8_t* bytes = nullptr;
  int64_t width;
  explicit FixedBinary(const arrow::DataType& type)
      : width(static_cast<const arrow::FixedSizeBinaryType&>(type).byte_width()) {}
  void Bind(const arrow::Array& column, int64_t /*start*/, int64_t /*count*/) {
    bytes = static_cast<const arrow::FixedSizeBinaryArray&>(column).raw_values();
  }
  int64_t Length(int64_t /*row*/) const { return width; }
  const uint8_t* At(int64_t row) const { return bytes + row * width; }
};

/// Rows of a column in hand.
struct Run {
  const arrow::Array* column = nullptr;
  int64_t start = 0;
  int64_t count = 0;
  bool has_nulls = false;

  void Take(const arrow::Array& array, int64_t first, int64_t rows) {
    column = &array;
    start = first;
    count = rows;
    has_nulls = array.null_count() != 0;
  }
  bool IsNull(int64_t i) const { return has_nulls && column->IsNull(start + i); }
};

/// Columns whose cells can be written without knowing anything but their row.
///
/// Format: `kHeaderBytes`, `PutHeader(size, out)`; `kNulls` (may there be nulls), `kNullBytes`,
/// `PutNull(out)`.
template <class CellType, class Format>
class CellEncoder final : public ColumnEncoder {
 public:
  explicit CellEncoder(CellType cell) : cell_(std::move(cell)) {}

  Status Measure(const arrow::Array& column, int64_t start, int64_t count,
                 uint32_t* sizes) override {
    run_.Take(column, start, count);
    cell_.Bind(column, start, count);
    return run_.has_nulls ? MeasureRows<true>(sizes) : MeasureRows<false>(sizes);
  }

  void Write(uint8_t** cursors) override {
    run_.has_nulls ? WriteRows<true>(cursors) : WriteRows<false>(cursors);
  }

 private:
  uint32_t SizeOf(int64_t row) const {
    if constexpr (CellType::kSize != 0) {
      return CellType::kSize;
    } else {
      return cell_.Size(row);
    }
  }

  template <bool kHasNulls>
  Status MeasureRows(uint32_t* sizes) {
    for (int64_t i = 0; i < run_.count; ++i) {
      const int64_t row = run_.start + i;
      if (kHasNulls && run_.IsNull(i)) {
        if constexpr (!Format::kNulls) return ValueError(row, "is null, and must not be");
        sizes[i] += Format::kNullBytes;
        continue;
      }
      if constexpr (CellType::kChecked) {
        if (!cell_.Fits(row)) return ValueError(row, cell_.Why(row));
      }
      sizes[i] += Format::kHeaderBytes + SizeOf(row);
    }
    return Status::OK();
  }

  template <bool kHasNulls>
  void WriteRows(uint8_t** cursors) {
    for (int64_t i = 0; i < run_.count; ++i) {
      if (kHasNulls && run_.IsNull(i)) {
        cursors[i] = Format::PutNull(cursors[i]);
        continue;
      }
      const int64_t row = run_.start + i;
      cursors[i] = cell_.Write(row, Format::PutHeader(SizeOf(row), cursors[i]));
    }
  }

  CellType cell_;
  Run run_;
};

/// Columns whose cells must be made to know their size: made while measuring, copied while writing.
class MadeCells : public ColumnEncoder {
 public:
  void Write(uint8_t** cursors) final {
    const uint8_t* from = made_.data();
    for (size_t i = 0; i < sizes_.size(); ++i) {
      cursors[i] = PutBytes(from, sizes_[i], cursors[i]);
      from += sizes_[i];
    }
  }

 protected:
  void Start(int64_t count) {
    used_ = 0;
    sizes_.clear();
    sizes_.reserve(static_cast<size_t>(count));
  }
  /// Room for one cell of at most `bytes`; valid until the next call.
  uint8_t* Room(size_t bytes) {
    if (made_.size() < used_ + bytes) made_.resize(std::max(used_ + bytes, made_.size() * 2));
    return made_.data() + used_;
  }
  /// The cell that was written from `start` to `end`, of a row that has grown to `size`.
  void Done(const uint8_t* start, const uint8_t* end, uint32_t* size) {
    const auto bytes = static_cast<uint32_t>(end - start);
    used_ += bytes;
    sizes_.push_back(bytes);
    *size += bytes;
  }

 private:
  std::vector<uint8_t> made_;
  size_t used_ = 0;
  std::vector<uint32_t> sizes_;
};

}  // namespace amp
