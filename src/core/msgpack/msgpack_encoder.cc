#include "core/msgpack/msgpack_encoder.h"

#include <arrow/type.h>
#include <arrow/util/float16.h>

#include "core/decimal_text.h"
#include "core/msgpack/msgpack_format.h"

namespace amp::msgpack {
namespace {

using EncoderPtr = std::unique_ptr<ColumnEncoder>;

Result<EncoderPtr> MakeColumn(const arrow::DataType& type);

/// Values say their own size; a null is one byte.
struct Format {
  static constexpr bool kNulls = true;
  static constexpr uint32_t kHeaderBytes = 0;
  static constexpr uint32_t kNullBytes = 1;
  static uint8_t* PutHeader(uint32_t /*size*/, uint8_t* out) { return out; }
  static uint8_t* PutNull(uint8_t* out) { return Put(kNil, out); }
};

struct BoolCell : BoolValues {
  static constexpr uint32_t kSize = 1;
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return Put(column->Value(row) ? kTrue : kFalse, out);
  }
};

template <class T>
struct IntegerCell : FixedWidth<T> {
  uint32_t Size(int64_t row) const {
    if constexpr (std::is_signed_v<T>) return SignedSize(this->values[row]);
    return UnsignedSize(static_cast<uint64_t>(this->values[row]));
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    if constexpr (std::is_signed_v<T>) return PutSigned(this->values[row], out);
    return PutUnsigned(static_cast<uint64_t>(this->values[row]), out);
  }
};

struct HalfCell : FixedWidth<uint16_t> {
  static constexpr uint32_t kSize = 5;
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return PutTagged(kFloat32, arrow::util::Float16::FromBits(values[row]).ToFloat(), out);
  }
};

struct FloatCell : FixedWidth<float> {
  static constexpr uint32_t kSize = 5;
  uint8_t* Write(int64_t row, uint8_t* out) const { return PutTagged(kFloat32, values[row], out); }
};

struct DoubleCell : FixedWidth<double> {
  static constexpr uint32_t kSize = 9;
  uint8_t* Write(int64_t row, uint8_t* out) const { return PutTagged(kFloat64, values[row], out); }
};

// Lengths are 32 bits.
template <class Values>
struct SizedBytes : Values {
  using Values::Values;
  static constexpr bool kChecked = true;
  bool Fits(int64_t row) const { return this->Length(row) < (int64_t{1} << 31); }
  std::string Why(int64_t row) const {
    return fmt::format("a value of {} bytes is too long", this->Length(row));
  }
};

template <class Offset>
struct TextCell : SizedBytes<Binary<Offset>> {
  uint32_t Size(int64_t row) const {
    const auto length = static_cast<uint32_t>(this->Length(row));
    return TextHeaderSize(length) + length;
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    const auto length = static_cast<size_t>(this->Length(row));
    return PutBytes(this->At(row), length, PutTextHeader(length, out));
  }
};

template <class Values>
struct BytesCell : SizedBytes<Values> {
  using SizedBytes<Values>::SizedBytes;
  uint32_t Size(int64_t row) const {
    const auto length = static_cast<uint32_t>(this->Length(row));
    return BinaryHeaderSize(length) + length;
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    const auto length = static_cast<size_t>(this->Length(row));
    return PutBytes(this->At(row), length, PutBinaryHeader(length, out));
  }
};

struct DayTimeCell : FixedWidth<arrow::DayTimeIntervalType::DayMilliseconds> {
  uint32_t Size(int64_t row) const {
    return 1 + SignedSize(values[row].days) + SignedSize(values[row].milliseconds);
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    out = PutSigned(values[row].days, PutSequenceHeader(kArrayTags, 2, out));
    return PutSigned(values[row].milliseconds, out);
  }
};

struct MonthDayNanoCell : FixedWidth<arrow::MonthDayNanoIntervalType::MonthDayNanos> {
  uint32_t Size(int64_t row) const {
    return 1 + SignedSize(values[row].months) + SignedSize(values[row].days) +
           SignedSize(values[row].nanoseconds);
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    out = PutSigned(values[row].months, PutSequenceHeader(kArrayTags, 3, out));
    return PutSigned(values[row].nanoseconds, PutSigned(values[row].days, out));
  }
};

