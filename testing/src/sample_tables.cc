#include "amp/testing/sample_tables.h"

#include <arrow/api.h>
#include <arrow/json/from_string.h>

namespace amp::testing {
namespace {

std::shared_ptr<arrow::Schema> SampleSchema() {
  return arrow::schema(
      {arrow::field("id", arrow::int64(), false), arrow::field("name", arrow::utf8()),
       arrow::field("value", arrow::float64()), arrow::field("active", arrow::boolean()),
       arrow::field("at", arrow::timestamp(arrow::TimeUnit::MICRO, "UTC")),
       arrow::field("payload", arrow::binary())});
}

/// One builder a column; `null_in` says in which column the row has a null (-1: in none).
class SampleBuilder {
 public:
  void Add(int64_t id, int null_in = -1) {
    Append(&id_, id, false);
    Append(&name_, "row " + std::to_string(id), null_in == 1);
    Append(&value_, static_cast<double>(id) + 0.5, null_in == 2);
    Append(&active_, id % 2 == 0, null_in == 3);
    Append(&at_, 1'700'000'000'000'000 + id * 1'000'001, null_in == 4);
    Append(&payload_, std::string("\x00\xff", 2) + std::to_string(id), null_in == 5);
    ++rows_;
  }
  std::shared_ptr<arrow::RecordBatch> Finish() {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    const std::vector<arrow::ArrayBuilder*> builders{&id_,     &name_, &value_,
                                                     &active_, &at_,   &payload_};
    for (arrow::ArrayBuilder* builder : builders) columns.push_back(*builder->Finish());
    return arrow::RecordBatch::Make(SampleSchema(), rows_, std::move(columns));
  }

 private:
  template <class Builder, class Value>
  static void Append(Builder* builder, const Value& value, bool null) {
    const arrow::Status status = null ? builder->AppendNull() : builder->Append(value);
    if (!status.ok()) status.Abort("building sample rows");
  }

  int64_t rows_ = 0;
  arrow::Int64Builder id_;
  arrow::StringBuilder name_;
  arrow::DoubleBuilder value_;
  arrow::BooleanBuilder active_;
  arrow::TimestampBuilder at_{arrow::timestamp(arrow::TimeUnit::MICRO, "UTC"),
                              arrow::default_memory_pool()};
  arrow::BinaryBuilder payload_;
};

using TypedJson = std::pair<std::shared_ptr<arrow::DataType>, std::string>;

// Each with an ordinary value, extremes, and a null, as four rows.
std::vector<TypedJson> ScalarColumns() {
  using arrow::TimeUnit;
  const auto day_nano = arrow::month_day_nano_interval();
  return {
      {arrow::boolean(), "[true, false, null, true]"},
      {arrow::int8(), "[-128, 127, null, 0]"},
      {arrow::int16(), "[-32768, 32767, null, 0]"},
      {arrow::int32(), "[-2147483648, 2147483647, null, 0]"},
      {arrow::int64(), "[-9223372036854775808, 9223372036854775807, null, 0]"},
      {arrow::uint8(), "[0, 255, null, 1]"},
      {arrow::uint16(), "[0, 65535, null, 1]"},
      {arrow::uint32(), "[0, 4294967295, null, 1]"},
      {arrow::uint64(), "[0, 18446744073709551615, null, 10000]"},
      {arrow::float32(), "[-1.5, 3.4028234e38, null, 0]"},
      {arrow::float64(), "[-1.5, 1.7976931348623157e308, null, 0.1]"},
      {arrow::utf8(), R"(["tab\tquote\"\\ newline\n", "", null, "Ünïcödé 🦀"])"},
      {arrow::large_utf8(), R"(["large", "", null, "x"])"},
      {arrow::binary(), R"(["bytes", "", null, "x"])"},
      {arrow::large_binary(), R"(["bytes", "", null, "x"])"},
      {arrow::fixed_size_binary(3), R"(["abc", "def", null, "ghi"])"},
      {arrow::date32(), "[0, -719162, null, 19000]"},
      {arrow::date64(), "[0, 86400000, null, -86400000]"},
      {arrow::time32(TimeUnit::SECOND), "[0, 86399, null, 1]"},
      {arrow::time32(TimeUnit::MILLI), "[0, 86399999, null, 1]"},
      {arrow::time64(TimeUnit::MICRO), "[0, 86399999999, null, 1]"},
      {arrow::time64(TimeUnit::NANO), "[0, 86399999999000, null, 1000]"},
      {arrow::timestamp(TimeUnit::SECOND), "[0, 4102444800, null, -1]"},
      {arrow::timestamp(TimeUnit::MILLI), "[0, 4102444800001, null, -1]"},
      {arrow::timestamp(TimeUnit::MICRO, "UTC"), "[0, 4102444800000001, null, -1]"},
      {arrow::timestamp(TimeUnit::NANO, "UTC"), "[0, 4102444800000001000, null, -1000]"},
      {arrow::duration(TimeUnit::SECOND), "[0, 86400, null, -1]"},
      {arrow::duration(TimeUnit::NANO), "[0, 1000, null, -1000]"},
      {arrow::month_interval(), "[0, 13, null, -1]"},
      {day_nano, "[[0, 0, 0], [13, 2, 3000], null, [-1, -2, -3000]]"},
      {arrow::decimal128(38, 0), R"(["99999999999999999999999999999999999999", "0", null, "-1"])"},
      {arrow::decimal128(10, 3), R"(["1234567.891", "0.001", null, "-0.500"])"},
      {arrow::decimal256(76, 10),
       R"(["123456789012345678901234567890123456789012345678901234567890.1234567891",
           "0.0000000000", null, "-1.0000000001"])"},
  };
}

std::vector<TypedJson> NestedColumns() {
  const auto point =
      arrow::struct_({arrow::field("x", arrow::int32()), arrow::field("tag", arrow::utf8())});
  return {
      {arrow::list(arrow::int64()), "[[1, null, 3], [], null, [-1]]"},
      {arrow::large_list(arrow::utf8()), R"([["a", null], [], null, [""]])"},
      {arrow::fixed_size_list(arrow::int16(), 2), "[[1, 2], [null, 4], null, [5, 6]]"},
      {point, R"([{"x": 1, "tag": "a"}, {"x": null, "tag": ""}, null, {"x": 2, "tag": null}])"},
      {arrow::list(point), R"([[{"x": 1, "tag": "a"}, null], [], null, [{"x": 2, "tag": "b"}]])"},
      {arrow::list(arrow::list(arrow::int32())), "[[[1], [], null], [], null, [[2, null]]]"},
      {arrow::map(arrow::utf8(), arrow::int32()),
       R"([[["a", 1], ["b", null]], [], null, [["", 0]]])"},
      {arrow::map(arrow::int32(), arrow::utf8()), R"([[[1, "a"]], [], null, [[-1, null]]])"},
  };
}

}  // namespace

