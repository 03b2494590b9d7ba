#pragma once

#include <memory>

#include "amp/transaction.h"
#include "loaders/lmdb/environment.h"
#include "loaders/lmdb/key_encoder.h"
#include "loaders/lmdb/row_merge.h"
#include "loaders/lmdb/stream_writer.h"
#include "loaders/lmdb/value_format.h"

namespace amp::lmdb {

/// One write transaction of LMDB: description, rows, checkpoint, all or nothing. While it is open
/// others that want to write wait; readers do not.
class LmdbTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(const std::shared_ptr<Environment>& environment,
                                                    const LMDBConfig& config,
                                                    const WriteSpec& spec);

  Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) override;
  Result<UndoReport> UndoAfter(int64_t batch_id) override;
  Status Commit(const Checkpoint& checkpoint) override;
  Status Rollback() override;

 private:
  /// Handles, all got before the transaction begins: getting one may need a transaction.
  struct Databases {
    MDB_dbi tables = 0;
    MDB_dbi rows = 0;
    std::optional<StreamDatabases> streams;
  };
  static Result<Databases> FindDatabases(const std::shared_ptr<Environment>& environment,
                                         const WriteSpec& spec);

  LmdbTransaction(Txn txn, const Databases& databases, const WriteSpec& spec);
  Status Prepare(const LMDBConfig& config);
  Status Describe(const LMDBConfig& config);
  Status Clear();
  Status MakeEncoders();
  Result<std::string> LastKey() const;
  Result<KeyedRows> Shape(const arrow::RecordBatch& batch);
  Status CheckNulls(const arrow::RecordBatch& batch) const;
  Status PutRows(const TextColumn& keys, size_t first, const EncodedRows& rows);
  Status PutRow(std::string_view key, std::string_view value, int64_t row);
  Status LogPut(std::string_view key, std::string_view value,
                std::optional<std::string_view> before);
  Status LogRun(const TextColumn& keys);
  Status KeyExists(std::string_view key, int64_t row) const;
  bool numbered() const { return format_.key == KeySpec{}; }

  Txn txn_;
  Databases databases_;
  TableName table_;
  LoadMode mode_;
  std::vector<std::string> wanted_key_;
  TableFormat format_;
  std::shared_ptr<arrow::Schema> plain_;
  std::vector<int> places_;  ///< of the table's columns in the batches
  std::unique_ptr<KeyEncoder> keys_;
  std::unique_ptr<ValueWriter> values_;
  std::unique_ptr<RowMerge> merge_;       ///< where rows are merged
  std::unique_ptr<StreamWriter> stream_;  ///< null for loads
  std::optional<int64_t> batch_id_;       ///< of the rows being written, where they are a stream's
  std::string last_key_;                  ///< the largest in the table
  int64_t rows_ = 0;
};

}  // namespace amp::lmdb