template <class Decimal, class Array>
class DecimalEncoder final : public MadeCells {
 public:
  Status Measure(const arrow::Array& column, int64_t start, int64_t count,
                 uint32_t* sizes) override {
    const auto& decimals = static_cast<const Array&>(column);
    Start(count);
    for (int64_t i = 0; i < count; ++i) {
      const bool null = decimals.IsNull(start + i);
      const std::string text = null ? std::string() : DecimalTextAt<Decimal>(decimals, start + i);
      uint8_t* room = Room(text.size() + 5);
      uint8_t* end = null ? Put(kNil, room)
                          : PutBytes(text.data(), text.size(), PutTextHeader(text.size(), room));
      Done(room, end, &sizes[i]);
    }
    return Status::OK();
  }
};

class NullEncoder final : public ColumnEncoder {
 public:
  Status Measure(const arrow::Array&, int64_t, int64_t count, uint32_t* sizes) override {
    count_ = count;
    for (int64_t i = 0; i < count; ++i) ++sizes[i];
    return Status::OK();
  }
  void Write(uint8_t** cursors) override {
    for (int64_t i = 0; i < count_; ++i) cursors[i] = Put(kNil, cursors[i]);
  }

 private:
  int64_t count_ = 0;
};

/// Values under a null still have cells; they go to a place that nobody reads.
class Discard {
 public:
  void Need(size_t bytes) { bytes_.resize(std::max(bytes_.size(), bytes)); }
  uint8_t* place() { return bytes_.data(); }

 private:
  std::vector<uint8_t> bytes_;
};

/// A struct: an array of its fields.
class StructEncoder final : public ColumnEncoder {
 public:
  explicit StructEncoder(std::vector<EncoderPtr> fields) : fields_(std::move(fields)) {}

  Status Measure(const arrow::Array& column, int64_t start, int64_t count,
                 uint32_t* sizes) override {
    run_.Take(column, start, count);
    children_.clear();
    inner_.assign(static_cast<size_t>(count), 0);
    const auto& structs = static_cast<const arrow::StructArray&>(column);
    for (size_t f = 0; f < fields_.size(); ++f) {
      children_.push_back(structs.field(static_cast<int>(f)));
      ARROW_RETURN_NOT_OK(fields_[f]->Measure(*children_.back(), start, count, inner_.data()));
    }
    const uint32_t header = SequenceHeaderSize(fields_.size());
    for (int64_t i = 0; i < count; ++i) {
      const uint32_t inner = inner_[static_cast<size_t>(i)];
      if (run_.IsNull(i)) discard_.Need(inner);
      sizes[i] += run_.IsNull(i) ? 1 : header + inner;
    }
    return Status::OK();
  }

  void Write(uint8_t** cursors) override {
    fields_at_.resize(inner_.size());
    for (int64_t i = 0; i < run_.count; ++i) {
      uint8_t*& at = fields_at_[static_cast<size_t>(i)];
      if (run_.IsNull(i)) {
        cursors[i] = Put(kNil, cursors[i]);
        at = discard_.place();
        continue;
      }
      at = PutSequenceHeader(kArrayTags, fields_.size(), cursors[i]);
      cursors[i] = at + inner_[static_cast<size_t>(i)];
    }
    for (const EncoderPtr& field : fields_) field->Write(fields_at_.data());
  }

 private:
  std::vector<EncoderPtr> fields_;
  Run run_;
  std::vector<std::shared_ptr<arrow::Array>> children_;
  std::vector<uint32_t> inner_;
  std::vector<uint8_t*> fields_at_;
  Discard discard_;
};

/// Lists and maps: a sequence of entries, each of one value (a list's) or two (a map's).
template <class ListArray>
class SequenceEncoder final : public ColumnEncoder {
 public:
  SequenceEncoder(SequenceTags tags, std::vector<EncoderPtr> parts)
      : tags_(tags), parts_(std::move(parts)) {}

