#include "loaders/postgresql/copy_reader.h"

#include <arrow/array/builder_base.h>
#include <arrow/builder.h>
#include <arrow/extension/json.h>
#include <arrow/record_batch.h>
#include <arrow/util/decimal.h>

#include "core/cell_encoder.h"
#include "loaders/postgresql/cells.h"
#include "loaders/postgresql/type_map.h"

namespace amp::postgresql {
namespace {

using TypePtr = std::shared_ptr<arrow::DataType>;

constexpr int64_t kRowsPerBatch = 8192;

/// How a column is asked for and what it becomes.
struct ReadPlan {
  std::string expression;  ///< in the SELECT
  TypePtr type;
  uint32_t oid;
};

/// numeric(p,s) becomes a decimal; it is asked for as text, which both sides read and write
/// exactly.
TypePtr DecimalOf(const std::string& sql_type) {
  int precision = 0;
  int scale = 0;
  if (std::sscanf(sql_type.c_str(), "numeric(%d,%d)", &precision, &scale) != 2) return nullptr;
  if (precision <= 38) return arrow::decimal128(precision, scale);
  return precision <= 76 ? arrow::decimal256(precision, scale) : nullptr;
}

TypePtr ArrowType(uint32_t oid) {
  switch (oid) {
    case oid::kBool:
      return arrow::boolean();
    case oid::kInt2:
      return arrow::int16();
    case oid::kInt4:
      return arrow::int32();
    case oid::kInt8:
      return arrow::int64();
    case oid::kFloat4:
      return arrow::float32();
    case oid::kFloat8:
      return arrow::float64();
    case oid::kText:
    case oid::kVarchar:
    case oid::kBpchar:
      return arrow::utf8();
    case oid::kBytea:
      return arrow::binary();
    case oid::kDate:
      return arrow::date32();
    case oid::kTime:
      return arrow::time64(arrow::TimeUnit::MICRO);
    case oid::kTimestamp:
      return arrow::timestamp(arrow::TimeUnit::MICRO);
    case oid::kTimestamptz:
      return arrow::timestamp(arrow::TimeUnit::MICRO, "UTC");
    default:
      return nullptr;
  }
}

ReadPlan PlanColumn(const TableColumn& column) {
  const std::string name = QuoteName(column.name);
  if (column.oid == oid::kNumeric) {
    if (TypePtr decimal = DecimalOf(column.sql_type)) return {name + "::text", decimal, column.oid};
  }
  if (column.oid == oid::kJson || column.oid == oid::kJsonb) {
    return {name + "::text", arrow::extension::json(), oid::kJson};
  }
  if (TypePtr type = ArrowType(column.oid)) return {name, type, column.oid};
  const uint32_t element = ElementOid(column.oid);
  if (TypePtr type = element == 0 ? nullptr : ArrowType(element)) {
    return {name, arrow::list(type), column.oid};
  }
  return {name + "::text", arrow::utf8(), oid::kText};
}

/// A cell's bytes.
struct Bytes {
  const uint8_t* data;
  int32_t size;
  std::string_view text() const {
    return {reinterpret_cast<const char*>(data), static_cast<size_t>(size)};
  }
};

Status Malformed() {
  return MakeError({.kind = ErrorKind::kProtocol, .side = ErrorSide::kTarget},
                   "reading rows: the server's COPY data is malformed");
}

template <class Decimal, class Builder>
Status AppendDecimal(Bytes cell, arrow::ArrayBuilder* builder) {
  Decimal value;
  int32_t precision = 0;
  int32_t scale = 0;
  ARROW_RETURN_NOT_OK(Decimal::FromString(cell.text(), &value, &precision, &scale));
  const int32_t wanted = static_cast<const arrow::DecimalType&>(*builder->type()).scale();
  if (scale != wanted) {
    ARROW_ASSIGN_OR_RAISE(value, value.Rescale(scale, wanted));
  }
  return static_cast<Builder*>(builder)->Append(value);
}

Status AppendCell(uint32_t oid, Bytes cell, arrow::ArrayBuilder* builder);

// See ArrayEncoder for the layout.
Status AppendArray(uint32_t element_oid, Bytes cell, arrow::ArrayBuilder* builder) {
  auto* lists = static_cast<arrow::ListBuilder*>(builder);
  ARROW_RETURN_NOT_OK(lists->Append());
  const auto dimensions = Get<int32_t>(cell.data);
  if (dimensions == 0) return Status::OK();
  if (dimensions != 1) {
    return MakeError(ErrorKind::kUnsupported, "arrays of several dimensions cannot be read back");
  }
  const uint8_t* at = cell.data + 20;
  const uint8_t* end = cell.data + cell.size;
  for (auto left = Get<int32_t>(cell.data + 12); left > 0; --left) {
    if (end - at < 4) return Malformed();
    const auto size = Get<int32_t>(at);
    at += 4;
    if (size < 0) {
      ARROW_RETURN_NOT_OK(lists->value_builder()->AppendNull());
      continue;
    }
    if (end - at < size) return Malformed();
    ARROW_RETURN_NOT_OK(AppendCell(element_oid, {at, size}, lists->value_builder()));
    at += size;
  }
  return Status::OK();
}

Status AppendTime(Bytes cell, int64_t epoch, arrow::ArrayBuilder* builder) {
  const auto wire = Get<int64_t>(cell.data);
  const bool infinite = wire == INT64_MAX || wire == INT64_MIN;
  if (builder->type()->id() == arrow::Type::TIME64) {
    return static_cast<arrow::Time64Builder*>(builder)->Append(wire);
  }
  // 'infinity' stays the largest, '-infinity' the smallest value.
  return static_cast<arrow::TimestampBuilder*>(builder)->Append(infinite ? wire : wire + epoch);
}

Status AppendCell(uint32_t oid, Bytes cell, arrow::ArrayBuilder* builder) {
  switch (oid) {
    case oid::kBool:
      return static_cast<arrow::BooleanBuilder*>(builder)->Append(*cell.data != 0);
    case oid::kInt2:
      return static_cast<arrow::Int16Builder*>(builder)->Append(Get<int16_t>(cell.data));
    case oid::kInt4:
      return static_cast<arrow::Int32Builder*>(builder)->Append(Get<int32_t>(cell.data));
    case oid::kInt8:
      return static_cast<arrow::Int64Builder*>(builder)->Append(Get<int64_t>(cell.data));
    case oid::kFloat4:
      return static_cast<arrow::FloatBuilder*>(builder)->Append(
          std::bit_cast<float>(Get<uint32_t>(cell.data)));
    case oid::kFloat8:
      return static_cast<arrow::DoubleBuilder*>(builder)->Append(
          std::bit_cast<double>(Get<uint64_t>(cell.data)));
    case oid::kDate:
      return static_cast<arrow::Date32Builder*>(builder)->Append(
          static_cast<int32_t>(Get<int32_t>(cell.data) + kEpochDays));
    case oid::kTime:
    case oid::kTimestamp:
    case oid::kTimestamptz:
      return AppendTime(cell, kEpochMicros, builder);
    case oid::kNumeric:
      if (builder->type()->id() == arrow::Type::DECIMAL256) {
        return AppendDecimal<arrow::Decimal256, arrow::Decimal256Builder>(cell, builder);
      }
      return AppendDecimal<arrow::Decimal128, arrow::Decimal128Builder>(cell, builder);
    default:
      if (const uint32_t element = ElementOid(oid)) return AppendArray(element, cell, builder);
      return static_cast<arrow::BinaryBuilder*>(builder)->Append(cell.data, cell.size);
  }
}

class CopyReader final : public arrow::RecordBatchReader {
 public:
  CopyReader(ConnectionPool::Lease connection, std::vector<ReadPlan> plan,
             std::shared_ptr<arrow::Schema> schema)
      : connection_(std::move(connection)), plan_(std::move(plan)), schema_(std::move(schema)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    if (done_) return Status::OK();
    ARROW_RETURN_NOT_OK(MakeBuilders());
    int64_t rows = 0;
    while (rows < kRowsPerBatch) {
      ARROW_ASSIGN_OR_RAISE(const std::optional<std::string> row, connection_->GetCopyData());
      if (!row) {
        done_ = true;
        break;
      }
      ARROW_ASSIGN_OR_RAISE(const bool appended, AppendRow(*row));
      rows += appended ? 1 : 0;
    }
    if (rows == 0) return Status::OK();
    return Finish(rows).Value(out);
  }

