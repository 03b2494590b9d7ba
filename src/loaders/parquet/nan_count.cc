#include "loaders/parquet/nan_count.h"

#include <arrow/array.h>
#include <arrow/util/float16.h>

#include <cmath>

namespace amp::parquet_files {
namespace {

using arrow::Type;

bool IsNan(float value) { return std::isnan(value); }
bool IsNan(double value) { return std::isnan(value); }
bool IsNan(uint16_t bits) { return arrow::util::Float16::FromBits(bits).is_nan(); }

template <class T>
int64_t NansIn(const arrow::Array& array) {
  const auto* values = array.data()->GetValues<T>(1);
  int64_t count = 0;
  for (int64_t i = 0; i < array.length(); ++i) count += IsNan(values[i]) ? 1 : 0;
  if (count == 0 || array.null_count() == 0) return count;
  for (int64_t i = 0; i < array.length(); ++i) count -= IsNan(values[i]) && array.IsNull(i) ? 1 : 0;
  return count;
}

Status Count(const arrow::Array& array, int64_t** counts);

Status CountInStruct(const arrow::StructArray& array, int64_t** counts) {
  for (int i = 0; i < array.num_fields(); ++i) {
    // With the nulls of the struct itself.
    ARROW_ASSIGN_OR_RAISE(const auto field, array.GetFlattenedField(i));
    ARROW_RETURN_NOT_OK(Count(*field, counts));
  }
  return Status::OK();
}

template <class List>
Status CountInList(const arrow::Array& array, int64_t** counts) {
  ARROW_ASSIGN_OR_RAISE(const auto items, static_cast<const List&>(array).Flatten());
  return Count(*items, counts);
}

Status Count(const arrow::Array& array, int64_t** counts) {
  switch (array.type_id()) {
    case Type::HALF_FLOAT:
      *(*counts)++ += NansIn<uint16_t>(array);
      return Status::OK();
    case Type::FLOAT:
      *(*counts)++ += NansIn<float>(array);
      return Status::OK();
    case Type::DOUBLE:
      *(*counts)++ += NansIn<double>(array);
      return Status::OK();
    case Type::STRUCT:
      return CountInStruct(static_cast<const arrow::StructArray&>(array), counts);
    case Type::LIST:
    case Type::MAP:
      return CountInList<arrow::ListArray>(array, counts);
    case Type::LARGE_LIST:
      return CountInList<arrow::LargeListArray>(array, counts);
    case Type::FIXED_SIZE_LIST:
      return CountInList<arrow::FixedSizeListArray>(array, counts);
    case Type::EXTENSION:
      return Count(*static_cast<const arrow::ExtensionArray&>(array).storage(), counts);
    default:
      ++*counts;
      return Status::OK();
  }
}

}  // namespace

Status CountNans(const arrow::Array& array, int64_t* counts) { return Count(array, &counts); }

}  // namespace amp::parquet_files
