#include "core/msgpack/msgpack_decoder.h"

#include <arrow/builder.h>
#include <arrow/record_batch.h>
#include <arrow/util/float16.h>

#include "core/decimal_text.h"
#include "core/msgpack/msgpack_format.h"

namespace amp::msgpack {
namespace {

Status Broken(std::string_view what) {
  return MakeError(ErrorKind::kDataInvalid, fmt::format("a stored row is broken: {}", what));
}

/// Reads values from the front of some bytes.
class Reader {
 public:
  explicit Reader(std::string_view bytes)
      : at_(reinterpret_cast<const uint8_t*>(bytes.data())), end_(at_ + bytes.size()) {}

  bool empty() const { return at_ == end_; }

  bool TakeNil() {
    if (at_ == end_ || *at_ != kNil) return false;
    ++at_;
    return true;
  }

  Result<bool> Bool() {
    ARROW_ASSIGN_OR_RAISE(const auto tag, Take<uint8_t>());
    if (tag != kTrue && tag != kFalse) return Broken("no boolean");
    return tag == kTrue;
  }

  /// Any integer; those above the signed range come as unsigned ones.
  struct Integer {
    uint64_t bits;
    bool negative;
  };
  Result<Integer> Int() {
    ARROW_ASSIGN_OR_RAISE(const auto tag, Take<uint8_t>());
    if (tag < 0x80) return Integer{tag, false};
    if (tag >= kFixNegative) return Signed(static_cast<int8_t>(tag));
    switch (tag) {
      case kUint8:
        return Unsigned<uint8_t>();
      case kUint16:
        return Unsigned<uint16_t>();
      case kUint32:
        return Unsigned<uint32_t>();
      case kUint64:
        return Unsigned<uint64_t>();
      case kInt8:
        return TakeSigned<int8_t>();
      case kInt16:
        return TakeSigned<int16_t>();
      case kInt32:
        return TakeSigned<int32_t>();
      case kInt64:
        return TakeSigned<int64_t>();
      default:
        return Broken("no integer");
    }
  }

  template <class T>
  Result<T> IntAs() {
    ARROW_ASSIGN_OR_RAISE(const Integer value, Int());
    const bool fits = value.negative ? std::in_range<T>(static_cast<int64_t>(value.bits))
                                     : std::in_range<T>(value.bits);
    if (!fits) return Broken("an integer beyond its column's range");
    return static_cast<T>(value.bits);
  }

  Result<float> Float() {
    ARROW_ASSIGN_OR_RAISE(const auto tag, Take<uint8_t>());
    if (tag != kFloat32) return Broken("no float 32");
    ARROW_ASSIGN_OR_RAISE(const auto bits, Take<uint32_t>());
    return std::bit_cast<float>(bits);
  }
  Result<double> Double() {
    ARROW_ASSIGN_OR_RAISE(const auto tag, Take<uint8_t>());
    if (tag != kFloat64) return Broken("no float 64");
    ARROW_ASSIGN_OR_RAISE(const auto bits, Take<uint64_t>());
    return std::bit_cast<double>(bits);
  }

  Result<std::string_view> Text() {
    ARROW_ASSIGN_OR_RAISE(const auto tag, Take<uint8_t>());
    if ((tag & 0xE0) == kFixStr) return Bytes(tag & 0x1F);
    return Sized(tag, kStr8, kStr16, kStr32, "no text");
  }
  Result<std::string_view> Binary() {
    ARROW_ASSIGN_OR_RAISE(const auto tag, Take<uint8_t>());
    return Sized(tag, kBin8, kBin16, kBin32, "no binary");
  }

  Result<uint32_t> Sequence(SequenceTags tags) {
    ARROW_ASSIGN_OR_RAISE(const auto tag, Take<uint8_t>());
    if ((tag & 0xF0) == tags.fix) return tag & 0x0F;
    if (tag == tags.tag16) return Take<uint16_t>();
    if (tag == tags.tag32) return Take<uint32_t>();
    return Broken("no array or map");
  }