  Status Measure(const arrow::Array& column, int64_t start, int64_t count,
                 uint32_t* sizes) override {
    run_.Take(column, start, count);
    // Lists inside empty lists: an array without rows may come without offsets.
    first_ = count == 0 ? 0 : lists().value_offset(start);
    const int64_t entries = count == 0 ? 0
                                       : lists().value_offset(start + count - 1) +
                                             lists().value_length(start + count - 1) - first_;
    entry_sizes_.assign(static_cast<size_t>(entries), 0);
    children_ = ChildrenOf(lists());
    for (size_t p = 0; p < parts_.size(); ++p) {
      const Status status = parts_[p]->Measure(*children_[p], first_, entries, entry_sizes_.data());
      // The element's row means nothing to the reader of the message; the list's would be a guess.
      if (!status.ok()) return ValueError(start, "in a list or map: " + status.message());
    }
    for (int64_t i = 0; i < count; ++i) {
      if (run_.IsNull(i)) {
        for (size_t e = From(i); e < To(i); ++e) discard_.Need(entry_sizes_[e]);
        sizes[i] += 1;
        continue;
      }
      sizes[i] += SequenceHeaderSize(To(i) - From(i));
      for (size_t e = From(i); e < To(i); ++e) sizes[i] += entry_sizes_[e];
    }
    return Status::OK();
  }

  void Write(uint8_t** cursors) override {
    entries_at_.resize(entry_sizes_.size());
    for (int64_t i = 0; i < run_.count; ++i) {
      const bool null = run_.IsNull(i);
      cursors[i] =
          null ? Put(kNil, cursors[i]) : PutSequenceHeader(tags_, To(i) - From(i), cursors[i]);
      for (size_t e = From(i); e < To(i); ++e) {
        entries_at_[e] = null ? discard_.place() : cursors[i];
        if (!null) cursors[i] += entry_sizes_[e];
      }
    }
    for (const EncoderPtr& part : parts_) part->Write(entries_at_.data());
  }

 private:
  const ListArray& lists() const { return static_cast<const ListArray&>(*run_.column); }
  size_t From(int64_t i) const {
    return static_cast<size_t>(lists().value_offset(run_.start + i) - first_);
  }
  size_t To(int64_t i) const {
    return From(i) + static_cast<size_t>(lists().value_length(run_.start + i));
  }
  static std::vector<std::shared_ptr<arrow::Array>> ChildrenOf(const ListArray& lists) {
    if constexpr (std::is_same_v<ListArray, arrow::MapArray>) {
      return {lists.keys(), lists.items()};
    } else {
      return {lists.values()};
    }
  }

  SequenceTags tags_;
  std::vector<EncoderPtr> parts_;
  Run run_;
  int64_t first_ = 0;
  std::vector<std::shared_ptr<arrow::Array>> children_;
  std::vector<uint32_t> entry_sizes_;
  std::vector<uint8_t*> entries_at_;
  Discard discard_;
};

template <class CellType>
EncoderPtr Cells(CellType cell = {}) {
  return std::make_unique<CellEncoder<CellType, Format>>(std::move(cell));
}

Result<std::vector<EncoderPtr>> MakeFields(const arrow::DataType& type) {
  std::vector<EncoderPtr> fields;
  for (const auto& field : type.fields()) {
    ARROW_ASSIGN_OR_RAISE(EncoderPtr encoder, MakeColumn(*field->type()));
    fields.push_back(std::move(encoder));
  }
  return fields;
}

template <class ListArray>
Result<EncoderPtr> MakeList(const arrow::DataType& type) {
  ARROW_ASSIGN_OR_RAISE(auto parts, MakeFields(type));
  return std::make_unique<SequenceEncoder<ListArray>>(kArrayTags, std::move(parts));
}

