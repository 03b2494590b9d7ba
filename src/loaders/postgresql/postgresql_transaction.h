#pragma once

#include <memory>

#include "amp/transaction.h"
#include "loaders/postgresql/connection.h"
#include "loaders/postgresql/copy_encoder.h"

namespace amp::postgresql {

/// One database transaction: the table is made or cleared, then rows go in through one COPY.
class PostgreSQLTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(ConnectionPool::Lease connection,
                                                    std::string qualified, const WriteSpec& spec);
  ~PostgreSQLTransaction() override;

  Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) override;
  Status Commit(const Checkpoint& checkpoint) override;
  Status Rollback() override;

 private:
  PostgreSQLTransaction(ConnectionPool::Lease connection, std::string qualified, TableName table,
                        std::shared_ptr<arrow::Schema> plain);
  Status Prepare(LoadMode mode);
  Result<std::vector<uint32_t>> EnsureTable();
  Status StartCopy();
  Status EndCopy();

  ConnectionPool::Lease connection_;
  std::string qualified_;
  TableName table_;
  std::shared_ptr<arrow::Schema> plain_;
  std::optional<RowEncoder> encoder_;
  int64_t rows_ = 0;
  bool copying_ = false;
  bool open_ = false;
};

}  // namespace amp::postgresql
