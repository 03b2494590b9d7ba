#include "loaders/delta/protocol/whole_columns.h"

#include <arrow/array.h>
#include <arrow/buffer.h>
#include <arrow/util/bitmap_ops.h>
#include <arrow/util/decimal.h>

#include <limits>
#include <utility>

namespace amp::delta {
namespace {

template <class T>
Result<std::unique_ptr<arrow::Buffer>> Allocate(int64_t count, arrow::MemoryPool* pool) {
  return arrow::AllocateBuffer(count * static_cast<int64_t>(sizeof(T)), pool);
}

template <class T>
T* ValuesOf(arrow::Buffer* buffer) {
  return reinterpret_cast<T*>(buffer->mutable_data());
}

Result<ArrayPtr> MakeArray(const arrow::Array& like, const std::shared_ptr<arrow::DataType>& type,
                           std::vector<std::shared_ptr<arrow::Buffer>> values) {
  ARROW_ASSIGN_OR_RAISE(auto valid, ValidityOf(like));
  values.insert(values.begin(), std::move(valid));
  return arrow::MakeArray(
      arrow::ArrayData::Make(type, like.length(), std::move(values), like.null_count()));
}

}  // namespace

Result<std::shared_ptr<arrow::Buffer>> ValidityOf(const arrow::Array& array) {
  if (array.null_count() == 0) return nullptr;
  if (array.null_bitmap() != nullptr) {
    if (array.offset() == 0) return array.null_bitmap();
    return arrow::internal::CopyBitmap(arrow::default_memory_pool(), array.null_bitmap_data(),
                                       array.offset(), array.length());
  }
  return Status::Invalid("nulls of an array without a bitmap");
}

Result<ArrayPtr> FixedToBinary(const arrow::FixedSizeBinaryArray& array, arrow::MemoryPool* pool) {
  const int64_t width = array.byte_width();
  if (width * array.length() > std::numeric_limits<int32_t>::max()) return nullptr;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> offsets,
                        Allocate<int32_t>(array.length() + 1, pool));
  auto* out = ValuesOf<int32_t>(offsets.get());
  for (int64_t i = 0; i <= array.length(); ++i) out[i] = static_cast<int32_t>(i * width);
  auto bytes =
      arrow::SliceBuffer(array.data()->buffers[1], array.offset() * width, array.length() * width);
  return MakeArray(array, arrow::binary(), {std::move(offsets), std::move(bytes)});
}

Result<ArrayPtr> UnsignedToDecimal(const arrow::UInt64Array& array,
                                   const std::shared_ptr<arrow::DataType>& type,
                                   arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> decimals,
                        Allocate<arrow::Decimal128>(array.length(), pool));
  auto* out = ValuesOf<arrow::Decimal128>(decimals.get());
  const uint64_t* in = array.raw_values();
  for (int64_t i = 0; i < array.length(); ++i) out[i] = arrow::Decimal128(0, in[i]);
  return MakeArray(array, type, {std::move(decimals)});
}

Result<ArrayPtr> NanosToMicros(const arrow::TimestampArray& array,
                               const std::shared_ptr<arrow::DataType>& type,
                               arrow::MemoryPool* pool) {
  constexpr int64_t kNanos = 1000;
  ARROW_ASSIGN_OR_RAISE(std::shared_ptr<arrow::Buffer> micros,
                        Allocate<int64_t>(array.length(), pool));
  auto* out = ValuesOf<int64_t>(micros.get());
  const int64_t* in = array.raw_values();
  int64_t lost = 0;
  for (int64_t i = 0; i < array.length(); ++i) {
    out[i] = in[i] / kNanos;
    lost |= in[i] % kNanos;
  }
  // What lies below nulls may be anything: then the values are looked at one by one.
  if (lost != 0) return nullptr;
  return MakeArray(array, type, {std::move(micros)});
}

}  // namespace amp::delta
