#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <thread>

#include "amp/loader.h"
#include "core/batch_bytes.h"
#include "pipeline/bounded_queue.h"

namespace amp {

/// Reads a RecordBatchReader on a thread of its own, cutting batches to the size that the options
/// ask for. Ends its thread when destroyed.
class ReadAhead {
 public:
  ReadAhead(std::shared_ptr<arrow::RecordBatchReader> reader, const PipelineOptions& options);
  ~ReadAhead();
  ReadAhead(const ReadAhead&) = delete;
  ReadAhead& operator=(const ReadAhead&) = delete;

  /// The next batch; null at the end. Errors of the source are marked as such.
  Result<std::shared_ptr<RecordBatch>> Next();

 private:
  void Run();
  Status ReadAll();

  std::shared_ptr<arrow::RecordBatchReader> reader_;
  PipelineOptions options_;
  BoundedQueue<std::shared_ptr<RecordBatch>> queue_;
  std::thread thread_;
};

/// Gives a batch to `push` with its Arrow bytes, in parts of the size that the options ask for.
/// False once `push` says so.
bool PushCut(const std::shared_ptr<RecordBatch>& batch, const PipelineOptions& options,
             const std::function<bool(std::shared_ptr<RecordBatch> part, int64_t bytes)>& push);

}  // namespace amp
