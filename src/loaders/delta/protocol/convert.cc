#include "loaders/delta/protocol/convert.h"

#include <arrow/array.h>
#include <arrow/buffer_builder.h>
#include <arrow/builder.h>
#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include "core/compute.h"
#include "core/json_text.h"
#include "core/schema.h"
#include "core/time_text.h"
#include "loaders/delta/protocol/actions.h"
#include "loaders/delta/protocol/whole_columns.h"

namespace amp::delta {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

// A value that cannot be stored. Where it is, is completed from the inside out.
struct Misfit {
  int64_t row = 0;
  std::string path;
  std::string what;
};

// Converts one column; remembers the misfit that stopped it.
class ColumnConverter {
 public:
  ColumnConverter(OnLossy on_lossy, arrow::MemoryPool* pool) : on_lossy_(on_lossy), pool_(pool) {}

  Result<ArrayPtr> Convert(const ArrayPtr& array, const arrow::Field& field);
  const std::optional<Misfit>& misfit() const { return misfit_; }

 private:
  Result<ArrayPtr> ConvertValues(const ArrayPtr& array, const arrow::Field& field);
  Result<ArrayPtr> ConvertStruct(const arrow::StructArray& array, const arrow::Field& field);
  template <class List>
  Result<ArrayPtr> ConvertList(const List& array, const arrow::Field& field);
  Result<ArrayPtr> ConvertTimestamp(const arrow::Array& array, const arrow::Field& field);
  Result<ArrayPtr> ConvertDate64(const arrow::Date64Array& array, const arrow::Field& field);
  template <class Builder, class Array, class Compute>
  Result<ArrayPtr> EachValue(const Array& array, const arrow::Field& field, Compute compute);
  Status CheckNoNulls(const arrow::Array& array, const arrow::Array* parent);
  Status Stop(int64_t row, std::string what);

  OnLossy on_lossy_;
  arrow::MemoryPool* pool_;
  std::optional<Misfit> misfit_;
};

Status ColumnConverter::Stop(int64_t row, std::string what) {
  if (!misfit_) misfit_ = Misfit{row, {}, std::move(what)};
  return MakeError(ErrorKind::kDataInvalid, misfit_->what);
}

// A null under a null of its parent is none.
Status ColumnConverter::CheckNoNulls(const arrow::Array& array, const arrow::Array* parent) {
  if (array.null_count() == 0) return Status::OK();
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i) && (parent == nullptr || parent->IsValid(i))) {
      return Stop(i, "it is null, and the column may not be");
    }
  }
  return Status::OK();
}

// What a value becomes, and whether that is the value.
struct Converted {
  int64_t value = 0;
  bool in_range = true;
  bool exact = true;
};

template <class Builder, class Array, class Compute>
Result<ArrayPtr> ColumnConverter::EachValue(const Array& array, const arrow::Field& field,
                                            Compute compute) {
  Builder builder(field.type(), pool_);
  ARROW_RETURN_NOT_OK(builder.Reserve(array.length()));
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) {
      builder.UnsafeAppendNull();
      continue;
    }
    const Converted converted = compute(array.Value(i));
    const bool keep = converted.in_range && (converted.exact || on_lossy_ == OnLossy::kTruncate);
    if (keep) {
      builder.UnsafeAppend(static_cast<typename Builder::value_type>(converted.value));
    } else if (on_lossy_ == OnLossy::kNull && field.nullable()) {
      builder.UnsafeAppendNull();
    } else {
      ARROW_ASSIGN_OR_RAISE(const TextColumn text, RenderJson(*array.Slice(i, 1)));
      return Stop(i, fmt::format("value {} does not fit {}{}", text[0], field.type()->ToString(),
                                 converted.in_range ? ": digits would be lost (set on_lossy to "
                                                      "truncate or null to go on)"
                                                    : ": it is out of range"));
    }
  }
  return builder.Finish();
}

Converted ToMicros(int64_t value, arrow::TimeUnit::type unit) {
  const int64_t per_second = UnitsPerSecond(unit);
  constexpr int64_t kMicros = 1'000'000;
  if (per_second > kMicros) {
    const Floor parts = FloorDivide(value, per_second / kMicros);
    return {.value = parts.quotient, .exact = parts.remainder == 0};
  }
  Converted out;
  out.in_range = !__builtin_mul_overflow(value, kMicros / per_second, &out.value);
  return out;
}

Result<ArrayPtr> ColumnConverter::ConvertTimestamp(const arrow::Array& array,
                                                   const arrow::Field& field) {
  const auto unit = static_cast<const arrow::TimestampType&>(*array.type()).unit();
  // Zones are how instants are shown; the instants are the same.
  if (unit == arrow::TimeUnit::MICRO) return array.View(field.type());
  const auto& timestamps = static_cast<const arrow::TimestampArray&>(array);
  if (unit == arrow::TimeUnit::NANO) {
    ARROW_ASSIGN_OR_RAISE(ArrayPtr whole, NanosToMicros(timestamps, field.type(), pool_));
    if (whole != nullptr) return whole;
  }
  return EachValue<arrow::TimestampBuilder>(
      timestamps, field, [unit](int64_t value) { return ToMicros(value, unit); });
}