 private:
  Status MakeBuilders() {
    builders_.clear();
    for (const ReadPlan& column : plan_) {
      const TypePtr storage =
          column.type->id() == arrow::Type::EXTENSION ? arrow::utf8() : column.type;
      ARROW_ASSIGN_OR_RAISE(auto builder, arrow::MakeBuilder(storage));
      builders_.push_back(std::move(builder));
    }
    return Status::OK();
  }

  // The first piece may start with the header; the last is the trailer.
  Result<bool> AppendRow(const std::string& piece) {
    constexpr size_t kHeaderBytes = 19;
    const auto* at = reinterpret_cast<const uint8_t*>(piece.data());
    const uint8_t* end = at + piece.size();
    if (!seen_header_) {
      if (piece.size() < kHeaderBytes) return Malformed();
      at += kHeaderBytes;
      seen_header_ = true;
      if (at == end) return false;
    }
    if (end - at < 2) return Malformed();
    const auto count = Get<int16_t>(at);
    at += 2;
    if (count < 0) return false;
    if (static_cast<size_t>(count) != plan_.size()) return Malformed();
    for (size_t i = 0; i < plan_.size(); ++i) {
      if (end - at < 4) return Malformed();
      const auto size = Get<int32_t>(at);
      at += 4;
      if (size > end - at) return Malformed();
      ARROW_RETURN_NOT_OK(size < 0 ? builders_[i]->AppendNull()
                                   : AppendCell(plan_[i].oid, {at, size}, builders_[i].get()));
      at += std::max(size, 0);
    }
    return true;
  }

