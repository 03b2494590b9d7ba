#include "core/batch_transaction.h"

#include <arrow/record_batch.h>

namespace amp {

BatchTransaction::BatchTransaction(Loader* loader, const WriteSpec& spec)
    : loader_(loader), table_(spec.table) {
  options_.mode = spec.mode;
  options_.key = spec.key;
}

Result<std::unique_ptr<Transaction>> BatchTransaction::Begin(Loader* loader,
                                                             const WriteSpec& spec) {
  ARROW_RETURN_NOT_OK(loader->CreateTableFromSchema(spec));
  if (spec.mode == LoadMode::kOverwrite) ARROW_RETURN_NOT_OK(loader->ClearTable(spec.table));
  return std::unique_ptr<Transaction>(new BatchTransaction(loader, spec));
}

Result<int64_t> BatchTransaction::Write(const BatchRecord& /*record*/, const RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const int64_t rows, loader_->LoadBatchImpl(batch, table_, options_));
  rows_ += rows;
  return rows;
}

Status BatchTransaction::Commit(const Checkpoint& /*checkpoint*/) {
  // Nothing stored and only errors is a failure; that some rows were skipped is said in the result.
  return rows_ == 0 ? options_.row_errors.Judge(0) : Status::OK();
}

}  // namespace amp
