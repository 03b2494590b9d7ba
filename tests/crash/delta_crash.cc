#include "crash/delta_crash.h"

#include <arrow/scalar.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>

#include "interop/delta_client.h"

namespace amp::testing {
namespace {

std::string Cell(const arrow::Scalar& value) {
  if (!value.is_valid) return "\\N";
  switch (value.type->id()) {
    case arrow::Type::BINARY:
    case arrow::Type::LARGE_BINARY: {
      std::string hex;
      for (const char c : static_cast<const arrow::BaseBinaryScalar&>(value).view()) {
        hex += fmt::format("{:02x}", static_cast<uint8_t>(c));
      }
      return hex;
    }
    case arrow::Type::TIMESTAMP:  // microseconds, the source's are nanoseconds
      return std::to_string(static_cast<const arrow::TimestampScalar&>(value).value * 1000);
    default:
      return value.ToString();
  }
}

}  // namespace

Result<Lines> DeltaLines(const std::string& table, const arrow::Schema& schema,
                         const nlohmann::json& options) {
  ARROW_ASSIGN_OR_RAISE(const auto rows, ReadDelta(table, std::nullopt, options));
  if (rows == nullptr) return Status::KeyError("there is no table");
  Lines lines(static_cast<size_t>(rows->num_rows()));
  for (int i = 0; i < schema.num_fields(); ++i) {
    const auto column = rows->GetColumnByName(schema.field(i)->name());
    if (column == nullptr) return Status::Invalid("not the columns of the source");
    for (int64_t row = 0; row < rows->num_rows(); ++row) {
      ARROW_ASSIGN_OR_RAISE(const auto value, column->GetScalar(row));
      if (i > 0) lines[static_cast<size_t>(row)] += '|';
      lines[static_cast<size_t>(row)] += Cell(*value);
    }
  }
  std::sort(lines.begin(), lines.end());
  return lines;
}

}  // namespace amp::testing