 private:
  template <class T>
  Result<T> Take() {
    if (end_ - at_ < static_cast<ptrdiff_t>(sizeof(T))) return Broken("it ends too early");
    const T value = Get<T>(at_);
    at_ += sizeof(T);
    return value;
  }
  template <class T>
  Result<Integer> Unsigned() {
    ARROW_ASSIGN_OR_RAISE(const T value, Take<T>());
    return Integer{value, false};
  }
  template <class T>
  Result<Integer> TakeSigned() {
    ARROW_ASSIGN_OR_RAISE(const T value, Take<T>());
    return Signed(value);
  }
  static Integer Signed(int64_t value) { return {static_cast<uint64_t>(value), value < 0}; }

  Result<std::string_view> Sized(uint8_t tag, uint8_t tag8, uint8_t tag16, uint8_t tag32,
                                 std::string_view wrong) {
    if (tag == tag8) {
      ARROW_ASSIGN_OR_RAISE(const auto length, Take<uint8_t>());
      return Bytes(length);
    }
    if (tag == tag16) {
      ARROW_ASSIGN_OR_RAISE(const auto length, Take<uint16_t>());
      return Bytes(length);
    }
    if (tag == tag32) {
      ARROW_ASSIGN_OR_RAISE(const auto length, Take<uint32_t>());
      return Bytes(length);
    }
    return Broken(wrong);
  }
  Result<std::string_view> Bytes(size_t length) {
    if (static_cast<size_t>(end_ - at_) < length) return Broken("it ends too early");
    const std::string_view bytes(reinterpret_cast<const char*>(at_), length);
    at_ += length;
    return bytes;
  }

  const uint8_t* at_;
  const uint8_t* end_;
};

Status AppendValue(Reader* in, arrow::ArrayBuilder* builder);

template <class Builder, class T = typename Builder::value_type>
Status AppendInteger(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const T value, in->IntAs<T>());
  return static_cast<Builder*>(builder)->Append(value);
}

template <class Builder>
Status AppendText(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string_view text, in->Text());
  return static_cast<Builder*>(builder)->Append(text);
}

template <class Builder>
Status AppendBinary(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, in->Binary());
  return static_cast<Builder*>(builder)->Append(bytes);
}

Status AppendFixedBinary(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string_view bytes, in->Binary());
  auto* fixed = static_cast<arrow::FixedSizeBinaryBuilder*>(builder);
  if (static_cast<int64_t>(bytes.size()) != fixed->byte_width()) {
    return Broken("binary of another length than its column's");
  }
  return fixed->Append(bytes);
}

template <class Decimal, class Builder>
Status AppendDecimal(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const std::string_view text, in->Text());
  const auto value = ParseDecimal<Decimal>(text, *builder->type());
  return value.ok() ? static_cast<Builder*>(builder)->Append(*value)
                    : Broken(value.status().message());
}

Status AppendDayTime(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const uint32_t parts, in->Sequence(kArrayTags));
  if (parts != 2) return Broken("an interval of other than two parts");
  arrow::DayTimeIntervalType::DayMilliseconds value;
  ARROW_ASSIGN_OR_RAISE(value.days, in->IntAs<int32_t>());
  ARROW_ASSIGN_OR_RAISE(value.milliseconds, in->IntAs<int32_t>());
  return static_cast<arrow::DayTimeIntervalBuilder*>(builder)->Append(value);
}

Status AppendMonthDayNano(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const uint32_t parts, in->Sequence(kArrayTags));
  if (parts != 3) return Broken("an interval of other than three parts");
  arrow::MonthDayNanoIntervalType::MonthDayNanos value;
  ARROW_ASSIGN_OR_RAISE(value.months, in->IntAs<int32_t>());
  ARROW_ASSIGN_OR_RAISE(value.days, in->IntAs<int32_t>());
  ARROW_ASSIGN_OR_RAISE(value.nanoseconds, in->IntAs<int64_t>());
  return static_cast<arrow::MonthDayNanoIntervalBuilder*>(builder)->Append(value);
}

