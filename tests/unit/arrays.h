#pragma once

#include <arrow/api.h>
#include <arrow/json/from_string.h>
#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/row_encoder.h"
#include "core/text.h"

/// Small arrays and batches for unit tests.
namespace amp::unit {

using ArrayPtr = std::shared_ptr<arrow::Array>;
using BatchPtr = std::shared_ptr<arrow::RecordBatch>;
using Strings = std::vector<std::string>;

/// An array from JSON, in the forms of arrow/json/from_string.h.
inline ArrayPtr ArrayOf(const std::shared_ptr<arrow::DataType>& type, std::string_view json) {
  return arrow::json::ArrayFromJSONString(type, json).ValueOrDie();
}

inline BatchPtr BatchOf(const std::vector<std::pair<std::string, ArrayPtr>>& columns) {
  arrow::FieldVector fields;
  arrow::ArrayVector arrays;
  for (const auto& [name, array] : columns) {
    fields.push_back(arrow::field(name, array->type()));
    arrays.push_back(array);
  }
  const int64_t rows = arrays.empty() ? 0 : arrays[0]->length();
  return arrow::RecordBatch::Make(arrow::schema(fields), rows, arrays);
}

/// Decimals of any scale (JSON takes no negative ones) from their integers.
template <class Decimal, class Builder>
ArrayPtr DecimalsOf(const std::shared_ptr<arrow::DataType>& type, const Strings& integers) {
  Builder builder(type);
  for (const std::string& integer : integers) {
    EXPECT_TRUE(builder.Append(Decimal(integer)).ok());
  }
  return builder.Finish().ValueOrDie();
}

inline std::string Hex(std::string_view bytes) {
  std::string hex;
  AppendHex(reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size(), &hex);
  return hex;
}

/// The bytes of each row.
inline Result<Strings> EncodeRows(RowEncoder* encoder, const arrow::RecordBatch& batch,
                                  int64_t first_row = 0) {
  Strings rows;
  ARROW_RETURN_NOT_OK(encoder->Encode(batch, first_row, [&](const EncodedRows& encoded) {
    const auto* at = reinterpret_cast<const char*>(encoded.bytes.data());
    for (const uint32_t size : encoded.sizes) {
      rows.emplace_back(at, size);
      at += size;
    }
    return Status::OK();
  }));
  return rows;
}

/// Same values, NaN equal to itself, 0 and -0 different.
inline ::testing::AssertionResult SameValues(const arrow::Array& have, const arrow::Array& want) {
  const Status valid = have.ValidateFull();
  if (!valid.ok()) return ::testing::AssertionFailure() << valid.ToString();
  const auto options = arrow::EqualOptions::Defaults().nans_equal(true).signed_zeros_equal(false);
  if (have.Equals(want, options)) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure()
         << want.type()->ToString() << ": have " << have.ToString() << ", want " << want.ToString();
}

inline ::testing::AssertionResult SameRows(const arrow::RecordBatch& have,
                                           const arrow::RecordBatch& want) {
  if (have.num_rows() != want.num_rows() || !have.schema()->Equals(*want.schema())) {
    return ::testing::AssertionFailure()
           << "have " << have.num_rows() << " rows of " << have.schema()->ToString() << ", want "
           << want.num_rows() << " of " << want.schema()->ToString();
  }
  for (int i = 0; i < want.num_columns(); ++i) {
    auto same = SameValues(*have.column(i), *want.column(i));
    if (!same) return same;
  }
  return ::testing::AssertionSuccess();
}

/// A status of this kind whose message holds all of `parts`.
inline ::testing::AssertionResult Fails(const Status& status, ErrorKind kind,
                                        const Strings& parts) {
  if (status.ok()) return ::testing::AssertionFailure() << "it succeeded";
  if (KindOf(status) != kind) {
    return ::testing::AssertionFailure() << ToString(KindOf(status)) << ": " << status.message();
  }
  for (const std::string& part : parts) {
    if (status.message().find(part) == std::string::npos) {
      return ::testing::AssertionFailure() << "no '" << part << "' in: " << status.message();
    }
  }
  return ::testing::AssertionSuccess();
}

}  // namespace amp::unit
