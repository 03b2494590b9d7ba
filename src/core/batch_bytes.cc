#include "core/batch_bytes.h"

#include <arrow/array/data.h>
#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <arrow/util/byte_size.h>

#include <optional>

namespace amp {
namespace {

using arrow::ArrayData;
using arrow::Type;

int64_t RangeBytes(const ArrayData& data, int64_t offset, int64_t length);

// As many bytes as bits from `offset` on touch.
int64_t BitmapBytes(int64_t offset, int64_t length) {
  return length == 0 ? 0 : (offset + length + 7) / 8 - offset / 8;
}

// What lies between the first and the last offset of a range, and the offsets themselves.
template <class Offset>
int64_t OffsetBytes(const ArrayData& data, int64_t offset, int64_t length) {
  if (length == 0) return 0;
  const auto* offsets = data.GetValues<Offset>(1, offset);
  const int64_t bytes = (length + 1) * static_cast<int64_t>(sizeof(Offset));
  const int64_t first = offsets[0];
  const int64_t count = offsets[length] - first;
  if (data.child_data.empty()) return bytes + count;
  const ArrayData& items = *data.child_data[0];
  return bytes + RangeBytes(items, items.offset + first, count);
}

int64_t StructBytes(const ArrayData& data, int64_t offset, int64_t length) {
  int64_t bytes = 0;
  for (const auto& child : data.child_data) {
    bytes += RangeBytes(*child, child->offset + offset, length);
  }
  return bytes;
}

int64_t FixedSizeListBytes(const ArrayData& data, int64_t offset, int64_t length) {
  const int64_t size = static_cast<const arrow::FixedSizeListType&>(*data.type).list_size();
  const ArrayData& items = *data.child_data[0];
  return RangeBytes(items, items.offset + offset * size, length * size);
}

// Views, runs, unions and dictionaries are rare in what is read: Arrow knows how.
int64_t BytesByArrow(const ArrayData& data, int64_t offset, int64_t length) {
  const auto part = arrow::MakeArray(data.Slice(offset - data.offset, length));
  return arrow::util::ReferencedBufferSize(*part).ValueOr(0);
}

// Without the bitmap of nulls; none for a type that is left to Arrow.
std::optional<int64_t> ValueBytes(const ArrayData& data, int64_t offset, int64_t length) {
  switch (data.type->id()) {
    case Type::BINARY:
    case Type::STRING:
    case Type::LIST:
    case Type::MAP:
      return OffsetBytes<int32_t>(data, offset, length);
    case Type::LARGE_BINARY:
    case Type::LARGE_STRING:
    case Type::LARGE_LIST:
      return OffsetBytes<int64_t>(data, offset, length);
    case Type::STRUCT:
      return StructBytes(data, offset, length);
    case Type::FIXED_SIZE_LIST:
      return FixedSizeListBytes(data, offset, length);
    case Type::BOOL:
      return BitmapBytes(offset, length);
    case Type::DICTIONARY:
      return std::nullopt;
    default:
      if (!arrow::is_fixed_width(data.type->id())) return std::nullopt;
      return length * data.type->byte_width();
  }
}

// `offset` counts from the start of the buffers.
int64_t RangeBytes(const ArrayData& data, int64_t offset, int64_t length) {
  const auto values = ValueBytes(data, offset, length);
  if (!values) return BytesByArrow(data, offset, length);
  return *values + (data.buffers[0] == nullptr ? 0 : BitmapBytes(offset, length));
}

}  // namespace

int64_t BytesOf(const arrow::ArrayData& column) {
  return RangeBytes(column, column.offset, column.length);
}

int64_t BytesOf(const arrow::RecordBatch& batch) {
  int64_t bytes = 0;
  for (int i = 0; i < batch.num_columns(); ++i) bytes += BytesOf(*batch.column_data(i));
  return bytes;
}

}  // namespace amp
