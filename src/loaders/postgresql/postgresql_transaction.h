#pragma once

#include <memory>

#include "amp/transaction.h"
#include "loaders/postgresql/connection.h"
#include "loaders/postgresql/row_copier.h"
#include "loaders/postgresql/state_tables.h"

namespace amp::postgresql {

/// A load: one database transaction in which the table is made or cleared, then filled through
/// COPY.
class PostgreSQLTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(ConnectionPool::Lease connection,
                                                    TablePlace place, const WriteSpec& spec);
  ~PostgreSQLTransaction() override;

  Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) override;
  Status Commit(const Checkpoint& checkpoint) override;
  Status Rollback() override;

 private:
  PostgreSQLTransaction(ConnectionPool::Lease connection, TablePlace place)
      : connection_(std::move(connection)), place_(std::move(place)) {}
  Status Prepare(const WriteSpec& spec);
  Result<std::vector<uint32_t>> EnsureTable(const arrow::Schema& plain);
  Status Clear();

  ConnectionPool::Lease connection_;
  TablePlace place_;
  std::optional<RowCopier> rows_;
  bool open_ = false;
};

}  // namespace amp::postgresql
