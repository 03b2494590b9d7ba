#pragma once

#include <memory>
#include <vector>

#include "amp/transaction.h"
#include "loaders/delta/data_writer.h"
#include "loaders/delta/delta_config.h"
#include "loaders/delta/housekeeper.h"
#include "loaders/delta/table.h"

namespace amp::delta {

/// What a transaction needs of its loader.
struct WriteContext {
  std::shared_ptr<DeltaTable> table;
  std::shared_ptr<parquet_files::WorkerPool> pool;
  std::shared_ptr<Housekeeper> housekeeper;
  const DeltaLakeStorageConfig* config;  ///< outlives it
};

/// A load: data files, and one commit that adds them; an OVERWRITE removes the others in it.
class LoadTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(WriteContext context, const WriteSpec& spec);
  ~LoadTransaction() override;

  Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) override;
  Status Commit(const Checkpoint& checkpoint) override;
  Status Rollback() override;

 private:
  LoadTransaction(WriteContext context, const WriteSpec& spec)
      : context_(std::move(context)), spec_(spec) {}
  Status Prepare();
  Status CommitFiles(const std::vector<Add>& adds);
  Result<CommitDraft> Draft(const std::vector<Add>& adds) const;
  Status AddRemoves(const std::vector<Add>& adds, CommitDraft* draft) const;
  Status CheckOverwrite() const;
  /// After another writer was first, for which `why` stands: does what was planned still fit?
  Status PlanAgain(const Status& why);

  const WriteContext context_;
  const WriteSpec spec_;
  std::shared_ptr<const WritePlan> plan_;
  std::unique_ptr<DataWriter> writer_;
  bool ended_ = false;
};

}  // namespace amp::delta