  Result<std::shared_ptr<arrow::RecordBatch>> Finish(int64_t rows) {
    std::vector<std::shared_ptr<arrow::Array>> columns;
    for (size_t i = 0; i < builders_.size(); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto array, builders_[i]->Finish());
      if (plan_[i].type->id() == arrow::Type::EXTENSION) {
        array = arrow::ExtensionType::WrapArray(plan_[i].type, array);
      }
      columns.push_back(std::move(array));
    }
    return arrow::RecordBatch::Make(schema_, rows, std::move(columns));
  }

  ConnectionPool::Lease connection_;
  std::vector<ReadPlan> plan_;
  std::shared_ptr<arrow::Schema> schema_;
  std::vector<std::unique_ptr<arrow::ArrayBuilder>> builders_;
  bool seen_header_ = false;
  bool done_ = false;
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadByCopy(
    ConnectionPool::Lease connection, const std::string& qualified,
    const std::vector<TableColumn>& columns, int64_t limit) {
  std::vector<ReadPlan> plan;
  std::vector<std::string> expressions;
  std::vector<std::shared_ptr<arrow::Field>> fields;
  for (const TableColumn& column : columns) {
    plan.push_back(PlanColumn(column));
    expressions.push_back(plan.back().expression);
    fields.push_back(arrow::field(column.name, plan.back().type, !column.not_null));
  }
  ARROW_RETURN_NOT_OK(connection->BeginCopyOut(fmt::format(
      "COPY (SELECT {} FROM {}{}) TO STDOUT (FORMAT binary)", fmt::join(expressions, ", "),
      qualified, limit < 0 ? std::string() : fmt::format(" LIMIT {}", limit))));
  return std::make_shared<CopyReader>(std::move(connection), std::move(plan),
                                      arrow::schema(std::move(fields)));
}

}  // namespace amp::postgresql
