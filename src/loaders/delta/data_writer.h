#pragma once

#include <arrow/type_fwd.h>

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "loaders/delta/protocol/actions.h"
#include "loaders/delta/write_plan.h"
#include "loaders/parquet/data_file_set.h"

namespace amp::delta {

/// The data files of one transaction: of each batch of a stream, and of each partition, files of
/// their own. They become part of the table by the commit that adds them.
class DataWriter {
 public:
  /// `pool` outlives it.
  DataWriter(std::shared_ptr<const WritePlan> plan, std::shared_ptr<storage::ObjectStore> store,
             parquet_files::WorkerPool* pool);

  /// `batch_id` is for rows of a stream.
  Status Write(std::optional<int64_t> batch_id, const arrow::RecordBatch& batch);
  /// Rows of batches above this one that were written so far are no part of the table; how many
  /// they are.
  int64_t DropAfter(int64_t batch_id);
  /// Files that are whole and durable.
  Result<std::vector<Add>> Finish();
  Status Abort();

  int64_t rows() const { return rows_; }

 private:
  struct Group {
    std::optional<int64_t> batch_id;
    NullableMap partition;
    std::string folder;  ///< "" or "day=1/"
    int64_t rows = 0;
    bool dropped = false;
  };

  Status EndBatch();
  Status AddPiece(std::optional<int64_t> batch_id, NullableMap partition,
                  const std::shared_ptr<arrow::RecordBatch>& rows);
  Add AddOf(const parquet_files::DataFile& file, const Group& group) const;
  Status MakeDurable(const std::vector<parquet_files::DataFile>& files);

  const std::shared_ptr<const WritePlan> plan_;
  const std::shared_ptr<storage::ObjectStore> store_;
  parquet_files::DataFileSet files_;
  std::map<std::string, Group> groups_;
  std::optional<int64_t> open_batch_;
  int64_t rows_ = 0;
};

}  // namespace amp::delta
