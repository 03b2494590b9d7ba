#include "loaders/delta/undo_files.h"

#include <arrow/compute/api.h>
#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/log.h"
#include "core/stream_state.h"
#include "loaders/delta/data_writer.h"
#include "loaders/delta/file_reader.h"
#include "loaders/delta/protocol/table_properties.h"
#include "loaders/delta/write_plan.h"

namespace amp::delta {
namespace {

namespace compute = arrow::compute;

/// The files of the undone batches, and those in which rows of theirs may be among others.
struct Affected {
  std::vector<Add> whole;
  std::vector<Add> mixed;
};

// Files of other writers are read only where their statistics do not rule it out.
void Sort(const Add& add, const IdRange& ids, Affected* affected) {
  if (const auto batch = BatchOf(add); batch) {
    if (ids.contains(*batch)) affected->whole.push_back(add);
    return;
  }
  const bool below = HasNoBatch(add) || LargestId(add).value_or(ids.last) <= ids.after;
  if (!below) affected->mixed.push_back(add);
}

// Files of final batches are not kept in memory: an undo that reaches them reads the log.
Result<Affected> FindAffected(DeltaTable* table, const IdRange& ids) {
  Affected affected;
  const auto slot = static_cast<int32_t>(ids.last >> kSlotShift);
  if (ids.after >= table->forgotten_up_to(slot)) {
    for (const auto& [key, add] : table->snapshot().files()) Sort(add, ids, &affected);
    return affected;
  }
  const auto sort = [&](const Add& add) {
    Sort(add, ids, &affected);
    return Status::OK();
  };
  ARROW_RETURN_NOT_OK(table->ForEachFile(sort));
  return affected;
}

int64_t RowsOf(const Add& add) {
  const int64_t deleted = add.file.deletion_vector ? add.file.deletion_vector->cardinality : 0;
  return NumRecords(add.stats).value_or(deleted) - deleted;
}

/// Writes the rows of mixed files that stay into new ones.
class Rewriting {
 public:
  Rewriting(DeltaTable* table, const IdRange& ids, parquet_files::WorkerPool* pool)
      : table_(table), ids_(ids), pool_(pool), log_(table->shared_store(), "") {}

  Status Run(const std::vector<Add>& files, UndoPlan* plan) {
    ARROW_RETURN_NOT_OK(Prepare());
    for (const Add& file : files) ARROW_RETURN_NOT_OK(LookAt(file, plan));
    if (writer_ == nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(auto adds, writer_->Finish());
    for (Add& add : adds) {
      plan->written.push_back(add.file.path);
      add.data_change = true;
      plan->actions.emplace_back(std::move(add));
    }
    return Status::OK();
  }

 private:
  Status Prepare() {
    ARROW_ASSIGN_OR_RAISE(read_, PlanRead(table_->snapshot().metadata()));
    id_column_ = read_.columns->GetFieldIndex(std::string(kBatchIdColumn));
    return Status::OK();
  }

  /// The rows that stay, and how many go; reads the file's ids only where none of them goes.
  Status LookAt(const Add& file, UndoPlan* plan) {
    ARROW_ASSIGN_OR_RAISE(const int64_t going, CountGoing(file));
    if (going == 0) return Status::OK();
    ARROW_RETURN_NOT_OK(CheckMayRemove(*table_));
    Log().warn(
        "table '{}': another writer has put rows of batches that are undone among others, in {}; "
        "the file is written anew without them",
        table_->name(), file.file.path);
    ARROW_RETURN_NOT_OK(CopyStaying(file));
    plan->rows += going;
    plan->actions.emplace_back(RemoveOf(file, UnixMillisNow()));
    return Status::OK();
  }

  Result<int64_t> CountGoing(const Add& file) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, ReadDataFile(log_, file, read_));
    int64_t going = 0;
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      ARROW_RETURN_NOT_OK(rows->ReadNext(&batch));
      if (batch == nullptr) return going;
      ARROW_ASSIGN_OR_RAISE(const auto staying, Staying(*batch));
      going += batch->num_rows() - staying->true_count();
    }
  }

  Status CopyStaying(const Add& file) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, ReadDataFile(log_, file, read_));
    std::shared_ptr<arrow::RecordBatch> batch;
    while (true) {
      ARROW_RETURN_NOT_OK(rows->ReadNext(&batch));
      if (batch == nullptr) return Status::OK();
      ARROW_ASSIGN_OR_RAISE(const auto staying, Staying(*batch));
      ARROW_ASSIGN_OR_RAISE(const auto filtered, compute::Filter(batch, staying));
      ARROW_RETURN_NOT_OK(EnsureWriter());
      ARROW_RETURN_NOT_OK(writer_->Write(std::nullopt, *filtered.record_batch()));
    }
  }

  Status EnsureWriter() {
    if (writer_ != nullptr) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(WritePlan plan, PlanWrite(*table_, {}, *read_.columns));
    writer_ = std::make_unique<DataWriter>(std::make_shared<WritePlan>(std::move(plan)),
                                           table_->shared_store(), pool_);
    return Status::OK();
  }

  Result<std::shared_ptr<arrow::BooleanArray>> Staying(const arrow::RecordBatch& batch) const {
    const auto& ids = static_cast<const arrow::Int64Array&>(*batch.column(id_column_));
    arrow::BooleanBuilder staying;
    ARROW_RETURN_NOT_OK(staying.Reserve(ids.length()));
    for (int64_t row = 0; row < ids.length(); ++row) {
      staying.UnsafeAppend(ids.IsNull(row) || !ids_.contains(ids.Value(row)));
    }
    std::shared_ptr<arrow::BooleanArray> result;
    ARROW_RETURN_NOT_OK(staying.Finish(&result));
    return result;
  }

  DeltaTable* table_;
  const IdRange ids_;
  parquet_files::WorkerPool* pool_;
  const LogStore log_;
  ReadPlan read_;
  int id_column_ = -1;
  std::unique_ptr<DataWriter> writer_;
};

}  // namespace

Result<UndoPlan> PlanUndo(DeltaTable* table, const IdRange& ids, parquet_files::WorkerPool* pool) {
  ARROW_ASSIGN_OR_RAISE(const Affected affected, FindAffected(table, ids));
  if (!affected.whole.empty()) ARROW_RETURN_NOT_OK(CheckMayRemove(*table));
  UndoPlan plan;
  for (const Add& add : affected.whole) {
    plan.rows += RowsOf(add);
    plan.actions.emplace_back(RemoveOf(add, UnixMillisNow()));
  }
  if (!affected.mixed.empty()) {
    ARROW_RETURN_NOT_OK(Rewriting(table, ids, pool).Run(affected.mixed, &plan));
  }
  return plan;
}

}  // namespace amp::delta