template <class Builder>
Status AppendList(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const uint32_t length, in->Sequence(kArrayTags));
  auto* list = static_cast<Builder*>(builder);
  if constexpr (std::is_same_v<Builder, arrow::FixedSizeListBuilder>) {
    // A builder of lists makes its type anew for each asking.
    const auto type = builder->type();
    const auto list_size = static_cast<const arrow::FixedSizeListType&>(*type).list_size();
    if (static_cast<int64_t>(length) != list_size) return Broken("a list of another length");
  }
  ARROW_RETURN_NOT_OK(list->Append());
  for (uint32_t i = 0; i < length; ++i) {
    ARROW_RETURN_NOT_OK(AppendValue(in, list->value_builder()));
  }
  return Status::OK();
}

Status AppendMap(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const uint32_t length, in->Sequence(kMapTags));
  auto* map = static_cast<arrow::MapBuilder*>(builder);
  ARROW_RETURN_NOT_OK(map->Append());
  for (uint32_t i = 0; i < length; ++i) {
    if (in->TakeNil()) return Broken("a key of a map is null");
    ARROW_RETURN_NOT_OK(AppendValue(in, map->key_builder()));
    ARROW_RETURN_NOT_OK(AppendValue(in, map->item_builder()));
  }
  return Status::OK();
}

Status AppendStruct(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const uint32_t fields, in->Sequence(kArrayTags));
  auto* structs = static_cast<arrow::StructBuilder*>(builder);
  if (static_cast<int>(fields) != structs->num_fields()) return Broken("another count of fields");
  ARROW_RETURN_NOT_OK(structs->Append());
  for (int i = 0; i < structs->num_fields(); ++i) {
    ARROW_RETURN_NOT_OK(AppendValue(in, structs->field_builder(i)));
  }
  return Status::OK();
}

Status AppendBool(Reader* in, arrow::ArrayBuilder* builder) {
  ARROW_ASSIGN_OR_RAISE(const bool value, in->Bool());
  return static_cast<arrow::BooleanBuilder*>(builder)->Append(value);
}

Status AppendReal(Reader* in, arrow::ArrayBuilder* builder) {
  if (builder->type()->id() == arrow::Type::DOUBLE) {
    ARROW_ASSIGN_OR_RAISE(const double value, in->Double());
    return static_cast<arrow::DoubleBuilder*>(builder)->Append(value);
  }
  ARROW_ASSIGN_OR_RAISE(const float value, in->Float());
  if (builder->type()->id() == arrow::Type::FLOAT) {
    return static_cast<arrow::FloatBuilder*>(builder)->Append(value);
  }
  return static_cast<arrow::HalfFloatBuilder*>(builder)->Append(
      arrow::util::Float16::FromFloat(value).bits());
}