Result<ArrayPtr> ColumnConverter::ConvertDate64(const arrow::Date64Array& array,
                                                const arrow::Field& field) {
  return EachValue<arrow::Date32Builder>(array, field, [](int64_t value) {
    constexpr int64_t kDay = 86'400'000;
    const Floor parts = FloorDivide(value, kDay);
    return Converted{.value = parts.quotient,
                     .in_range = std::in_range<int32_t>(parts.quotient),
                     .exact = parts.remainder == 0};
  });
}

Result<ArrayPtr> ToText(const arrow::Array& array, const TypePtr& type) {
  ARROW_ASSIGN_OR_RAISE(const TextColumn texts, RenderJson(array));
  arrow::StringBuilder builder;
  for (int64_t i = 0; i < array.length(); ++i) {
    std::string_view text = texts[static_cast<size_t>(i)];
    if (text.starts_with('"')) text = text.substr(1, text.size() - 2);
    ARROW_RETURN_NOT_OK(array.IsNull(i) ? builder.AppendNull() : builder.Append(text));
  }
  ARROW_ASSIGN_OR_RAISE(ArrayPtr out, builder.Finish());
  return out->View(type);
}

Result<ArrayPtr> CastTo(const ArrayPtr& array, const TypePtr& type, arrow::MemoryPool* pool) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  arrow::compute::ExecContext context(pool);
  ARROW_ASSIGN_OR_RAISE(
      arrow::Datum cast,
      arrow::compute::Cast(array, type, arrow::compute::CastOptions::Safe(), &context));
  return cast.make_array();
}

// Times and durations as the number they are counted in.
Result<ArrayPtr> ToNumber(const ArrayPtr& array, const TypePtr& type, arrow::MemoryPool* pool) {
  const bool narrow = array->type_id() == arrow::Type::TIME32;
  ARROW_ASSIGN_OR_RAISE(ArrayPtr number, array->View(narrow ? arrow::int32() : arrow::int64()));
  return CastTo(number, type, pool);
}

Result<ArrayPtr> ColumnConverter::ConvertStruct(const arrow::StructArray& array,
                                                const arrow::Field& field) {
  // Flattened children are null where the struct is, so values below a null are none.
  ARROW_ASSIGN_OR_RAISE(const arrow::ArrayVector children, array.Flatten());
  arrow::ArrayVector out;
  for (int i = 0; i < array.num_fields(); ++i) {
    const arrow::Field& child = *field.type()->field(i);
    const auto at = static_cast<size_t>(i);
    auto converted = ConvertValues(children[at], child);
    Status status = converted.status();
    if (status.ok() && !child.nullable()) status = CheckNoNulls(**converted, &array);
    if (!status.ok()) {
      if (misfit_) misfit_->path = "." + child.name() + misfit_->path;
      return status;
    }
    out.push_back(*std::move(converted));
  }
  ARROW_ASSIGN_OR_RAISE(auto valid, ValidityOf(array));
  return std::make_shared<arrow::StructArray>(field.type(), array.length(), std::move(out), valid,
                                              array.null_count());
}

// Row of the list that holds value number `value` of its flattened values.
template <class List>
int64_t RowOfValue(const List& array, int64_t value) {
  for (int64_t row = 0; row < array.length(); ++row) {
    if (array.IsNull(row)) continue;
    value -= array.value_length(row);
    if (value < 0) return row;
  }
  return 0;
}

// Offsets of the flattened values: nothing lies below null lists.
template <class List>
Result<ArrayPtr> OffsetsOf(const List& array) {
  arrow::Int32Builder offsets;
  ARROW_RETURN_NOT_OK(offsets.Reserve(array.length() + 1));
  int64_t end = 0;
  for (int64_t i = 0; i < array.length(); ++i) {
    if (array.IsNull(i)) {
      offsets.UnsafeAppendNull();
    } else {
      offsets.UnsafeAppend(static_cast<int32_t>(end));
      end += array.value_length(i);
    }
  }
  if (!std::in_range<int32_t>(end)) return Status::Invalid("lists of too many values in a batch");
  offsets.UnsafeAppend(static_cast<int32_t>(end));
  return offsets.Finish();
}

// A list of the same lengths over other values. Large lists are written as plain ones: a batch is
// far too small to need more.
Result<ArrayPtr> MakeList(const TypePtr& type, const arrow::Array& offsets,
                          const ArrayPtr& values) {
  const int64_t rows = offsets.length() - 1;
  ARROW_ASSIGN_OR_RAISE(auto valid, ValidityOf(*offsets.Slice(0, rows)));
  // Below a null, an offset must still not fall behind those before it.
  const auto& numbers = static_cast<const arrow::Int32Array&>(offsets);
  std::vector<int32_t> ends(static_cast<size_t>(rows) + 1);
  for (int64_t i = rows; i >= 0; --i) {
    const auto at = static_cast<size_t>(i);
    ends[at] = numbers.IsNull(i) ? ends[at + 1] : numbers.Value(i);
  }
  auto data = arrow::ArrayData::Make(type, rows,
                                     {std::move(valid), arrow::Buffer::FromVector(std::move(ends))},
                                     {values->data()}, offsets.null_count());
  return arrow::MakeArray(data);
}

