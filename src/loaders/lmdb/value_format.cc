#include "loaders/lmdb/value_format.h"

#include <arrow/array/util.h>
#include <arrow/buffer.h>
#include <arrow/io/memory.h>
#include <arrow/ipc/dictionary.h>
#include <arrow/ipc/reader.h>
#include <arrow/ipc/writer.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>

#include "core/json_decoder.h"
#include "core/json_text.h"
#include "core/msgpack/msgpack_decoder.h"
#include "core/msgpack/msgpack_encoder.h"
#include "core/stream_state.h"

namespace amp::lmdb {
namespace {

class MsgpackWriter final : public ValueWriter {
 public:
  explicit MsgpackWriter(RowEncoder encoder) : encoder_(std::move(encoder)) {}
  Status Write(const arrow::RecordBatch& batch, int64_t first_row,
               const RowEncoder::Sink& sink) override {
    return encoder_.Encode(batch, first_row, sink);
  }

 private:
  RowEncoder encoder_;
};

class JsonWriter final : public ValueWriter {
 public:
  Status Write(const arrow::RecordBatch& batch, int64_t /*first_row*/,
               const RowEncoder::Sink& sink) override {
    ARROW_ASSIGN_OR_RAISE(const TextColumn rows, RenderJsonRows(batch));
    std::vector<uint32_t> sizes;
    sizes.reserve(rows.ends.size());
    for (size_t i = 0; i < rows.ends.size(); ++i) {
      sizes.push_back(static_cast<uint32_t>(rows[i].size()));
    }
    return sink({{reinterpret_cast<const uint8_t*>(rows.bytes.data()), rows.bytes.size()}, sizes});
  }
};

/// Each row is one Arrow IPC record batch message; the schema is the table's.
class ArrowWriter final : public ValueWriter {
 public:
  Status Write(const arrow::RecordBatch& batch, int64_t /*first_row*/,
               const RowEncoder::Sink& sink) override {
    const auto options = arrow::ipc::IpcWriteOptions::Defaults();
    for (int64_t row = 0; row < batch.num_rows(); ++row) {
      ARROW_ASSIGN_OR_RAISE(const auto message,
                            arrow::ipc::SerializeRecordBatch(*batch.Slice(row, 1), options));
      const auto size = static_cast<uint32_t>(message->size());
      ARROW_RETURN_NOT_OK(
          sink({{message->data(), static_cast<size_t>(message->size())}, {&size, 1}}));
    }
    return Status::OK();
  }
};

/// A decoder of rows as a ValueReader.
template <class Decoder>
class DecodingReader final : public ValueReader {
 public:
  explicit DecodingReader(Decoder decoder) : decoder_(std::move(decoder)) {}
  Status Append(std::string_view value) override { return decoder_.Append(value); }
  Result<std::shared_ptr<arrow::RecordBatch>> Finish() override { return decoder_.Finish(); }

 private:
  Decoder decoder_;
};

/// The schema without a stream's columns at its end: what rows had before the table was adopted.
std::shared_ptr<arrow::Schema> WithoutStreamColumns(const arrow::Schema& schema) {
  arrow::FieldVector fields = schema.fields();
  while (!fields.empty() && IsStreamColumn(fields.back()->name())) fields.pop_back();
  return arrow::schema(std::move(fields));
}

class ArrowReader final : public ValueReader {
 public:
  explicit ArrowReader(std::shared_ptr<arrow::Schema> schema)
      : schema_(std::move(schema)), older_(WithoutStreamColumns(*schema_)) {}

  Status Append(std::string_view value) override {
    // Copied: the bytes in the database may lie at any address, Arrow wants aligned ones.
    const auto message = arrow::Buffer::FromString(std::string(value));
    auto row = Read(message, schema_);
    // A row with fewer columns has too few fields to be read as one with all of them.
    const bool maybe_older = !row.ok() && older_->num_fields() < schema_->num_fields();
    if (maybe_older) row = ReadOlder(message);
    ARROW_RETURN_NOT_OK(row);
    rows_.push_back(*std::move(row));
    return Status::OK();
  }
  Result<std::shared_ptr<arrow::RecordBatch>> Finish() override {
    const auto rows = std::exchange(rows_, {});
    if (rows.empty()) return arrow::RecordBatch::MakeEmpty(schema_);
    return arrow::ConcatenateRecordBatches(rows);
  }

 private:
  using Row = std::shared_ptr<arrow::RecordBatch>;

  static Result<Row> Read(const std::shared_ptr<arrow::Buffer>& message,
                          const std::shared_ptr<arrow::Schema>& schema) {
    arrow::io::BufferReader input(message);
    const arrow::ipc::DictionaryMemo memo;
    return arrow::ipc::ReadRecordBatch(schema, &memo, arrow::ipc::IpcReadOptions(), &input);
  }

  Result<Row> ReadOlder(const std::shared_ptr<arrow::Buffer>& message) const {
    ARROW_ASSIGN_OR_RAISE(const Row row, Read(message, older_));
    arrow::ArrayVector columns = row->columns();
    for (int i = older_->num_fields(); i < schema_->num_fields(); ++i) {
      ARROW_ASSIGN_OR_RAISE(auto null, arrow::MakeArrayOfNull(schema_->field(i)->type(), 1));
      columns.push_back(std::move(null));
    }
    return arrow::RecordBatch::Make(schema_, 1, std::move(columns));
  }

  std::shared_ptr<arrow::Schema> schema_;
  std::shared_ptr<arrow::Schema> older_;
  arrow::RecordBatchVector rows_;
};

}  // namespace

Result<std::unique_ptr<ValueWriter>> MakeValueWriter(LmdbValueFormat format,
                                                     const arrow::Schema& schema) {
  switch (format) {
    case LmdbValueFormat::kMsgpack: {
      ARROW_ASSIGN_OR_RAISE(RowEncoder encoder, msgpack::MakeRowEncoder(schema));
      return std::make_unique<MsgpackWriter>(std::move(encoder));
    }
    case LmdbValueFormat::kJson:
      return std::make_unique<JsonWriter>();
    case LmdbValueFormat::kArrowIpc:
      return std::make_unique<ArrowWriter>();
  }
  return Status::UnknownError("no such value format");
}

Result<std::unique_ptr<ValueReader>> MakeValueReader(LmdbValueFormat format,
                                                     std::shared_ptr<arrow::Schema> schema) {
  switch (format) {
    case LmdbValueFormat::kMsgpack: {
      ARROW_ASSIGN_OR_RAISE(auto decoder, msgpack::RowDecoder::Make(std::move(schema)));
      return std::make_unique<DecodingReader<msgpack::RowDecoder>>(std::move(decoder));
    }
    case LmdbValueFormat::kJson: {
      ARROW_ASSIGN_OR_RAISE(auto decoder, JsonRowDecoder::Make(std::move(schema)));
      return std::make_unique<DecodingReader<JsonRowDecoder>>(std::move(decoder));
    }
    case LmdbValueFormat::kArrowIpc:
      return std::make_unique<ArrowReader>(std::move(schema));
  }
  return Status::UnknownError("no such value format");
}

}  // namespace amp::lmdb
