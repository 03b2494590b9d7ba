#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "amp/job.h"
#include "pipeline/bounded_queue.h"

namespace amp {

/// Reads units of a job one after another on a thread of its own, ahead of who writes them.
class UnitReader {
 public:
  struct Item {
    size_t unit = 0;
    std::shared_ptr<RecordBatch> batch;  ///< null: the unit ends
  };

  UnitReader(JobSource* source, std::vector<size_t> units, const PipelineOptions& options);
  ~UnitReader();
  UnitReader(const UnitReader&) = delete;
  UnitReader& operator=(const UnitReader&) = delete;

  /// Waits for the next item; false at the end. Errors of the source are marked as such.
  Result<bool> Next(Item* item) { return queue_.Pop(item); }

 private:
  Status ReadAll();
  /// False once nothing more is wanted.
  Result<bool> ReadUnit(size_t unit);

  JobSource* source_;
  std::vector<size_t> units_;
  PipelineOptions options_;
  BoundedQueue<Item> queue_;
  std::thread thread_;
};

}  // namespace amp
