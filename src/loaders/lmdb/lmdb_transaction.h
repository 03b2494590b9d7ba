#pragma once

#include <memory>

#include "amp/transaction.h"
#include "loaders/lmdb/environment.h"
#include "loaders/lmdb/key_encoder.h"
#include "loaders/lmdb/value_format.h"

namespace amp::lmdb {

/// One write transaction of LMDB: description and rows, all or nothing. While it is open others
/// that want to write wait; readers do not.
class LmdbTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(const std::shared_ptr<Environment>& environment,
                                                    const LMDBConfig& config,
                                                    const WriteSpec& spec);

  Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) override;
  Status Commit(const Checkpoint& checkpoint) override;
  Status Rollback() override;

 private:
  LmdbTransaction(Txn txn, const WriteSpec& spec);
  Status Prepare(const LMDBConfig& config, MDB_dbi tables);
  Status Describe(const LMDBConfig& config, MDB_dbi tables);
  Status MakeEncoders();
  Result<std::string> LastKey() const;
  Status CheckNulls(const arrow::RecordBatch& batch) const;
  Status PutRows(const TextColumn& keys, size_t first, const EncodedRows& rows);
  Status PutRow(std::string_view key, std::string_view value, int64_t row);
  Status KeyExists(std::string_view key, int64_t row) const;

  Txn txn_;
  TableName table_;
  LoadMode mode_;
  std::vector<std::string> wanted_key_;
  MDB_dbi dbi_ = 0;
  TableFormat format_;
  std::shared_ptr<arrow::Schema> plain_;
  std::vector<int> places_;  ///< of the table's columns in the batches
  std::unique_ptr<KeyEncoder> keys_;
  std::unique_ptr<ValueWriter> values_;
  std::string last_key_;  ///< the largest in the table
  int64_t rows_ = 0;
};

}  // namespace amp::lmdb
