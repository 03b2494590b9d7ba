#include "pipeline/unit_reader.h"

#include <arrow/record_batch.h>

#include "pipeline/read_ahead.h"

namespace amp {

UnitReader::UnitReader(JobSource* source, std::vector<size_t> units, const PipelineOptions& options)
    : source_(source),
      units_(std::move(units)),
      options_(options),
      queue_(options.memory.bytes),
      thread_([this] { queue_.Finish(WithSide(ReadAll(), ErrorSide::kSource)); }) {}

UnitReader::~UnitReader() {
  queue_.Abandon();
  thread_.join();
}

Status UnitReader::ReadAll() {
  for (const size_t unit : units_) {
    ARROW_ASSIGN_OR_RAISE(const bool more, ReadUnit(unit));
    if (!more) break;
  }
  return Status::OK();
}

Result<bool> UnitReader::ReadUnit(size_t unit) {
  ARROW_ASSIGN_OR_RAISE(const auto reader, source_->Open(unit));
  const auto push = [&](std::shared_ptr<RecordBatch> part, int64_t bytes) {
    return queue_.Push({unit, std::move(part)}, bytes);
  };
  std::shared_ptr<RecordBatch> batch;
  while (true) {
    ARROW_RETURN_NOT_OK(reader->ReadNext(&batch));
    if (batch == nullptr) return queue_.Push({unit, nullptr}, 0);
    if (!PushCut(batch, options_, push)) return false;
  }
}

}  // namespace amp
