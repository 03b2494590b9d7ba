#include "core/json_decoder.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/util/float16.h>

#include <limits>
#include <nlohmann/json.hpp>

#include "core/decimal_text.h"
#include "core/text.h"
#include "core/time_text.h"

namespace amp {
namespace {

// Ordered: the entries of a map come back in the order in which they were written.
using Json = nlohmann::ordered_json;

Status Broken(std::string_view what) {
  return MakeError(ErrorKind::kDataInvalid, fmt::format("a stored row is broken: {}", what));
}

Status AppendValue(const Json& json, arrow::ArrayBuilder* builder);

Result<std::string> TextOf(const Json& json) {
  if (!json.is_string()) return Broken("no text where there should be one");
  return json.get<std::string>();
}

template <class T>
Result<T> IntegerOf(const Json& json) {
  if (json.is_number_unsigned() && std::in_range<T>(json.get<uint64_t>())) return json.get<T>();
  if (json.is_number_integer() && std::in_range<T>(json.get<int64_t>())) return json.get<T>();
  if (json.is_string()) {  // beyond 2^53
    const auto text = json.get<std::string>();
    T value{};
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error == std::errc() && end == text.data() + text.size()) return value;
  }
  return Broken("no integer of its column's range");
}

Result<double> RealOf(const Json& json) {
  if (json.is_number()) return json.get<double>();
  if (json == "NaN") return std::numeric_limits<double>::quiet_NaN();
  if (json == "Infinity") return std::numeric_limits<double>::infinity();
  if (json == "-Infinity") return -std::numeric_limits<double>::infinity();
  return Broken("no number");
}

Result<std::string> BytesOf(const Json& json) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, TextOf(json));
  auto bytes = text.starts_with("0x") ? HexDecode(std::string_view(text).substr(2)) : std::nullopt;
  if (!bytes) return Broken("no bytes in hex");
  return *std::move(bytes);
}

template <class Builder, class T = typename Builder::value_type>
Status AppendInteger(const Json& json, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const T value, IntegerOf<T>(json));
  return static_cast<Builder*>(builder)->Append(value);
}

Status AppendReal(const Json& json, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const double value, RealOf(json));
  switch (builder->type()->id()) {
    case arrow::Type::DOUBLE:
      return static_cast<arrow::DoubleBuilder*>(builder)->Append(value);
    case arrow::Type::FLOAT:
      return static_cast<arrow::FloatBuilder*>(builder)->Append(static_cast<float>(value));
    default:
      return static_cast<arrow::HalfFloatBuilder*>(builder)->Append(
          arrow::util::Float16::FromDouble(value).bits());
  }
}

template <class Builder>
Status AppendText(const Json& json, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, TextOf(json));
  return static_cast<Builder*>(builder)->Append(text);
}

template <class Builder>
Status AppendBytes(const Json& json, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string bytes, BytesOf(json));
  if constexpr (std::is_same_v<Builder, arrow::FixedSizeBinaryBuilder>) {
    if (static_cast<int64_t>(bytes.size()) !=
        static_cast<arrow::FixedSizeBinaryBuilder*>(builder)->byte_width()) {
      return Broken("bytes of another length than their column's");
    }
  }
  return static_cast<Builder*>(builder)->Append(bytes);
}

template <class Decimal, class Builder>
Status AppendDecimal(const Json& json, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, TextOf(json));
  const auto value = ParseDecimal<Decimal>(text, *builder->type());
  return value.ok() ? static_cast<Builder*>(builder)->Append(*value)
                    : Broken(value.status().message());
}

std::optional<int64_t> ParseTime(const std::string& text, const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::DATE32:
      return ParseDate(text);
    case arrow::Type::DATE64: {
      const auto days = ParseDate(text);
      int64_t value = 0;
      if (!days || __builtin_mul_overflow(*days, 86'400'000, &value)) return std::nullopt;
      return value;
    }
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
      return ParseTimeOfDay(text, static_cast<const arrow::TimeType&>(type).unit());
    case arrow::Type::TIMESTAMP:
      return ParseTimestamp(text, static_cast<const arrow::TimestampType&>(type).unit());
    default:
      return ParseDuration(text, static_cast<const arrow::DurationType&>(type).unit());
  }
}

template <class Builder>
Status AppendTime(const Json& json, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, TextOf(json));
  using Value = typename Builder::value_type;
  const auto value = ParseTime(text, *builder->type());
  if (!value || !std::in_range<Value>(*value))
    return Broken("no date or time of its column's range");
  return static_cast<Builder*>(builder)->Append(static_cast<Value>(*value));
}