Result<EncoderPtr> MakeNested(const arrow::DataType& type) {
  switch (type.id()) {
    case arrow::Type::LIST:
      return MakeList<arrow::ListArray>(type);
    case arrow::Type::LARGE_LIST:
      return MakeList<arrow::LargeListArray>(type);
    case arrow::Type::FIXED_SIZE_LIST:
      return MakeList<arrow::FixedSizeListArray>(type);
    case arrow::Type::MAP: {
      ARROW_ASSIGN_OR_RAISE(auto parts, MakeFields(*type.field(0)->type()));
      return std::make_unique<SequenceEncoder<arrow::MapArray>>(kMapTags, std::move(parts));
    }
    case arrow::Type::STRUCT: {
      ARROW_ASSIGN_OR_RAISE(auto fields, MakeFields(type));
      return std::make_unique<StructEncoder>(std::move(fields));
    }
    default:
      return MakeError(ErrorKind::kUnsupported,
                       fmt::format("type {} has no MessagePack form", type.ToString()));
  }
}

Result<EncoderPtr> MakeColumn(const arrow::DataType& type) {
  using Id = arrow::Type;
  switch (type.id()) {
    case Id::NA:
      return std::make_unique<NullEncoder>();
    case Id::BOOL:
      return Cells<BoolCell>();
    case Id::INT8:
      return Cells<IntegerCell<int8_t>>();
    case Id::UINT8:
      return Cells<IntegerCell<uint8_t>>();
    case Id::INT16:
      return Cells<IntegerCell<int16_t>>();
    case Id::UINT16:
      return Cells<IntegerCell<uint16_t>>();
    case Id::INT32:
    case Id::DATE32:
    case Id::TIME32:
    case Id::INTERVAL_MONTHS:
      return Cells<IntegerCell<int32_t>>();
    case Id::UINT32:
      return Cells<IntegerCell<uint32_t>>();
    case Id::INT64:
    case Id::DATE64:
    case Id::TIME64:
    case Id::TIMESTAMP:
    case Id::DURATION:
      return Cells<IntegerCell<int64_t>>();
    case Id::UINT64:
      return Cells<IntegerCell<uint64_t>>();
    case Id::HALF_FLOAT:
      return Cells<HalfCell>();
    case Id::FLOAT:
      return Cells<FloatCell>();
    case Id::DOUBLE:
      return Cells<DoubleCell>();
    case Id::STRING:
      return Cells<TextCell<int32_t>>();
    case Id::LARGE_STRING:
      return Cells<TextCell<int64_t>>();
    case Id::BINARY:
      return Cells<BytesCell<Binary<int32_t>>>();
    case Id::LARGE_BINARY:
      return Cells<BytesCell<Binary<int64_t>>>();
    case Id::FIXED_SIZE_BINARY:
      return Cells(BytesCell<FixedBinary>(type));
    case Id::DECIMAL32:
      return std::make_unique<DecimalEncoder<arrow::Decimal32, arrow::Decimal32Array>>();
    case Id::DECIMAL64:
      return std::make_unique<DecimalEncoder<arrow::Decimal64, arrow::Decimal64Array>>();
    case Id::DECIMAL128:
      return std::make_unique<DecimalEncoder<arrow::Decimal128, arrow::Decimal128Array>>();
    case Id::DECIMAL256:
      return std::make_unique<DecimalEncoder<arrow::Decimal256, arrow::Decimal256Array>>();
    case Id::INTERVAL_DAY_TIME:
      return Cells<DayTimeCell>();
    case Id::INTERVAL_MONTH_DAY_NANO:
      return Cells<MonthDayNanoCell>();
    default:
      return MakeNested(type);
  }
}

}  // namespace

Result<RowEncoder> MakeRowEncoder(const arrow::Schema& schema) {
  std::vector<EncoderPtr> columns;
  for (const auto& field : schema.fields()) {
    auto column = MakeColumn(*field->type());
    if (!column.ok()) {
      return WithContext(column.status(), fmt::format("column '{}'", field->name()));
    }
    columns.push_back(*std::move(column));
  }
  std::vector<uint8_t> prefix(SequenceHeaderSize(columns.size()));
  PutSequenceHeader(kArrayTags, columns.size(), prefix.data());
  return RowEncoder(std::move(prefix), schema.field_names(), std::move(columns));
}

}  // namespace amp::msgpack
