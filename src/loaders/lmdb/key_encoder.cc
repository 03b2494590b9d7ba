#include "loaders/lmdb/key_encoder.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>

#include "amp/config.h"
#include "core/cell_encoder.h"
#include "core/text.h"

namespace amp::lmdb {
namespace {

using EncoderPtr = std::unique_ptr<ColumnEncoder>;

Status UnknownColumn(std::string_view what, const std::string& name, const arrow::Schema& schema) {
  const std::string nearest = NearestName(name, schema.field_names());
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("{}: there is no column '{}'; {}", what, name,
                               nearest.empty() ? fmt::format("there are: {}",
                                                             fmt::join(schema.field_names(), ", "))
                                               : fmt::format("did you mean '{}'?", nearest)));
}

Status CheckLengths(const TextColumn& keys, int64_t first_row) {
  for (size_t i = 0; i < keys.ends.size(); ++i) {
    const size_t size = keys[i].size();
    if (size > 0 && size <= kMaxKeyBytes) continue;
    return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget},
                     fmt::format("row {} of the load: its key has {} bytes; LMDB allows 1 to {}. "
                                 "Choose other key columns",
                                 first_row + static_cast<int64_t>(i), size, kMaxKeyBytes));
  }
  return Status::OK();
}

struct KeyFormat {
  static constexpr bool kNulls = false;
  static constexpr uint32_t kHeaderBytes = 0;
  static constexpr uint32_t kNullBytes = 0;
  static uint8_t* PutHeader(uint32_t /*size*/, uint8_t* out) { return out; }
  static uint8_t* PutNull(uint8_t* out) { return out; }
};

struct BoolKey : BoolValues {
  static constexpr uint32_t kSize = 1;
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return Put(static_cast<uint8_t>(column->Value(row)), out);
  }
};

template <class T>
struct IntegerKey : FixedWidth<T> {
  static constexpr uint32_t kSize = sizeof(T);
  uint8_t* Write(int64_t row, uint8_t* out) const {
    using Unsigned = std::make_unsigned_t<T>;
    constexpr Unsigned kSignBit =
        std::is_signed_v<T> ? static_cast<Unsigned>(Unsigned{1} << (8 * sizeof(T) - 1)) : 0;
    return Put(static_cast<Unsigned>(static_cast<Unsigned>(this->values[row]) ^ kSignBit), out);
  }
};

// Positive numbers compare as their bits do when the sign bit is set; negative ones when all bits
// are flipped.
template <class Real, class Bits>
struct RealKey : FixedWidth<Real> {
  static constexpr uint32_t kSize = sizeof(Real);
  uint8_t* Write(int64_t row, uint8_t* out) const {
    constexpr Bits kSignBit = Bits{1} << (8 * sizeof(Real) - 1);
    const Bits bits = std::bit_cast<Bits>(this->values[row]);
    return Put((bits & kSignBit) != 0 ? static_cast<Bits>(~bits) : bits | kSignBit, out);
  }
};

/// Two's complement, the lowest byte first, turned around.
struct DecimalKey : FixedBinary {
  using FixedBinary::FixedBinary;
  uint32_t Size(int64_t) const { return static_cast<uint32_t>(width); }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    std::reverse_copy(At(row), At(row) + width, out);
    *out ^= 0x80;
    return out + width;
  }
};

template <class Values>
struct WholeBytesKey : Values {
  using Values::Values;
  uint32_t Size(int64_t row) const { return static_cast<uint32_t>(this->Length(row)); }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    return PutBytes(this->At(row), Size(row), out);
  }
};

/// "a\0b" → 61 00 FF 62 00 00: the end sorts before everything that may follow.
template <class Values>
struct EscapedBytesKey : Values {
  uint32_t Size(int64_t row) const {
    const uint8_t* at = this->At(row);
    const int64_t length = this->Length(row);
    return static_cast<uint32_t>(length + std::count(at, at + length, 0) + 2);
  }
  uint8_t* Write(int64_t row, uint8_t* out) const {
    const uint8_t* at = this->At(row);
    for (const uint8_t* end = at + this->Length(row); at < end; ++at) {
      out = Put(*at, out);
      if (*at == 0) out = Put(uint8_t{0xFF}, out);
    }
    return Put(uint16_t{0}, out);
  }
};

template <class CellType>
EncoderPtr Cells(CellType cell = {}) {
  return std::make_unique<CellEncoder<CellType, KeyFormat>>(std::move(cell));
}

template <class Offset>
EncoderPtr Bytes(bool last) {
  if (last) return Cells<WholeBytesKey<Binary<Offset>>>();
  return Cells<EscapedBytesKey<Binary<Offset>>>();
}

