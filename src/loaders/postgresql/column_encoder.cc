#include "loaders/postgresql/column_encoder.h"

#include "core/json_text.h"
#include "loaders/postgresql/cells.h"
#include "loaders/postgresql/type_map.h"

namespace amp::postgresql {
namespace {

constexpr uint32_t kLengthBytes = 4;
constexpr int32_t kNullLength = -1;

struct CopyFormat {
  static constexpr bool kNulls = true;
  static constexpr uint32_t kHeaderBytes = kLengthBytes;
  static constexpr uint32_t kNullBytes = kLengthBytes;
  static uint8_t* PutHeader(uint32_t size, uint8_t* out) {
    return Put(static_cast<int32_t>(size), out);
  }
  static uint8_t* PutNull(uint8_t* out) { return Put(kNullLength, out); }
};

/// Cells that are made before they are written, nulls among them.
class MadeCopyCells : public MadeCells {
 protected:
  void AddNull(uint32_t* size) {
    uint8_t* room = Room(kLengthBytes);
    Done(room, Put(kNullLength, room), size);
  }
};

template <class CellType>
class NumericEncoder final : public MadeCopyCells {
 public:
  explicit NumericEncoder(CellType cell) : cell_(std::move(cell)) {}

  Status Measure(const arrow::Array& column, int64_t start, int64_t count,
                 uint32_t* sizes) override {
    run_.Take(column, start, count);
    cell_.Bind(column, start, count);
    Start(count);
    for (int64_t i = 0; i < count; ++i) {
      if (run_.IsNull(i)) {
        AddNull(&sizes[i]);
        continue;
      }
      const Numeric number = cell_.Make(start + i);
      uint8_t* room = Room(kLengthBytes + Numeric::kMaxBytes);
      Done(room, number.Write(Put(static_cast<int32_t>(number.size()), room)), &sizes[i]);
    }
    return Status::OK();
  }

 private:
  CellType cell_;
  Run run_;
};

/// jsonb: a version byte and JSON text. (jsonb_recv in src/backend/utils/adt/jsonb.c)
class JsonbEncoder final : public MadeCopyCells {
 public:
  Status Measure(const arrow::Array& column, int64_t start, int64_t count,
                 uint32_t* sizes) override {
    constexpr uint8_t kVersion = 1;
    const auto run = column.Slice(start, count);
    ARROW_ASSIGN_OR_RAISE(const TextColumn texts, RenderJson(*run));
    Start(count);
    for (int64_t i = 0; i < count; ++i) {
      if (run->IsNull(i)) {
        AddNull(&sizes[i]);
        continue;
      }
      const std::string_view text = texts[static_cast<size_t>(i)];
      if (static_cast<int64_t>(text.size()) > kMaxValueBytes) {
        return ValueError(start + i, "its JSON has more than the 1 GiB that PostgreSQL holds");
      }
      if (HasZero(text)) {
        return ValueError(start + i,
                          "a text in it has a 0x00, which PostgreSQL's jsonb cannot hold");
      }
      uint8_t* room = Room(kLengthBytes + 1 + text.size());
      uint8_t* out = Put(kVersion, Put(static_cast<int32_t>(text.size() + 1), room));
      Done(room, PutBytes(text.data(), text.size(), out), &sizes[i]);
    }
    return Status::OK();
  }

 private:
  // \u0000 that is not the end of an escaped backslash and "u0000".
  static bool HasZero(std::string_view text) {
    for (size_t at = text.find("\\u0000"); at != std::string_view::npos;
         at = text.find("\\u0000", at + 1)) {
      size_t backslashes = 1;
      while (backslashes <= at && text[at - backslashes] == '\\') ++backslashes;
      if (backslashes % 2 == 1) return true;
    }
    return false;
  }
};

/// A column without values.
class NullEncoder final : public ColumnEncoder {
 public:
  Status Measure(const arrow::Array&, int64_t, int64_t count, uint32_t* sizes) override {
    count_ = count;
    for (int64_t i = 0; i < count; ++i) sizes[i] += kLengthBytes;
    return Status::OK();
  }
  void Write(uint8_t** cursors) override {
    for (int64_t i = 0; i < count_; ++i) cursors[i] = Put(kNullLength, cursors[i]);
  }

