#include "loaders/parquet/statistics.h"

#include <arrow/scalar.h>
#include <arrow/util/decimal.h>
#include <arrow/util/endian.h>
#include <arrow/util/float16.h>
#include <arrow/visit_scalar_inline.h>
#include <parquet/exception.h>
#include <parquet/statistics.h>

#include <bit>
#include <cstring>
#include <type_traits>

// How bounds are stored: https://github.com/apache/parquet-format, parquet.thrift, `Statistics`
// (plain encoding, without the length of byte arrays) and LogicalTypes.md.
namespace amp::parquet_files {
namespace {

using arrow::Type;
using ScalarPtr = std::shared_ptr<arrow::Scalar>;

template <class T>
Result<T> PlainValue(const std::string& bytes) {
  T value{};
  if (bytes.size() != sizeof(value)) {
    return MakeError(ErrorKind::kInternal, "a bound of the Parquet file has another size");
  }
  std::memcpy(&value, bytes.data(), sizeof(value));
  return arrow::bit_util::FromLittleEndian(value);
}

template <class Decimal>
Result<Decimal> DecimalOf(parquet::Type::type stored, const std::string& bytes) {
  if (stored == parquet::Type::INT32) {
    ARROW_ASSIGN_OR_RAISE(const auto value, PlainValue<int32_t>(bytes));
    return Decimal(value);
  }
  if (stored == parquet::Type::INT64) {
    ARROW_ASSIGN_OR_RAISE(const auto value, PlainValue<int64_t>(bytes));
    return Decimal(value);
  }
  return Decimal::FromBigEndian(reinterpret_cast<const uint8_t*>(bytes.data()),
                                static_cast<int32_t>(bytes.size()));
}

template <class Scalar, class Decimal>
Result<ScalarPtr> DecimalScalar(const std::shared_ptr<arrow::DataType>& type,
                                parquet::Type::type stored, const std::string& bytes) {
  ARROW_ASSIGN_OR_RAISE(const Decimal value, DecimalOf<Decimal>(stored, bytes));
  return std::make_shared<Scalar>(value, type);
}

// Parquet counts seconds in milliseconds.
Result<ScalarPtr> TimeScalar(const std::shared_ptr<arrow::DataType>& type, int64_t value) {
  const auto unit = type->id() == Type::TIMESTAMP
                        ? static_cast<const arrow::TimestampType&>(*type).unit()
                        : static_cast<const arrow::TimeType&>(*type).unit();
  return arrow::MakeScalar(type, unit == arrow::TimeUnit::SECOND ? value / 1000 : value);
}

Result<ScalarPtr> FixedScalar(const std::shared_ptr<arrow::DataType>& type,
                              parquet::Type::type stored, const std::string& bytes) {
  if (stored == parquet::Type::INT32) {
    ARROW_ASSIGN_OR_RAISE(const auto value, PlainValue<int32_t>(bytes));
    if (type->id() == Type::TIME32) return TimeScalar(type, value);
    if (type->id() == Type::UINT32) return arrow::MakeScalar(type, static_cast<uint32_t>(value));
    // Parquet has no date in milliseconds.
    if (type->id() == Type::DATE64) return arrow::MakeScalar(type, int64_t{value} * 86'400'000);
    return arrow::MakeScalar(type, value);
  }
  if (stored == parquet::Type::INT64) {
    ARROW_ASSIGN_OR_RAISE(const auto value, PlainValue<int64_t>(bytes));
    if (type->id() == Type::TIMESTAMP) return TimeScalar(type, value);
    if (type->id() == Type::UINT64) return arrow::MakeScalar(type, static_cast<uint64_t>(value));
    return arrow::MakeScalar(type, value);
  }
  return nullptr;
}

// None for a type whose bounds nobody asks for, such as intervals.
Result<ScalarPtr> BoundScalar(const std::shared_ptr<arrow::DataType>& type,
                              parquet::Type::type stored, const std::string& bytes) {
  switch (type->id()) {
    case Type::BOOL:
      return arrow::MakeScalar(!bytes.empty() && bytes[0] != 0);
    case Type::FLOAT: {
      ARROW_ASSIGN_OR_RAISE(const auto bits, PlainValue<uint32_t>(bytes));
      return arrow::MakeScalar(std::bit_cast<float>(bits));
    }
    case Type::DOUBLE: {
      ARROW_ASSIGN_OR_RAISE(const auto bits, PlainValue<uint64_t>(bytes));
      return arrow::MakeScalar(std::bit_cast<double>(bits));
    }
    case Type::HALF_FLOAT: {
      ARROW_ASSIGN_OR_RAISE(const auto bits, PlainValue<uint16_t>(bytes));
      return std::make_shared<arrow::HalfFloatScalar>(arrow::util::Float16::FromBits(bits));
    }
    case Type::STRING:
    case Type::LARGE_STRING:
    case Type::BINARY:
    case Type::LARGE_BINARY:
    case Type::FIXED_SIZE_BINARY:
      return arrow::MakeScalar(type, arrow::Buffer::FromString(bytes));
    case Type::DECIMAL32:
      return DecimalScalar<arrow::Decimal32Scalar, arrow::Decimal32>(type, stored, bytes);
    case Type::DECIMAL64:
      return DecimalScalar<arrow::Decimal64Scalar, arrow::Decimal64>(type, stored, bytes);
    case Type::DECIMAL128:
      return DecimalScalar<arrow::Decimal128Scalar, arrow::Decimal128>(type, stored, bytes);
    case Type::DECIMAL256:
      return DecimalScalar<arrow::Decimal256Scalar, arrow::Decimal256>(type, stored, bytes);
    default:
      return FixedScalar(type, stored, bytes);
  }
}

// left < right, both of one type.
struct Less {
  const arrow::Scalar& right;
  bool less = false;

