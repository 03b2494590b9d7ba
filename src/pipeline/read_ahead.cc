#include "pipeline/read_ahead.h"

#include <arrow/record_batch.h>

#include <algorithm>

namespace amp {

ReadAhead::ReadAhead(std::shared_ptr<arrow::RecordBatchReader> reader,
                     const PipelineOptions& options)
    : reader_(std::move(reader)),
      options_(options),
      queue_(options.memory.bytes),
      thread_([this] { Run(); }) {}

ReadAhead::~ReadAhead() {
  queue_.Abandon();
  thread_.join();
}

Result<std::shared_ptr<RecordBatch>> ReadAhead::Next() {
  std::shared_ptr<RecordBatch> batch;
  ARROW_RETURN_NOT_OK(queue_.Pop(&batch));
  return batch;
}

void ReadAhead::Run() { queue_.Finish(WithSide(ReadAll(), ErrorSide::kSource)); }

Status ReadAhead::ReadAll() {
  const auto push = [this](std::shared_ptr<RecordBatch> part, int64_t bytes) {
    return queue_.Push(std::move(part), bytes);
  };
  std::shared_ptr<RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(reader_->ReadNext(&batch));
    if (batch == nullptr || !PushCut(batch, options_, push)) return Status::OK();
  }
}

bool PushCut(const std::shared_ptr<RecordBatch>& batch, const PipelineOptions& options,
             const std::function<bool(std::shared_ptr<RecordBatch> part, int64_t bytes)>& push) {
  const int64_t rows = batch->num_rows();
  if (rows == 0) return true;
  const int64_t bytes = BytesOf(*batch);
  const int64_t by_bytes =
      bytes <= options.batch_bytes.bytes
          ? rows
          : std::max<int64_t>(1, rows * options.batch_bytes.bytes / std::max<int64_t>(1, bytes));
  const int64_t step = std::min(by_bytes, options.batch_rows);
  for (int64_t start = 0; start < rows; start += step) {
    const int64_t length = std::min(step, rows - start);
    auto part = length == rows ? batch : batch->Slice(start, length);
    if (!push(std::move(part), bytes / rows * length)) return false;
  }
  return true;
}

}  // namespace amp