EncoderPtr MakeKeyColumn(const arrow::DataType& type, bool last) {
  using Id = arrow::Type;
  switch (type.id()) {
    case Id::BOOL:
      return Cells<BoolKey>();
    case Id::INT8:
      return Cells<IntegerKey<int8_t>>();
    case Id::UINT8:
      return Cells<IntegerKey<uint8_t>>();
    case Id::INT16:
      return Cells<IntegerKey<int16_t>>();
    case Id::UINT16:
      return Cells<IntegerKey<uint16_t>>();
    case Id::INT32:
    case Id::DATE32:
    case Id::TIME32:
      return Cells<IntegerKey<int32_t>>();
    case Id::UINT32:
      return Cells<IntegerKey<uint32_t>>();
    case Id::INT64:
    case Id::DATE64:
    case Id::TIME64:
    case Id::TIMESTAMP:
    case Id::DURATION:
      return Cells<IntegerKey<int64_t>>();
    case Id::UINT64:
      return Cells<IntegerKey<uint64_t>>();
    case Id::FLOAT:
      return Cells<RealKey<float, uint32_t>>();
    case Id::DOUBLE:
      return Cells<RealKey<double, uint64_t>>();
    case Id::DECIMAL32:
    case Id::DECIMAL64:
    case Id::DECIMAL128:
    case Id::DECIMAL256:
      return Cells(DecimalKey(type));
    case Id::FIXED_SIZE_BINARY:
      return Cells(WholeBytesKey<FixedBinary>(type));
    case Id::STRING:
    case Id::BINARY:
      return Bytes<int32_t>(last);
    case Id::LARGE_STRING:
    case Id::LARGE_BINARY:
      return Bytes<int64_t>(last);
    default:
      return nullptr;
  }
}

class ColumnKeys final : public KeyEncoder {
 public:
  ColumnKeys(std::vector<int> places, std::vector<std::string> names,
             std::vector<EncoderPtr> columns)
      : places_(std::move(places)), rows_({}, std::move(names), std::move(columns)) {}

  Result<TextColumn> Encode(const arrow::RecordBatch& batch, int64_t first_row) override {
    ARROW_ASSIGN_OR_RAISE(const auto chosen, batch.SelectColumns(places_));
    TextColumn keys;
    const Status status = rows_.Encode(*chosen, first_row, [&](const EncodedRows& rows) {
      keys.bytes.append(reinterpret_cast<const char*>(rows.bytes.data()), rows.bytes.size());
      size_t end = keys.bytes.size() - rows.bytes.size();
      for (const uint32_t size : rows.sizes) keys.ends.push_back(end += size);
      return Status::OK();
    });
    ARROW_RETURN_NOT_OK(status.ok() ? status : WithContext(status, "key"));
    ARROW_RETURN_NOT_OK(CheckLengths(keys, first_row));
    return keys;
  }

 private:
  std::vector<int> places_;
  RowEncoder rows_;
};

class RowNumberKeys final : public KeyEncoder {
 public:
  explicit RowNumberKeys(uint64_t next) : next_(next) {}

  Result<TextColumn> Encode(const arrow::RecordBatch& batch, int64_t /*first_row*/) override {
    TextColumn keys;
    const auto rows = static_cast<size_t>(batch.num_rows());
    keys.bytes.resize(rows * sizeof(next_));
    keys.ends.reserve(rows);
    auto* out = reinterpret_cast<uint8_t*>(keys.bytes.data());
    for (size_t i = 0; i < rows; ++i) {
      out = Put(next_++, out);
      keys.ends.push_back((i + 1) * sizeof(next_));
    }
    return keys;
  }

 private:
  uint64_t next_;
};

/// A piece of a pattern: literal text, or the text of a column's value.
struct PatternPart {
  std::string literal;
  int column = -1;
};

class PatternKeys final : public KeyEncoder {
 public:
  explicit PatternKeys(std::vector<PatternPart> parts) : parts_(std::move(parts)) {}

  Result<TextColumn> Encode(const arrow::RecordBatch& batch, int64_t first_row) override {
    std::vector<TextColumn> texts(parts_.size());
    for (size_t p = 0; p < parts_.size(); ++p) {
      if (parts_[p].column < 0) continue;
      ARROW_ASSIGN_OR_RAISE(texts[p], Texts(batch, parts_[p].column, first_row));
    }
    TextColumn keys;
    for (size_t row = 0; row < static_cast<size_t>(batch.num_rows()); ++row) {
      for (size_t p = 0; p < parts_.size(); ++p) {
        keys.bytes.append(parts_[p].column < 0 ? std::string_view(parts_[p].literal)
                                               : texts[p][row]);
      }
      keys.End();
    }
    ARROW_RETURN_NOT_OK(CheckLengths(keys, first_row));
    return keys;
  }