  template <class T>
  Status Visit(const T& left) {
    const auto& other = static_cast<const T&>(right);
    if constexpr (std::is_base_of_v<arrow::BaseBinaryScalar, T>) {
      less = left.view() < other.view();
    } else if constexpr (std::is_same_v<arrow::HalfFloatScalar, T>) {
      less =
          arrow::util::Float16::FromBits(left.value) < arrow::util::Float16::FromBits(other.value);
    } else if constexpr (requires { left.value < other.value; }) {
      less = left.value < other.value;
    } else {
      return MakeError(ErrorKind::kInternal, "no order of " + left.type->ToString());
    }
    return Status::OK();
  }
};

Result<bool> IsLess(const arrow::Scalar& left, const arrow::Scalar& right) {
  Less order{.right = right};
  ARROW_RETURN_NOT_OK(arrow::VisitScalarInline(left, &order));
  return order.less;
}

// The bounds of several row groups become one; a row group whose bounds are not known ends that.
class Bounds {
 public:
  Status Add(const ScalarPtr& min, const ScalarPtr& max) {
    ARROW_RETURN_NOT_OK(Add(min, /*least=*/true, &min_));
    return Add(max, /*least=*/false, &max_);
  }
  ScalarPtr min() const { return min_.known ? min_.value : nullptr; }
  ScalarPtr max() const { return max_.known ? max_.value : nullptr; }

 private:
  struct Bound {
    ScalarPtr value = {};
    bool known = true;
  };

  static Status Add(const ScalarPtr& value, bool least, Bound* bound) {
    bound->known &= value != nullptr;
    if (!bound->known) return Status::OK();
    bool better = bound->value == nullptr;
    if (!better) {
      ARROW_ASSIGN_OR_RAISE(better,
                            least ? IsLess(*value, *bound->value) : IsLess(*bound->value, *value));
    }
    if (better) bound->value = value;
    return Status::OK();
  }

  Bound min_;
  Bound max_;
};

// Adds one row group's part of a column.
Status AddChunk(const parquet::ColumnChunkMetaData& chunk, ColumnStatistics* column,
                Bounds* bounds) {
  column->value_count += chunk.num_values();
  column->bytes += chunk.total_compressed_size();
  const auto statistics = chunk.encoded_statistics();
  const bool counted = statistics != nullptr && statistics->has_null_count;
  column->null_count =
      counted && column->null_count >= 0 ? column->null_count + statistics->null_count : -1;
  // Nothing but nulls has no bounds, and takes none away.
  if (counted && statistics->null_count == chunk.num_values()) return Status::OK();
  ScalarPtr min;
  ScalarPtr max;
  if (statistics != nullptr && statistics->has_min) {
    ARROW_ASSIGN_OR_RAISE(min, BoundScalar(column->type, chunk.type(), statistics->min()));
  }
  if (statistics != nullptr && statistics->has_max) {
    ARROW_ASSIGN_OR_RAISE(max, BoundScalar(column->type, chunk.type(), statistics->max()));
  }
  return bounds->Add(min, max);
}

Result<ColumnStatistics> DescribeColumn(const FilePlan& plan, const parquet::FileMetaData& footer,
                                        int leaf) {
  const PlannedLeaf& planned = plan.leaves[static_cast<size_t>(leaf)];
  ColumnStatistics column{.path = planned.path,
                          .type = planned.type,
                          .repeated = planned.repeated,
                          .field_id = planned.field_id,
                          .null_count = 0};
  Bounds bounds;
  for (int i = 0; i < footer.num_row_groups(); ++i) {
    const auto chunk = footer.RowGroup(i)->ColumnChunk(leaf);
    ARROW_RETURN_NOT_OK(AddChunk(*chunk, &column, &bounds));
  }
  column.min = bounds.min();
  column.max = bounds.max();
  return column;
}

Result<DataFile> DescribeFile(const FilePlan& plan, const parquet::FileMetaData& footer,
                              const std::vector<int64_t>& nan_counts) {
  DataFile file;
  file.rows = footer.num_rows();
  for (int i = 0; i < footer.num_row_groups(); ++i) {
    const auto row_group = footer.RowGroup(i);
    int64_t offset = row_group->file_offset();
    if (offset == 0 && row_group->num_columns() > 0) {
      const auto first = row_group->ColumnChunk(0);
      offset = first->has_dictionary_page() ? first->dictionary_page_offset()
                                            : first->data_page_offset();
    }
    file.row_group_offsets.push_back(offset);
  }
  for (size_t i = 0; i < plan.leaves.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(ColumnStatistics column,
                          DescribeColumn(plan, footer, static_cast<int>(i)));
    column.nan_count = nan_counts[i];
    file.columns.push_back(std::move(column));
  }
  return file;
}

}  // namespace

Result<DataFile> Describe(const FilePlan& plan, const parquet::FileMetaData& footer,
                          const std::vector<int64_t>& nan_counts) {
  try {
    return DescribeFile(plan, footer, nan_counts);
  } catch (const parquet::ParquetException& error) {
    return MakeError(ErrorKind::kInternal,
                     std::string("reading the footer just written: ") + error.what());
  }
}

}  // namespace amp::parquet_files
