#pragma once

#include <memory>

#include "amp/loader.h"

namespace amp {

/// The transaction of a loader that gives only `LoadBatchImpl`: a table is created and cleared at
/// begin, each Write is one call of LoadBatchImpl, and nothing can be taken back.
class BatchTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(Loader* loader, const WriteSpec& spec);

  Result<int64_t> Write(const BatchRecord& record, const RecordBatch& batch) override;
  Status Commit(const Checkpoint& checkpoint) override;
  Status Rollback() override { return Status::OK(); }
  const RowErrors* row_errors() const override { return &options_.row_errors; }

 private:
  BatchTransaction(Loader* loader, const WriteSpec& spec);

  Loader* loader_;
  TableName table_;
  LoadOptions options_;
  int64_t rows_ = 0;
};

}  // namespace amp
