#include "loaders/delta/protocol/partition_values.h"

#include <arrow/array.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <arrow/type.h>
#include <arrow/util/decimal.h>
#include <fmt/format.h>

#include <cmath>
#include <set>
#include <unordered_map>

#include "core/compute.h"
#include "core/decimal_text.h"
#include "core/time_text.h"

namespace amp::delta {
namespace {

using Text = std::optional<std::string>;

Status NotReadable(std::string_view why) {
  return MakeError(ErrorKind::kDataInvalid,
                   fmt::format("it cannot be a partition's value: {}", why));
}

// 0001-01-01 and 9999-12-31, in days.
constexpr int64_t kFirstDay = -719'162;
constexpr int64_t kLastDay = 2'932'896;

Result<Text> DateText(int64_t days) {
  if (days < kFirstDay || days > kLastDay) return NotReadable("its year is not in 0001 to 9999");
  std::string text;
  AppendDate(days, &text);
  return text;
}

Result<Text> TimestampText(int64_t micros, bool utc) {
  constexpr int64_t kDay = 86'400'000'000;
  const int64_t days = FloorDivide(micros, kDay).quotient;
  if (days < kFirstDay || days > kLastDay) return NotReadable("its year is not in 0001 to 9999");
  std::string text;
  AppendTimestamp(micros, arrow::TimeUnit::MICRO, utc, &text);
  // Without a zone the protocol has a space between date and time.
  if (!utc) text[text.find('T')] = ' ';
  return text;
}

template <class Real>
Text RealText(Real value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  std::string text = fmt::format("{}", value);
  if (text.find_first_of(".e") == std::string::npos) text += ".0";
  return text;
}

Result<Text> TextValue(std::string_view text) {
  if (text.empty()) return NotReadable("empty text would be read as null");
  return std::string(text);
}

Result<Text> BytesValue(std::string_view bytes) {
  if (bytes.empty()) return NotReadable("no bytes would be read as null");
  for (const char c : bytes) {
    if (static_cast<unsigned char>(c) >= 0x80) return NotReadable("its bytes are not ASCII");
  }
  return std::string(bytes);
}

template <class Array>
Result<Text> IntegerText(const arrow::Array& column, int64_t row) {
  return fmt::format("{}", static_cast<const Array&>(column).Value(row));
}

template <class Array>
auto ValueAt(const arrow::Array& column, int64_t row) {
  return static_cast<const Array&>(column).GetView(row);
}

bool HasZone(const arrow::DataType& type) {
  return !static_cast<const arrow::TimestampType&>(type).timezone().empty();
}

Status Cannot(const arrow::DataType& type) {
  return MakeError(
      ErrorKind::kUnsupported,
      fmt::format("a table cannot be partitioned by a column of type {}", type.ToString()));
}

bool IsPartitionType(const arrow::DataType& type) {
  using Id = arrow::Type;
  switch (type.id()) {
    case Id::BOOL:
    case Id::INT8:
    case Id::INT16:
    case Id::INT32:
    case Id::INT64:
    case Id::FLOAT:
    case Id::DOUBLE:
    case Id::DATE32:
    case Id::TIMESTAMP:
    case Id::DECIMAL128:
    case Id::STRING:
    case Id::LARGE_STRING:
    case Id::BINARY:
    case Id::LARGE_BINARY:
      return true;
    default:
      return false;
  }
}

// For each row the number of its group, and how many groups there are.
struct Groups {
  std::vector<int32_t> of_row;
  std::vector<int64_t> first_rows;
};

struct PairHash {
  size_t operator()(uint64_t key) const {
    key ^= key >> 33;
    key *= 0xff51afd7ed558ccdU;
    return key ^ (key >> 33);
  }
};

// Splits groups further by the values of one more column.
Status Refine(const std::shared_ptr<arrow::Array>& column, Groups* groups) {
  const arrow::compute::DictionaryEncodeOptions options(
      arrow::compute::DictionaryEncodeOptions::ENCODE);
  ARROW_ASSIGN_OR_RAISE(arrow::Datum encoded, arrow::compute::DictionaryEncode(column, options));
  const auto array = encoded.make_array();
  const auto& codes = static_cast<const arrow::Int32Array&>(
      *static_cast<const arrow::DictionaryArray&>(*array).indices());
  std::unordered_map<uint64_t, int32_t, PairHash> seen;
  groups->first_rows.clear();
  for (size_t row = 0; row < groups->of_row.size(); ++row) {
    const auto code = static_cast<uint32_t>(codes.Value(static_cast<int64_t>(row)));
    const uint64_t key = (static_cast<uint64_t>(groups->of_row[row]) << 32) | code;
    const auto [found, is_new] = seen.emplace(key, static_cast<int32_t>(seen.size()));
    if (is_new) groups->first_rows.push_back(static_cast<int64_t>(row));
    groups->of_row[row] = found->second;
  }
  return Status::OK();
}

Result<Groups> GroupRows(const arrow::RecordBatch& batch, const std::vector<int>& columns) {
  Groups groups;
  groups.of_row.assign(static_cast<size_t>(batch.num_rows()), 0);
  for (const int column : columns) ARROW_RETURN_NOT_OK(Refine(batch.column(column), &groups));
  return groups;
}

// The rows of each group, in order.
Result<std::vector<std::shared_ptr<arrow::Array>>> RowsOf(const Groups& groups) {
  std::vector<arrow::Int64Builder> builders(groups.first_rows.size());
  for (size_t row = 0; row < groups.of_row.size(); ++row) {
    ARROW_RETURN_NOT_OK(
        builders[static_cast<size_t>(groups.of_row[row])].Append(static_cast<int64_t>(row)));
  }
  std::vector<std::shared_ptr<arrow::Array>> rows;
  for (arrow::Int64Builder& builder : builders) {
    ARROW_ASSIGN_OR_RAISE(auto one, builder.Finish());
    rows.push_back(std::move(one));
  }
  return rows;
}

Result<std::vector<int>> PlacesOf(const arrow::Schema& schema, const Strings& columns) {
  std::vector<int> places;
  for (const std::string& column : columns) {
    places.push_back(schema.GetFieldIndex(column));
    if (places.back() < 0) {
      return MakeError(ErrorKind::kSchemaMismatch,
                       fmt::format("partition column '{}' is missing in the data", column));
    }
  }
  return places;
}

Result<NullableMap> ValuesAt(const arrow::RecordBatch& batch, const std::vector<int>& columns,
                             int64_t row) {
  NullableMap values;
  for (const int column : columns) {
    const std::string& name = batch.column_name(column);
    auto value = PartitionValue(*batch.column(column), row);
    if (!value.ok()) {
      ErrorInfo info = ErrorInfoOf(value.status());
      info.row = row;
      return MakeError(info,
                       fmt::format("column '{}', row {}: {}", name, row, value.status().message()));
    }
    values.emplace(name, *std::move(value));
  }
  return values;
}

Result<std::shared_ptr<arrow::RecordBatch>> Without(const arrow::RecordBatch& batch,
                                                    const Strings& columns) {
  const std::set<std::string> dropped(columns.begin(), columns.end());
  std::vector<int> kept;
  for (int i = 0; i < batch.num_columns(); ++i) {
    if (!dropped.contains(batch.column_name(i))) kept.push_back(i);
  }
  return batch.SelectColumns(kept);
}

Result<std::shared_ptr<arrow::Scalar>> ParseTime(const std::string& text,
                                                 const std::shared_ptr<arrow::DataType>& type) {
  if (type->id() == arrow::Type::DATE32) {
    const auto days = ParseDate(text);
    if (!days) return Status::Invalid("no date");
    return std::make_shared<arrow::Date32Scalar>(static_cast<int32_t>(*days));
  }
  std::string iso = text;
  if (const size_t space = iso.find(' '); space != std::string::npos) iso[space] = 'T';
  const auto micros = ParseTimestamp(iso, arrow::TimeUnit::MICRO);
  if (!micros) return Status::Invalid("no timestamp");
  return std::make_shared<arrow::TimestampScalar>(*micros, type);
}

Result<std::shared_ptr<arrow::Scalar>> ParseValue(const std::string& text,
                                                  const std::shared_ptr<arrow::DataType>& type) {
  switch (type->id()) {
    case arrow::Type::STRING:
      return std::make_shared<arrow::StringScalar>(text);
    case arrow::Type::BINARY:
      return std::make_shared<arrow::BinaryScalar>(text);
    case arrow::Type::DATE32:
    case arrow::Type::TIMESTAMP:
      return ParseTime(text, type);
    case arrow::Type::DECIMAL128: {
      arrow::Decimal128 value;
      int32_t precision = 0;
      int32_t scale = 0;
      ARROW_RETURN_NOT_OK(arrow::Decimal128::FromString(text, &value, &precision, &scale));
      const auto& decimal = static_cast<const arrow::DecimalType&>(*type);
      ARROW_ASSIGN_OR_RAISE(value, value.Rescale(scale, decimal.scale()));
      if (!value.FitsInPrecision(decimal.precision())) return Status::Invalid("too many digits");
      return std::make_shared<arrow::Decimal128Scalar>(value, type);
    }
    case arrow::Type::FLOAT:
    case arrow::Type::DOUBLE:
      if (text == "Infinity" || text == "-Infinity") {
        return arrow::Scalar::Parse(type, text.starts_with('-') ? "-inf" : "inf");
      }
      return arrow::Scalar::Parse(type, text);
    default:
      return arrow::Scalar::Parse(type, text);
  }
}

}  // namespace

Result<Text> PartitionValue(const arrow::Array& column, int64_t row) {
  using Id = arrow::Type;
  if (column.IsNull(row)) return std::nullopt;
  switch (column.type_id()) {
    case Id::BOOL:
      return ValueAt<arrow::BooleanArray>(column, row) ? "true" : "false";
    case Id::INT8:
      return IntegerText<arrow::Int8Array>(column, row);
    case Id::INT16:
      return IntegerText<arrow::Int16Array>(column, row);
    case Id::INT32:
      return IntegerText<arrow::Int32Array>(column, row);
    case Id::INT64:
      return IntegerText<arrow::Int64Array>(column, row);
    case Id::FLOAT:
      return RealText(ValueAt<arrow::FloatArray>(column, row));
    case Id::DOUBLE:
      return RealText(ValueAt<arrow::DoubleArray>(column, row));
    case Id::DATE32:
      return DateText(ValueAt<arrow::Date32Array>(column, row));
    case Id::TIMESTAMP:
      return TimestampText(ValueAt<arrow::TimestampArray>(column, row), HasZone(*column.type()));
    case Id::DECIMAL128:
      return DecimalTextAt<arrow::Decimal128>(static_cast<const arrow::Decimal128Array&>(column),
                                              row);
    case Id::STRING:
      return TextValue(ValueAt<arrow::StringArray>(column, row));
    case Id::LARGE_STRING:
      return TextValue(ValueAt<arrow::LargeStringArray>(column, row));
    case Id::BINARY:
      return BytesValue(ValueAt<arrow::BinaryArray>(column, row));
    case Id::LARGE_BINARY:
      return BytesValue(ValueAt<arrow::LargeBinaryArray>(column, row));
    default:
      return Cannot(*column.type());
  }
}

Result<std::shared_ptr<arrow::Array>> ParsePartitionValue(
    const Text& text, const std::shared_ptr<arrow::DataType>& type) {
  if (!text || text->empty()) return arrow::MakeArrayOfNull(type, 1);
  const auto scalar = ParseValue(*text, type);
  if (scalar.ok()) return arrow::MakeArrayFromScalar(**scalar, 1);
  return MakeError(
      {.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget},
      fmt::format("the log says '{}' for a partition column of type {}", *text, type->ToString()));
}

Status CheckPartitionColumns(const arrow::Schema& schema, const Strings& columns) {
  std::set<std::string> seen;
  for (const std::string& column : columns) {
    const auto field = schema.GetFieldByName(column);
    if (field == nullptr) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("partition column '{}' is not one of the columns", column));
    }
    if (!seen.insert(column).second) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("partition column '{}' is named twice", column));
    }
    if (!IsPartitionType(*field->type())) {
      return WithContext(Cannot(*field->type()), fmt::format("column '{}'", column));
    }
  }
  if (columns.empty() || static_cast<int>(columns.size()) < schema.num_fields()) {
    return Status::OK();
  }
  return MakeError(ErrorKind::kConfigInvalid,
                   "every column is a partition column: files need one that is not");
}