template <class List>
Result<ArrayPtr> ColumnConverter::ConvertList(const List& array, const arrow::Field& field) {
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr offsets, OffsetsOf(array));
  ARROW_ASSIGN_OR_RAISE(const ArrayPtr values, array.Flatten());
  const arrow::Field& element = *field.type()->field(0);
  auto converted = ConvertValues(values, element);
  Status status = converted.status();
  if (status.ok() && !element.nullable()) status = CheckNoNulls(**converted, nullptr);
  if (!status.ok()) {
    if (misfit_) {
      misfit_->row = RowOfValue(array, misfit_->row);
      // A map's entries are a struct of their own; ".key" and ".value" say enough.
      if (field.type()->id() != arrow::Type::MAP) misfit_->path = "[]" + misfit_->path;
    }
    return status;
  }
  return MakeList(field.type(), *offsets, *converted);
}

// NULL where the types need more than that.
Result<ArrayPtr> ConvertWhole(const ArrayPtr& array, const TypePtr& type, arrow::MemoryPool* pool) {
  if (array->type_id() == arrow::Type::FIXED_SIZE_BINARY && type->id() == arrow::Type::BINARY) {
    return FixedToBinary(static_cast<const arrow::FixedSizeBinaryArray&>(*array), pool);
  }
  if (array->type_id() == arrow::Type::UINT64 && type->Equals(arrow::decimal128(20, 0))) {
    return UnsignedToDecimal(static_cast<const arrow::UInt64Array&>(*array), type, pool);
  }
  return nullptr;
}

Result<ArrayPtr> ColumnConverter::ConvertValues(const ArrayPtr& array, const arrow::Field& field) {
  const TypePtr& type = field.type();
  if (array->type()->Equals(*type)) return array;
  ARROW_ASSIGN_OR_RAISE(ArrayPtr whole, ConvertWhole(array, type, pool_));
  if (whole != nullptr) return whole;
  switch (array->type_id()) {
    case arrow::Type::STRUCT:
      return ConvertStruct(static_cast<const arrow::StructArray&>(*array), field);
    case arrow::Type::LIST:
      return ConvertList(static_cast<const arrow::ListArray&>(*array), field);
    case arrow::Type::LARGE_LIST:
      return ConvertList(static_cast<const arrow::LargeListArray&>(*array), field);
    case arrow::Type::FIXED_SIZE_LIST:
      return ConvertList(static_cast<const arrow::FixedSizeListArray&>(*array), field);
    case arrow::Type::MAP:
      return ConvertList(static_cast<const arrow::MapArray&>(*array), field);
    case arrow::Type::TIMESTAMP:
      return ConvertTimestamp(*array, field);
    case arrow::Type::DATE64:
      return ConvertDate64(static_cast<const arrow::Date64Array&>(*array), field);
    case arrow::Type::TIME32:
    case arrow::Type::TIME64:
    case arrow::Type::DURATION:
      return arrow::is_string(type->id()) ? ToText(*array, type) : ToNumber(array, type, pool_);
    case arrow::Type::INTERVAL_MONTHS:
    case arrow::Type::INTERVAL_DAY_TIME:
    case arrow::Type::INTERVAL_MONTH_DAY_NANO:
      return ToText(*array, type);
    default:
      break;
  }
  if (arrow::is_decimal(array->type_id()) && arrow::is_string(type->id())) {
    return ToText(*array, type);
  }
  return CastTo(array, type, pool_);
}

Result<ArrayPtr> ColumnConverter::Convert(const ArrayPtr& array, const arrow::Field& field) {
  ARROW_ASSIGN_OR_RAISE(ArrayPtr converted, ConvertValues(array, field));
  if (!field.nullable()) ARROW_RETURN_NOT_OK(CheckNoNulls(*converted, nullptr));
  return converted;
}

}  // namespace

Result<std::shared_ptr<arrow::RecordBatch>> ConvertBatch(const arrow::RecordBatch& batch,
                                                         const SchemaPlan& plan,
                                                         arrow::MemoryPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const auto plain, ToPlain(batch, plan.plain));
  arrow::ArrayVector columns;
  for (const auto& field : plan.written->fields()) {
    ColumnConverter converter(plan.options.on_lossy, pool);
    auto converted =
        converter.Convert(plain->column(plan.plain->GetFieldIndex(field->name())), *field);
    if (!converted.ok() && converter.misfit()) {
      const Misfit& misfit = *converter.misfit();
      return MakeError({.kind = ErrorKind::kDataInvalid, .row = misfit.row},
                       fmt::format("column '{}{}', row {}: {}", field->name(), misfit.path,
                                   misfit.row, misfit.what));
    }
    if (!converted.ok()) {
      return WithContext(converted.status(), fmt::format("column '{}'", field->name()));
    }
    columns.push_back(*std::move(converted));
  }
  return arrow::RecordBatch::Make(plan.written, batch.num_rows(), std::move(columns));
}

}  // namespace amp::delta