std::shared_ptr<arrow::RecordBatch> SampleBatch(int64_t rows, int64_t first) {
  SampleBuilder builder;
  for (int64_t i = 0; i < rows; ++i) builder.Add(first + i);
  return builder.Finish();
}

std::shared_ptr<arrow::RecordBatch> SampleBatchWithNulls() {
  SampleBuilder builder;
  for (int row = 0; row < 6; ++row) builder.Add(row, row);
  return builder.Finish();
}

std::shared_ptr<arrow::Table> SampleTable(int64_t rows, int64_t chunk) {
  arrow::RecordBatchVector batches;
  for (int64_t first = 0; first < rows; first += chunk) {
    batches.push_back(SampleBatch(std::min(chunk, rows - first), first));
  }
  return *arrow::Table::FromRecordBatches(SampleSchema(), batches);
}

Result<std::shared_ptr<arrow::RecordBatch>> BatchFromJson(
    const std::shared_ptr<arrow::Schema>& schema, const std::string& json) {
  ARROW_ASSIGN_OR_RAISE(const auto rows,
                        arrow::json::ArrayFromJSONString(arrow::struct_(schema->fields()), json));
  ARROW_ASSIGN_OR_RAISE(const auto batch, arrow::RecordBatch::FromStructArray(rows));
  return arrow::RecordBatch::Make(schema, batch->num_rows(), batch->columns());
}

std::shared_ptr<arrow::RecordBatch> AllTypesBatch() {
  std::vector<TypedJson> all = ScalarColumns();
  for (TypedJson& column : NestedColumns()) all.push_back(std::move(column));
  arrow::FieldVector fields;
  arrow::ArrayVector columns;
  for (const auto& [type, json] : all) {
    // A name of its own for every column, told by its type.
    fields.push_back(arrow::field("c" + std::to_string(fields.size()) + "_" + type->name(), type));
    columns.push_back(*arrow::json::ArrayFromJSONString(type, json));
  }
  return arrow::RecordBatch::Make(arrow::schema(fields), 4, columns);
}

}  // namespace amp::testing
