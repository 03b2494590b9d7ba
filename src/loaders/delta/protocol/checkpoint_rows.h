#pragma once

#include <arrow/type_fwd.h>

#include <functional>
#include <memory>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "loaders/delta/protocol/actions.h"

/// Rows of checkpoints: one action each, in the column of its kind. Source: PROTOCOL.md,
/// "Checkpoint Schema".
namespace amp::delta {

/// The columns of checkpoints and sidecars that are of use here; others (`…_parsed`) are not read.
AMP_EXPORT const Strings& CheckpointColumns();

/// Calls `each` with the action of every row. Columns may lie in any order and be missing. Protocol
/// error for an action without what it must have.
AMP_EXPORT Status ForEachCheckpointAction(const arrow::RecordBatch& rows,
                                          const std::function<Status(Action)>& each);

/// What is written: classic checkpoints of the V1 spec.
AMP_EXPORT const std::shared_ptr<arrow::Schema>& CheckpointSchema();

/// Collects actions as rows of a checkpoint.
class AMP_EXPORT CheckpointRows {
 public:
  /// Without `stats` where the table wants no statistics as JSON.
  static Result<CheckpointRows> Make(bool with_stats);
  CheckpointRows(CheckpointRows&&) noexcept;
  CheckpointRows& operator=(CheckpointRows&&) noexcept;
  ~CheckpointRows();

  /// Adds, removes, txn, metaData, protocol and domainMetadata; others have no place in one.
  Status Append(const Action& action);
  int64_t rows() const { return rows_; }
  /// The rows since the last call.
  Result<std::shared_ptr<arrow::RecordBatch>> Finish();

 private:
  CheckpointRows() = default;

  std::vector<std::unique_ptr<arrow::ArrayBuilder>> columns_;
  bool with_stats_ = true;
  int64_t rows_ = 0;
};

}  // namespace amp::delta
