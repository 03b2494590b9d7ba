// The rows that are canonical when everything has happened.

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <parquet/arrow/writer.h>

#include "sources/simulated/messages.h"
#include "sources/simulated/server.h"

namespace amp {
namespace {

/// The batches of a bounded answer.
class CanonicalReader final : public arrow::RecordBatchReader {
 public:
  CanonicalReader(std::unique_ptr<SimulationState> state,
                  std::unique_ptr<SimulatedMessages> messages)
      : state_(std::move(state)), messages_(std::move(messages)) {}

  std::shared_ptr<arrow::Schema> schema() const override { return messages_->schema(); }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* batch) override {
    while (true) {
      ARROW_ASSIGN_OR_RAISE(auto message, messages_->Next());
      *batch = message ? std::move(message->batch) : nullptr;
      if (*batch == nullptr || (*batch)->num_rows() > 0) return Status::OK();
    }
  }

 private:
  std::unique_ptr<SimulationState> state_;
  std::unique_ptr<SimulatedMessages> messages_;
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> CanonicalRows(const std::string& sql,
                                                                const SimulationOptions& options) {
  ARROW_RETURN_NOT_OK(CheckSimulationOptions(options));
  if (!options.blocks) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "the chain has no end whose canonical rows there could be; set --blocks");
  }
  auto state = std::make_unique<SimulationState>(options);
  SimulatedRequest request;
  ARROW_ASSIGN_OR_RAISE(request.query, ParseSimulatedQuery(sql, options.networks));
  request.tick = *state->simulation.LastTick();
  ARROW_ASSIGN_OR_RAISE(auto messages,
                        SimulatedMessages::Open(state.get(), request, [] { return false; }));
  return std::make_shared<CanonicalReader>(std::move(state), std::move(messages));
}

Result<int64_t> WriteCanonicalRows(const std::string& sql, const SimulationOptions& options,
                                   const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, CanonicalRows(sql, options));
  ARROW_ASSIGN_OR_RAISE(auto out, arrow::io::FileOutputStream::Open(path));
  const auto arrow_properties = parquet::ArrowWriterProperties::Builder().store_schema()->build();
  const auto properties =
      parquet::WriterProperties::Builder().compression(parquet::Compression::ZSTD)->build();
  ARROW_ASSIGN_OR_RAISE(const auto writer, parquet::arrow::FileWriter::Open(
                                               *reader->schema(), arrow::default_memory_pool(), out,
                                               properties, arrow_properties));
  int64_t rows = 0;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(writer->WriteRecordBatch(*batch));
    rows += batch->num_rows();
  }
  ARROW_RETURN_NOT_OK(writer->Close());
  ARROW_RETURN_NOT_OK(out->Close());
  return rows;
}

}  // namespace amp