/// P1M2DT3.000000004S and its shorter forms.
struct Interval {
  int32_t months = 0;
  int32_t days = 0;
  int64_t time = 0;
};
Result<Interval> ParseInterval(std::string_view text, arrow::TimeUnit::type unit) {
  Interval interval;
  if (!text.starts_with('P')) return Broken("no interval");
  text.remove_prefix(1);
  while (!text.empty() && !text.starts_with('T')) {
    int32_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end == text.data() + text.size()) return Broken("no interval");
    if (*end != 'M' && *end != 'D') return Broken("no interval");
    (*end == 'M' ? interval.months : interval.days) = number;
    text.remove_prefix(static_cast<size_t>(end - text.data()) + 1);
  }
  if (text.empty()) return interval;
  const auto time = ParseDuration("P" + std::string(text), unit);
  if (!time) return Broken("no interval");
  interval.time = *time;
  return interval;
}

Status AppendInterval(const Json& json, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string text, TextOf(json));
  const auto id = builder->type()->id();
  const auto unit =
      id == arrow::Type::INTERVAL_DAY_TIME ? arrow::TimeUnit::MILLI : arrow::TimeUnit::NANO;
  ARROW_ASSIGN_OR_RAISE(const Interval value, ParseInterval(text, unit));
  switch (id) {
    case arrow::Type::INTERVAL_MONTHS:
      return static_cast<arrow::MonthIntervalBuilder*>(builder)->Append(value.months);
    case arrow::Type::INTERVAL_DAY_TIME:
      if (!std::in_range<int32_t>(value.time)) return Broken("no interval of its column's range");
      return static_cast<arrow::DayTimeIntervalBuilder*>(builder)->Append(
          {value.days, static_cast<int32_t>(value.time)});
    default:
      return static_cast<arrow::MonthDayNanoIntervalBuilder*>(builder)->Append(
          {value.months, value.days, value.time});
  }
}

template <class Builder>
Status AppendList(const Json& json, arrow::ArrayBuilder* builder) {
  if (!json.is_array()) return Broken("no list");
  auto* list = static_cast<Builder*>(builder);
  if constexpr (std::is_same_v<Builder, arrow::FixedSizeListBuilder>) {
    // A builder of lists makes its type anew for each asking.
    const auto type = builder->type();
    const auto list_size = static_cast<const arrow::FixedSizeListType&>(*type).list_size();
    if (json.size() != static_cast<size_t>(list_size)) return Broken("another length");
  }
  ARROW_RETURN_NOT_OK(list->Append());
  for (const Json& item : json) ARROW_RETURN_NOT_OK(AppendValue(item, list->value_builder()));
  return Status::OK();
}

Status AppendMap(const Json& json, arrow::ArrayBuilder* builder) {
  auto* map = static_cast<arrow::MapBuilder*>(builder);
  ARROW_RETURN_NOT_OK(map->Append());
  if (json.is_object()) {
    for (const auto& [key, value] : json.items()) {
      ARROW_RETURN_NOT_OK(AppendValue(Json(key), map->key_builder()));
      ARROW_RETURN_NOT_OK(AppendValue(value, map->item_builder()));
    }
    return Status::OK();
  }
  if (!json.is_array()) return Broken("no map");
  for (const Json& entry : json) {
    if (!entry.contains("key") || !entry.contains("value")) return Broken("no map entry");
    if (entry["key"].is_null()) return Broken("a key of a map is null");
    ARROW_RETURN_NOT_OK(AppendValue(entry["key"], map->key_builder()));
    ARROW_RETURN_NOT_OK(AppendValue(entry["value"], map->item_builder()));
  }
  return Status::OK();
}

Status AppendStruct(const Json& json, arrow::ArrayBuilder* builder) {
  if (!json.is_object()) return Broken("no struct");
  auto* structs = static_cast<arrow::StructBuilder*>(builder);
  ARROW_RETURN_NOT_OK(structs->Append());
  for (int i = 0; i < structs->num_fields(); ++i) {
    const auto field = json.find(builder->type()->field(i)->name());
    if (field == json.end()) return Broken("a field is missing");
    ARROW_RETURN_NOT_OK(AppendValue(*field, structs->field_builder(i)));
  }
  return Status::OK();
}

Status AppendBool(const Json& json, arrow::ArrayBuilder* builder) {
  if (!json.is_boolean()) return Broken("no boolean");
  return static_cast<arrow::BooleanBuilder*>(builder)->Append(json.get<bool>());
}