 private:
  int64_t count_ = 0;
};

/// One-dimensional arrays (array_recv in src/backend/utils/adt/arrayfuncs.c): int32 dimensions,
/// int32 has nulls, uint32 element type; for each dimension int32 length, int32 lower bound; then
/// the elements as cells. An empty array has no dimension.
template <class ListArray>
class ArrayEncoder final : public ColumnEncoder {
 public:
  ArrayEncoder(std::unique_ptr<ColumnEncoder> element, uint32_t element_oid)
      : element_(std::move(element)), element_oid_(element_oid) {}

  Status Measure(const arrow::Array& column, int64_t start, int64_t count,
                 uint32_t* sizes) override {
    run_.Take(column, start, count);
    const auto& lists = static_cast<const ListArray&>(column);
    first_ = lists.value_offset(start);
    const int64_t elements = lists.value_offset(start + count) - first_;
    element_sizes_.assign(static_cast<size_t>(elements), 0);
    const Status status =
        element_->Measure(*lists.values(), first_, elements, element_sizes_.data());
    if (!status.ok()) return AtListRow(lists, status);
    for (int64_t i = 0; i < count; ++i) sizes[i] += kLengthBytes + (run_.IsNull(i) ? 0 : SizeOf(i));
    return Status::OK();
  }

  void Write(uint8_t** cursors) override {
    element_cursors_.resize(element_sizes_.size());
    for (int64_t i = 0; i < run_.count; ++i) {
      if (run_.IsNull(i)) {
        cursors[i] = Put(kNullLength, cursors[i]);
        DiscardElements(i);
        continue;
      }
      cursors[i] = WriteHeader(i, Put(static_cast<int32_t>(SizeOf(i)), cursors[i]));
      for (size_t e = From(i); e < To(i); ++e) {
        element_cursors_[e] = cursors[i];
        cursors[i] += element_sizes_[e];
      }
    }
    for (uint8_t*& cursor : element_cursors_) {
      if (cursor == nullptr) cursor = discarded_.data();
    }
    element_->Write(element_cursors_.data());
  }

 private:
  static constexpr uint32_t kHeaderBytes = 12;
  static constexpr uint32_t kDimensionBytes = 8;

  const ListArray& lists() const { return static_cast<const ListArray&>(*run_.column); }
  size_t From(int64_t i) const {
    return static_cast<size_t>(lists().value_offset(run_.start + i) - first_);
  }
  size_t To(int64_t i) const {
    return From(i) + static_cast<size_t>(lists().value_length(run_.start + i));
  }

  uint32_t SizeOf(int64_t i) const {
    uint32_t size = kHeaderBytes + (From(i) == To(i) ? 0 : kDimensionBytes);
    for (size_t e = From(i); e < To(i); ++e) size += element_sizes_[e];
    return size;
  }

  uint8_t* WriteHeader(int64_t i, uint8_t* out) const {
    const size_t length = To(i) - From(i);
    bool has_nulls = false;
    for (size_t e = From(i); e < To(i); ++e) {
      has_nulls = has_nulls || lists().values()->IsNull(first_ + static_cast<int64_t>(e));
    }
    out = Put(int32_t{length == 0 ? 0 : 1}, out);
    out = Put(int32_t{has_nulls ? 1 : 0}, out);
    out = Put(element_oid_, out);
    if (length == 0) return out;
    return Put(int32_t{1}, Put(static_cast<int32_t>(length), out));
  }

  // A null list may still have elements; they are encoded into a place that nobody reads.
  void DiscardElements(int64_t i) {
    for (size_t e = From(i); e < To(i); ++e) {
      discarded_.resize(std::max<size_t>(discarded_.size(), element_sizes_[e]));
    }
    for (size_t e = From(i); e < To(i); ++e) element_cursors_[e] = nullptr;
  }

  Status AtListRow(const ListArray& lists, const Status& status) const {
    const int64_t element = ErrorInfoOf(status).row;
    int64_t row = run_.start;
    while (row + 1 < run_.start + run_.count && lists.value_offset(row + 1) <= element) ++row;
    return element < 0
               ? status
               : ValueError(row, fmt::format("element {}: {}", element - lists.value_offset(row),
                                             status.message()));
  }