Status AppendValue(Reader* in, arrow::ArrayBuilder* builder) {
  using Id = arrow::Type;
  if (in->TakeNil()) return builder->AppendNull();
  switch (builder->type()->id()) {
    case Id::BOOL:
      return AppendBool(in, builder);
    case Id::INT8:
      return AppendInteger<arrow::Int8Builder>(in, builder);
    case Id::UINT8:
      return AppendInteger<arrow::UInt8Builder>(in, builder);
    case Id::INT16:
      return AppendInteger<arrow::Int16Builder>(in, builder);
    case Id::UINT16:
      return AppendInteger<arrow::UInt16Builder>(in, builder);
    case Id::INT32:
      return AppendInteger<arrow::Int32Builder>(in, builder);
    case Id::UINT32:
      return AppendInteger<arrow::UInt32Builder>(in, builder);
    case Id::INT64:
      return AppendInteger<arrow::Int64Builder>(in, builder);
    case Id::UINT64:
      return AppendInteger<arrow::UInt64Builder>(in, builder);
    case Id::DATE32:
      return AppendInteger<arrow::Date32Builder>(in, builder);
    case Id::DATE64:
      return AppendInteger<arrow::Date64Builder>(in, builder);
    case Id::TIME32:
      return AppendInteger<arrow::Time32Builder>(in, builder);
    case Id::TIME64:
      return AppendInteger<arrow::Time64Builder>(in, builder);
    case Id::TIMESTAMP:
      return AppendInteger<arrow::TimestampBuilder>(in, builder);
    case Id::DURATION:
      return AppendInteger<arrow::DurationBuilder>(in, builder);
    case Id::INTERVAL_MONTHS:
      return AppendInteger<arrow::MonthIntervalBuilder>(in, builder);
    case Id::INTERVAL_DAY_TIME:
      return AppendDayTime(in, builder);
    case Id::INTERVAL_MONTH_DAY_NANO:
      return AppendMonthDayNano(in, builder);
    case Id::HALF_FLOAT:
    case Id::FLOAT:
    case Id::DOUBLE:
      return AppendReal(in, builder);
    case Id::STRING:
      return AppendText<arrow::StringBuilder>(in, builder);
    case Id::LARGE_STRING:
      return AppendText<arrow::LargeStringBuilder>(in, builder);
    case Id::BINARY:
      return AppendBinary<arrow::BinaryBuilder>(in, builder);
    case Id::LARGE_BINARY:
      return AppendBinary<arrow::LargeBinaryBuilder>(in, builder);
    case Id::FIXED_SIZE_BINARY:
      return AppendFixedBinary(in, builder);
    case Id::DECIMAL32:
      return AppendDecimal<arrow::Decimal32, arrow::Decimal32Builder>(in, builder);
    case Id::DECIMAL64:
      return AppendDecimal<arrow::Decimal64, arrow::Decimal64Builder>(in, builder);
    case Id::DECIMAL128:
      return AppendDecimal<arrow::Decimal128, arrow::Decimal128Builder>(in, builder);
    case Id::DECIMAL256:
      return AppendDecimal<arrow::Decimal256, arrow::Decimal256Builder>(in, builder);
    case Id::LIST:
      return AppendList<arrow::ListBuilder>(in, builder);
    case Id::LARGE_LIST:
      return AppendList<arrow::LargeListBuilder>(in, builder);
    case Id::FIXED_SIZE_LIST:
      return AppendList<arrow::FixedSizeListBuilder>(in, builder);
    case Id::MAP:
      return AppendMap(in, builder);
    case Id::STRUCT:
      return AppendStruct(in, builder);
    default:
      return Broken("a value where there can be none");
  }
}

}  // namespace

RowDecoder::RowDecoder(std::shared_ptr<arrow::Schema> schema) : schema_(std::move(schema)) {}
RowDecoder::RowDecoder(RowDecoder&&) noexcept = default;
RowDecoder::~RowDecoder() = default;

Result<RowDecoder> RowDecoder::Make(std::shared_ptr<arrow::Schema> schema) {
  RowDecoder decoder(std::move(schema));
  for (const auto& field : decoder.schema_->fields()) {
    ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(field->type()));
    decoder.builders_.push_back(std::move(builder));
  }
  return decoder;
}

Status RowDecoder::Append(std::string_view row) {
  Reader in(row);
  ARROW_ASSIGN_OR_RAISE(const uint32_t columns, in.Sequence(kArrayTags));
  if (columns > builders_.size()) return Broken("another count of columns");
  for (size_t i = columns; i < builders_.size(); ++i) {
    if (!schema_->field(static_cast<int>(i))->nullable()) return Broken("a column is missing");
  }
  for (size_t i = 0; i < builders_.size(); ++i) {
    ARROW_RETURN_NOT_OK(i < columns ? AppendValue(&in, builders_[i].get())
                                    : builders_[i]->AppendNull());
  }
  if (!in.empty()) return Broken("bytes after its end");
  ++rows_;
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> RowDecoder::Finish() {
  std::vector<std::shared_ptr<arrow::Array>> columns;
  for (const auto& builder : builders_) {
    ARROW_ASSIGN_OR_RAISE(auto column, builder->Finish());
    columns.push_back(std::move(column));
  }
  return arrow::RecordBatch::Make(schema_, std::exchange(rows_, 0), std::move(columns));
}

}  // namespace amp::msgpack