Result<std::vector<PartitionPiece>> SplitByPartition(
    const std::shared_ptr<arrow::RecordBatch>& batch, const Strings& columns) {
  std::vector<PartitionPiece> pieces;
  if (batch->num_rows() == 0) return pieces;
  if (columns.empty()) {
    pieces.push_back({{}, batch});
    return pieces;
  }
  ARROW_RETURN_NOT_OK(InitializeCompute());
  ARROW_ASSIGN_OR_RAISE(const auto places, PlacesOf(*batch->schema(), columns));
  ARROW_ASSIGN_OR_RAISE(const auto data, Without(*batch, columns));
  ARROW_ASSIGN_OR_RAISE(const Groups groups, GroupRows(*batch, places));
  if (groups.first_rows.size() == 1) {
    ARROW_ASSIGN_OR_RAISE(NullableMap values, ValuesAt(*batch, places, 0));
    pieces.push_back({std::move(values), data});
    return pieces;
  }
  ARROW_ASSIGN_OR_RAISE(const auto rows, RowsOf(groups));
  for (size_t i = 0; i < rows.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(NullableMap values, ValuesAt(*batch, places, groups.first_rows[i]));
    ARROW_ASSIGN_OR_RAISE(arrow::Datum taken, arrow::compute::Take(data, rows[i]));
    pieces.push_back({std::move(values), taken.record_batch()});
  }
  return pieces;
}

}  // namespace amp::delta
