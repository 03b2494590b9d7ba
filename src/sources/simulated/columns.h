#pragma once

#include <arrow/builder.h>
#include <arrow/type.h>

#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "sources/simulated/tables.h"

/// Ways of making columns: each is a loop over rows that knows its type.
namespace amp::columns {

using Address = std::array<uint8_t, 20>;

/// A row, as the functions that make values see it.
struct Row {
  const RowBlock& block;
  const SimulationOptions& options;
  uint64_t key;
  uint32_t index;
  /// A number of this row, for a purpose.
  uint64_t Number(uint64_t purpose) const { return Mix(key + purpose * 0x100); }
};

template <size_t size>
std::array<uint8_t, size> BytesOf(uint64_t key) {
  std::array<uint8_t, size> bytes;
  for (size_t at = 0; at < size; at += 8) {
    const uint64_t word = Mix(key + at);
    std::memcpy(bytes.data() + at, &word, std::min<size_t>(8, size - at));
  }
  return bytes;
}

template <class Append>
void EachRow(const RowSet& rows, Append append) {
  for (const RowKey& row : rows.rows) {
    append(Row{rows.blocks[row.block], *rows.options, row.key, row.index});
  }
}

/// A column whose values one call appends: `append(builder, row)` gives a status.
template <class Append>
SimulatedColumn Any(std::string name, const std::shared_ptr<arrow::DataType>& type, bool nullable,
                    Append append) {
  auto field = arrow::field(std::move(name), type, nullable);
  return {std::move(field), [=](const RowSet& rows) -> Result<std::shared_ptr<arrow::Array>> {
            ARROW_ASSIGN_OR_RAISE(const auto builder, arrow::MakeBuilder(type));
            ARROW_RETURN_NOT_OK(builder->Reserve(static_cast<int64_t>(rows.rows.size())));
            Status status;
            EachRow(rows, [&](const Row& row) {
              if (status.ok()) status = append(builder.get(), row);
            });
            ARROW_RETURN_NOT_OK(status);
            return builder->Finish();
          }};
}

template <class Builder, class Value>
void UnsafeAppendValue(Builder* builder, const Value& value) {
  if constexpr (requires { value.data(); }) {
    builder->UnsafeAppend(value.data());  // fixed-size bytes
  } else {
    builder->UnsafeAppend(value);
  }
}

/// A column of fixed width: `value(row)` gives the value, or an optional one.
template <class Builder, class Value>
SimulatedColumn Fixed(std::string name, const std::shared_ptr<arrow::DataType>& type, Value value) {
  using Result_ = decltype(value(std::declval<const Row&>()));
  constexpr bool nullable = requires(Result_ r) { r.has_value(); };
  auto field = arrow::field(std::move(name), type, nullable);
  return {std::move(field), [=](const RowSet& rows) -> Result<std::shared_ptr<arrow::Array>> {
            Builder builder(type, arrow::default_memory_pool());
            ARROW_RETURN_NOT_OK(builder.Reserve(static_cast<int64_t>(rows.rows.size())));
            EachRow(rows, [&](const Row& row) {
              const auto made = value(row);
              if constexpr (nullable) {
                made ? UnsafeAppendValue(&builder, *made) : builder.UnsafeAppendNull();
              } else {
                UnsafeAppendValue(&builder, made);
              }
            });
            return builder.Finish();
          }};
}

template <class Value>
SimulatedColumn UInt64(std::string name, Value value) {
  return Fixed<arrow::UInt64Builder>(std::move(name), arrow::uint64(), value);
}
template <class Value>
SimulatedColumn UInt32(std::string name, Value value) {
  return Fixed<arrow::UInt32Builder>(std::move(name), arrow::uint32(), value);
}
template <class Value>
SimulatedColumn Bool(std::string name, Value value) {
  return Fixed<arrow::BooleanBuilder>(std::move(name), arrow::boolean(), value);
}
template <class Value>
SimulatedColumn Hash(std::string name, Value value) {
  return Fixed<arrow::FixedSizeBinaryBuilder>(std::move(name), arrow::fixed_size_binary(32), value);
}
template <class Value>
SimulatedColumn AddressColumn(std::string name, Value value) {
  return Fixed<arrow::FixedSizeBinaryBuilder>(std::move(name), arrow::fixed_size_binary(20), value);
}
template <class Value>
SimulatedColumn Decimal(std::string name, Value value) {
  return Fixed<arrow::Decimal128Builder>(std::move(name), arrow::decimal128(38, 0), value);
}

/// Columns that more than one table has.
SimulatedColumn BlockNumber(std::string name);
SimulatedColumn BlockTime();
SimulatedColumn BlockHashColumn(std::string name);

/// The key of a block's transaction, whichever table is made.
uint64_t TransactionKey(uint64_t block_key, uint64_t index);
BlockHash TransactionHash(uint64_t transaction_key);
/// An account that occurs again and again.
Address Account(uint64_t number);
/// 0 to 18 digits mostly, the full 38 at times.
arrow::Decimal128 Amount(uint64_t key);

}  // namespace amp::columns
