// `ampload stream` into Delta tables, killed and cut off.

#include <arrow/scalar.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>

#include "amp/testing/asserts.h"
#include "amp/testing/servers.h"
#include "crash/stream_crash.h"
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

/// Looks with delta-rs.
class DeltaCrashTarget final : public CrashTarget {
 public:
  std::string url() const override { return "delta:" + folder_.path(); }
  std::string loader() const override { return "delta"; }
  std::vector<std::string> modes() const override { return {"append"}; }
  Result<Lines> Read(const std::string& table, const arrow::Schema& schema) override {
    ARROW_ASSIGN_OR_RAISE(const auto rows, ReadDelta(folder_.file(table)));
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

 private:
  TemporaryFolder folder_;
};

Result<std::unique_ptr<CrashTarget>> Make() { return std::make_unique<DeltaCrashTarget>(); }

INSTANTIATE_TEST_SUITE_P(Delta, StreamCrash, ::testing::Values(&Make));
INSTANTIATE_TEST_SUITE_P(Delta, KilledStream, KilledStreams(&Make, {"append"}), NameOfKilledStream);

}  // namespace
}  // namespace amp::testing