 private:
  static Result<TextColumn> Texts(const arrow::RecordBatch& batch, int place, int64_t first_row) {
    const arrow::Array& column = *batch.column(place);
    for (int64_t i = 0; column.null_count() > 0 && i < column.length(); ++i) {
      if (!column.IsNull(i)) continue;
      return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget},
                       fmt::format("key: column '{}', row {} of the load: is null, and must not be",
                                   batch.column_name(place), first_row + i));
    }
    if (column.type_id() == arrow::Type::STRING) {
      return Plain(static_cast<const arrow::StringArray&>(column));
    }
    if (column.type_id() == arrow::Type::LARGE_STRING) {
      return Plain(static_cast<const arrow::LargeStringArray&>(column));
    }
    ARROW_ASSIGN_OR_RAISE(const TextColumn json, RenderJson(column));
    TextColumn plain;
    const bool binary = arrow::is_binary_like(column.type_id()) ||
                        column.type_id() == arrow::Type::LARGE_BINARY ||
                        column.type_id() == arrow::Type::FIXED_SIZE_BINARY;
    for (size_t i = 0; i < json.ends.size(); ++i) {
      std::string_view text = json[i];
      if (text.starts_with('"')) text = text.substr(1, text.size() - 2);
      if (binary) text.remove_prefix(2);  // 0x
      plain.bytes.append(text);
      plain.End();
    }
    return plain;
  }

  template <class Array>
  static TextColumn Plain(const Array& column) {
    TextColumn plain;
    for (int64_t i = 0; i < column.length(); ++i) {
      plain.bytes.append(column.GetView(i));
      plain.End();
    }
    return plain;
  }

  std::vector<PatternPart> parts_;
};

Result<std::vector<PatternPart>> ParsePattern(const arrow::Schema& schema,
                                              const std::string& pattern,
                                              const std::string& table) {
  std::vector<PatternPart> parts{{}};
  for (size_t at = 0; at < pattern.size(); ++at) {
    const char c = pattern[at];
    const bool doubled = at + 1 < pattern.size() && pattern[at + 1] == c;
    if (c != '{' && c != '}') {
      parts.back().literal.push_back(c);
    } else if (doubled) {
      parts.back().literal.push_back(c);
      ++at;
    } else {
      const size_t close = pattern.find('}', at);
      if (c == '}' || close == std::string::npos) {
        return MakeError(ErrorKind::kConfigInvalid,
                         fmt::format("key_pattern '{}': the {} at character {} has no partner; "
                                     "write {}{} for the character itself",
                                     pattern, c, at + 1, c, c));
      }
      const std::string name = pattern.substr(at + 1, close - at - 1);
      at = close;
      const int place = schema.GetFieldIndex(name);
      if (place < 0 && name != "table") return UnknownColumn("key_pattern", name, schema);
      if (place < 0) {
        parts.back().literal += table;
        continue;
      }
      parts.push_back({"", place});
      parts.push_back({});
    }
  }
  return parts;
}

}  // namespace

Result<std::unique_ptr<KeyEncoder>> MakeColumnKeys(const arrow::Schema& schema,
                                                   const std::vector<std::string>& columns) {
  std::vector<int> places;
  std::vector<EncoderPtr> encoders;
  for (const std::string& name : columns) {
    const int place = schema.GetFieldIndex(name);
    if (place < 0) return UnknownColumn("key", name, schema);
    const bool last = &name == &columns.back();
    const arrow::DataType& type = *schema.field(place)->type();
    EncoderPtr encoder = MakeKeyColumn(type, last);
    if (encoder == nullptr) {
      return MakeError(ErrorKind::kUnsupported,
                       fmt::format("key column '{}' is {}, which has no order; choose another",
                                   name, type.ToString()));
    }
    places.push_back(place);
    encoders.push_back(std::move(encoder));
  }
  return std::make_unique<ColumnKeys>(std::move(places), columns, std::move(encoders));
}

Result<std::unique_ptr<KeyEncoder>> MakePatternKeys(const arrow::Schema& schema,
                                                    const std::string& pattern,
                                                    const std::string& table) {
  ARROW_ASSIGN_OR_RAISE(auto parts, ParsePattern(schema, pattern, table));
  return std::make_unique<PatternKeys>(std::move(parts));
}

std::unique_ptr<KeyEncoder> MakeRowNumberKeys(uint64_t next) {
  return std::make_unique<RowNumberKeys>(next);
}

Result<std::unique_ptr<KeyEncoder>> MakeKeys(const TableFormat& format, const std::string& table,
                                             uint64_t next) {
  const KeySpec& key = format.key;
  if (!key.pattern.empty()) return MakePatternKeys(*format.schema, key.pattern, table);
  if (!key.columns.empty()) return MakeColumnKeys(*format.schema, key.columns);
  return MakeRowNumberKeys(next);
}

}  // namespace amp::lmdb
