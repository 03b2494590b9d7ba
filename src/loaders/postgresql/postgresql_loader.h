#pragma once

#include <memory>

#include "amp/loader.h"
#include "loaders/postgresql/connection.h"
#include "loaders/postgresql/postgresql_config.h"
#include "loaders/postgresql/stream_table.h"

namespace amp {

/// PostgreSQL, over libpq and COPY BINARY. A load is one database transaction.
class PostgreSQLLoader final : public DataLoader<PostgreSQLLoader, PostgreSQLConfig> {
 public:
  static constexpr LoaderTraits kTraits{
      .name = "postgresql",
      .summary = "PostgreSQL tables, through COPY BINARY in one transaction",
      .aliases = {"postgres"},
      .url_path = "database",
      .modes = {kAppend, kOverwrite},
      .supports_transactions = true,
      .stream_modes = {kAppend}};
  using DataLoader::DataLoader;

 protected:
  Status ConnectImpl() override;
  Status DisconnectImpl() override;
  Result<std::unique_ptr<Transaction>> BeginTransactionImpl(const WriteSpec& spec) override;
  Result<StreamState> OpenStreamImpl(const StreamSpec& spec) override;
  Result<std::vector<StreamState>> ReadStreamsImpl(const TableName& table) override;
  Status ResetTableImpl(const TableName& table) override;
  Result<std::optional<TableInfo>> TableInfoImpl(const TableName& table) override;
  Result<std::shared_ptr<arrow::RecordBatchReader>> ReadTableImpl(
      const TableName& table, const ReadOptions& options) override;
  Result<TablePlan> PlanTableImpl(const WriteSpec& spec) override;
  Status CheckTableName(const TableName& table) const override;
  Metadata BatchMetadata(const RecordBatch& batch, double seconds) const override;
  Metadata TableMetadata(int64_t rows, int64_t batches, double seconds) const override;

 private:
  std::string Qualified(const TableName& table) const;
  Metadata Facts() const;
  // Leased connections hold it too, so that disconnecting waits for none.
  std::shared_ptr<postgresql::ConnectionPool> pool_;
  std::shared_ptr<postgresql::StreamTableCache> stream_tables_;
};

}  // namespace amp