  std::unique_ptr<ColumnEncoder> element_;
  uint32_t element_oid_;
  Run run_;
  int64_t first_ = 0;
  std::vector<uint32_t> element_sizes_;
  std::vector<uint8_t*> element_cursors_;
  std::vector<uint8_t> discarded_;
};

using EncoderPtr = std::unique_ptr<ColumnEncoder>;

template <class CellType>
EncoderPtr Cells(CellType cell) {
  return std::make_unique<CellEncoder<CellType, CopyFormat>>(std::move(cell));
}

template <class CellType>
EncoderPtr Numerics(CellType cell) {
  return std::make_unique<NumericEncoder<CellType>>(std::move(cell));
}

// Integers go into any integer column: where that is narrower, each value is checked.
template <class In>
EncoderPtr Integers(uint32_t oid) {
  switch (oid) {
    case oid::kInt2:
      return Cells(IntegerCell<In, int16_t>{});
    case oid::kInt4:
      return Cells(IntegerCell<In, int32_t>{});
    case oid::kInt8:
      return Cells(IntegerCell<In, int64_t>{});
    default:
      return nullptr;
  }
}

bool IsText(uint32_t oid) {
  return oid == oid::kText || oid == oid::kVarchar || oid == oid::kBpchar;
}

EncoderPtr Numbers(const arrow::DataType& type, uint32_t oid) {
  using Id = arrow::Type;
  switch (type.id()) {
    case Id::INT8:
      return Integers<int8_t>(oid);
    case Id::UINT8:
      return Integers<uint8_t>(oid);
    case Id::INT16:
      return Integers<int16_t>(oid);
    case Id::UINT16:
      return Integers<uint16_t>(oid);
    case Id::INT32:
      return Integers<int32_t>(oid);
    case Id::UINT32:
      return Integers<uint32_t>(oid);
    case Id::INT64:
      return Integers<int64_t>(oid);
    case Id::UINT64:
      return oid == oid::kNumeric ? Numerics(Uint64NumericCell{}) : Integers<uint64_t>(oid);
    case Id::HALF_FLOAT:
      if (oid == oid::kFloat4) return Cells(HalfCell<float>{});
      return oid == oid::kFloat8 ? Cells(HalfCell<double>{}) : nullptr;
    case Id::FLOAT:
      if (oid == oid::kFloat4) return Cells(RealCell<float, float>{});
      return oid == oid::kFloat8 ? Cells(RealCell<float, double>{}) : nullptr;
    case Id::DOUBLE:
      return oid == oid::kFloat8 ? Cells(RealCell<double, double>{}) : nullptr;
    default:
      return nullptr;
  }
}

EncoderPtr Decimals(const arrow::DataType& type, uint32_t oid) {
  if (oid != oid::kNumeric) return nullptr;
  switch (type.id()) {
    case arrow::Type::DECIMAL32:
      return Numerics(DecimalCell<32>(type));
    case arrow::Type::DECIMAL64:
      return Numerics(DecimalCell<64>(type));
    case arrow::Type::DECIMAL128:
      return Numerics(DecimalCell<128>(type));
    default:
      return Numerics(DecimalCell<256>(type));
  }
}

EncoderPtr Strings(const arrow::DataType& type, uint32_t oid) {
  switch (type.id()) {
    case arrow::Type::STRING:
      return IsText(oid) ? Cells(TextCell<int32_t>{}) : nullptr;
    case arrow::Type::LARGE_STRING:
      return IsText(oid) ? Cells(TextCell<int64_t>{}) : nullptr;
    case arrow::Type::BINARY:
      return oid == oid::kBytea ? Cells(BinaryCell<Binary<int32_t>>{}) : nullptr;
    case arrow::Type::LARGE_BINARY:
      return oid == oid::kBytea ? Cells(BinaryCell<Binary<int64_t>>{}) : nullptr;
    default:
      return oid == oid::kBytea ? Cells(BinaryCell<FixedBinary>(type)) : nullptr;
  }
}

EncoderPtr Times(const arrow::DataType& type, uint32_t oid) {
  using Id = arrow::Type;
  switch (type.id()) {
    case Id::DATE32:
      return oid == oid::kDate ? Cells(DateCell<int32_t, 1>{}) : nullptr;
    case Id::DATE64:
      return oid == oid::kDate ? Cells(DateCell<int64_t, 86'400'000>{}) : nullptr;
    case Id::TIME32:
      return oid == oid::kTime ? Cells(TimeCell<int32_t>(type)) : nullptr;
    case Id::TIME64:
      return oid == oid::kTime ? Cells(TimeCell<int64_t>(type)) : nullptr;
    case Id::TIMESTAMP: {
      // An instant and a reading of a clock are not the same; neither becomes the other unasked.
      const bool utc = !static_cast<const arrow::TimestampType&>(type).timezone().empty();
      return oid == (utc ? oid::kTimestamptz : oid::kTimestamp) ? Cells(TimestampCell(type))
                                                                : nullptr;
    }
    case Id::DURATION:
      return oid == oid::kInterval ? Cells(DurationCell(type)) : nullptr;
    case Id::INTERVAL_MONTHS:
      return oid == oid::kInterval ? Cells(MonthsCell{}) : nullptr;
    case Id::INTERVAL_DAY_TIME:
      return oid == oid::kInterval ? Cells(DayTimeCell{}) : nullptr;
    default:
      return oid == oid::kInterval ? Cells(MonthDayNanoCell{}) : nullptr;
  }
}

template <class ListArray>
EncoderPtr Lists(const arrow::DataType& type, uint32_t oid) {
  const uint32_t element_oid = ElementOid(oid);
  if (element_oid == 0 || !IsArrayType(type)) return nullptr;
  auto element = MakeColumnEncoder(*type.field(0)->type(), element_oid);
  if (!element.ok()) return nullptr;
  return std::make_unique<ArrayEncoder<ListArray>>(*std::move(element), element_oid);
}

EncoderPtr Choose(const arrow::DataType& type, uint32_t oid) {
  using Id = arrow::Type;
  switch (type.id()) {
    case Id::NA:
      return std::make_unique<NullEncoder>();
    case Id::BOOL:
      return oid == oid::kBool ? Cells(BoolCell{}) : nullptr;
    case Id::DECIMAL32:
    case Id::DECIMAL64:
    case Id::DECIMAL128:
    case Id::DECIMAL256:
      return Decimals(type, oid);
    case Id::STRING:
    case Id::LARGE_STRING:
    case Id::BINARY:
    case Id::LARGE_BINARY:
    case Id::FIXED_SIZE_BINARY:
      return Strings(type, oid);
    case Id::DATE32:
    case Id::DATE64:
    case Id::TIME32:
    case Id::TIME64:
    case Id::TIMESTAMP:
    case Id::DURATION:
    case Id::INTERVAL_MONTHS:
    case Id::INTERVAL_DAY_TIME:
    case Id::INTERVAL_MONTH_DAY_NANO:
      return Times(type, oid);
    case Id::LIST:
    case Id::LARGE_LIST:
    case Id::FIXED_SIZE_LIST:
    case Id::STRUCT:
    case Id::MAP:
      if (oid == oid::kJsonb) return std::make_unique<JsonbEncoder>();
      if (type.id() == Id::LIST) return Lists<arrow::ListArray>(type, oid);
      if (type.id() == Id::LARGE_LIST) return Lists<arrow::LargeListArray>(type, oid);
      return type.id() == Id::FIXED_SIZE_LIST ? Lists<arrow::FixedSizeListArray>(type, oid)
                                              : nullptr;
    default:
      return Numbers(type, oid);
  }
}

}  // namespace

Result<std::unique_ptr<ColumnEncoder>> MakeColumnEncoder(const arrow::DataType& type,
                                                         uint32_t oid) {
  EncoderPtr encoder = Choose(type, oid);
  if (encoder != nullptr) return encoder;
  return MakeError(ErrorKind::kSchemaMismatch,
                   fmt::format("{} does not fit the column's type", type.ToString()));
}

}  // namespace amp::postgresql
