#pragma once

#include <memory>

#include "amp/transaction.h"
#include "loaders/postgresql/connection.h"
#include "loaders/postgresql/table_rows.h"

namespace amp::postgresql {

/// A load: one database transaction in which the table is made or cleared, then filled through
/// COPY.
class PostgreSQLTransaction final : public Transaction {
 public:
  static Result<std::unique_ptr<Transaction>> Begin(ConnectionPool::Lease connection,
                                                    TablePlace place, bool create_key,
                                                    const WriteSpec& spec);
  ~PostgreSQLTransaction() override;

  Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) override;
  Status Commit(const Checkpoint& checkpoint) override;
  Status Rollback() override;

 private:
  PostgreSQLTransaction(ConnectionPool::Lease connection, TablePlace place, bool create_key)
      : connection_(std::move(connection)), place_(std::move(place)), create_key_(create_key) {}
  Status Prepare(const WriteSpec& spec);
  Result<std::vector<TableColumn>> EnsureTable(const arrow::Schema& schema);
  Status EnsureKey(const std::vector<std::string>& key);
  Status Clear();

  ConnectionPool::Lease connection_;
  TablePlace place_;
  bool create_key_;
  std::optional<TableRows> rows_;
  bool open_ = false;
};

}  // namespace amp::postgresql