Status AppendValue(const Json& json, arrow::ArrayBuilder* builder) {
  using Id = arrow::Type;
  if (json.is_null()) return builder->AppendNull();
  switch (builder->type()->id()) {
    case Id::BOOL:
      return AppendBool(json, builder);
    case Id::INT8:
      return AppendInteger<arrow::Int8Builder>(json, builder);
    case Id::UINT8:
      return AppendInteger<arrow::UInt8Builder>(json, builder);
    case Id::INT16:
      return AppendInteger<arrow::Int16Builder>(json, builder);
    case Id::UINT16:
      return AppendInteger<arrow::UInt16Builder>(json, builder);
    case Id::INT32:
      return AppendInteger<arrow::Int32Builder>(json, builder);
    case Id::UINT32:
      return AppendInteger<arrow::UInt32Builder>(json, builder);
    case Id::INT64:
      return AppendInteger<arrow::Int64Builder>(json, builder);
    case Id::UINT64:
      return AppendInteger<arrow::UInt64Builder>(json, builder);
    case Id::HALF_FLOAT:
    case Id::FLOAT:
    case Id::DOUBLE:
      return AppendReal(json, builder);
    case Id::STRING:
      return AppendText<arrow::StringBuilder>(json, builder);
    case Id::LARGE_STRING:
      return AppendText<arrow::LargeStringBuilder>(json, builder);
    case Id::BINARY:
      return AppendBytes<arrow::BinaryBuilder>(json, builder);
    case Id::LARGE_BINARY:
      return AppendBytes<arrow::LargeBinaryBuilder>(json, builder);
    case Id::FIXED_SIZE_BINARY:
      return AppendBytes<arrow::FixedSizeBinaryBuilder>(json, builder);
    case Id::DECIMAL32:
      return AppendDecimal<arrow::Decimal32, arrow::Decimal32Builder>(json, builder);
    case Id::DECIMAL64:
      return AppendDecimal<arrow::Decimal64, arrow::Decimal64Builder>(json, builder);
    case Id::DECIMAL128:
      return AppendDecimal<arrow::Decimal128, arrow::Decimal128Builder>(json, builder);
    case Id::DECIMAL256:
      return AppendDecimal<arrow::Decimal256, arrow::Decimal256Builder>(json, builder);
    case Id::DATE32:
      return AppendTime<arrow::Date32Builder>(json, builder);
    case Id::DATE64:
      return AppendTime<arrow::Date64Builder>(json, builder);
    case Id::TIME32:
      return AppendTime<arrow::Time32Builder>(json, builder);
    case Id::TIME64:
      return AppendTime<arrow::Time64Builder>(json, builder);
    case Id::TIMESTAMP:
      return AppendTime<arrow::TimestampBuilder>(json, builder);
    case Id::DURATION:
      return AppendTime<arrow::DurationBuilder>(json, builder);
    case Id::INTERVAL_MONTHS:
    case Id::INTERVAL_DAY_TIME:
    case Id::INTERVAL_MONTH_DAY_NANO:
      return AppendInterval(json, builder);
    case Id::LIST:
      return AppendList<arrow::ListBuilder>(json, builder);
    case Id::LARGE_LIST:
      return AppendList<arrow::LargeListBuilder>(json, builder);
    case Id::FIXED_SIZE_LIST:
      return AppendList<arrow::FixedSizeListBuilder>(json, builder);
    case Id::MAP:
      return AppendMap(json, builder);
    case Id::STRUCT:
      return AppendStruct(json, builder);
    default:
      return Broken("a value where there can be none");
  }
}

}  // namespace

JsonRowDecoder::JsonRowDecoder(std::shared_ptr<arrow::Schema> schema)
    : schema_(std::move(schema)) {}
JsonRowDecoder::JsonRowDecoder(JsonRowDecoder&&) noexcept = default;
JsonRowDecoder::~JsonRowDecoder() = default;

Result<JsonRowDecoder> JsonRowDecoder::Make(std::shared_ptr<arrow::Schema> schema) {
  JsonRowDecoder decoder(std::move(schema));
  for (const auto& field : decoder.schema_->fields()) {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(field->type()));
    decoder.builders_.push_back(std::move(builder));
  }
  return decoder;
}

Status JsonRowDecoder::Append(std::string_view row) {
  const Json json = Json::parse(row, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Broken("it is no JSON object");
  size_t found = 0;
  for (size_t i = 0; i < builders_.size(); ++i) {
    const arrow::Field& field = *schema_->field(static_cast<int>(i));
    const auto value = json.find(field.name());
    if (value == json.end() && !field.nullable()) return Broken("a column is missing");
    found += value == json.end() ? 0 : 1;
    ARROW_RETURN_NOT_OK(value == json.end() ? builders_[i]->AppendNull()
                                            : AppendValue(*value, builders_[i].get()));
  }
  // Else it is a row of another table.
  if (found < builders_.size() && found < json.size()) return Broken("it has other columns");
  ++rows_;
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> JsonRowDecoder::Finish() {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& builder : builders_) {
    ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, std::exchange(rows_, 0), std::move(columns));
}

}  // namespace amp
