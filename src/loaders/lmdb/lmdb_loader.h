#pragma once

#include <memory>
#include <mutex>

#include "amp/loader.h"
#include "loaders/lmdb/environment.h"
#include "loaders/lmdb/lmdb_config.h"
#include "loaders/lmdb/table_format.h"

namespace amp {

/// LMDB: an embedded key-value store. Each table is a named database; a load is one transaction.
class LMDBLoader final : public DataLoader<LMDBLoader, LMDBConfig> {
 public:
  static constexpr LoaderTraits kTraits{
      .name = "lmdb",
      .summary = "LMDB, an embedded key-value store: a folder, no server",
      .url_path = "path",
      .modes = {kAppend, kOverwrite, kUpsert, kMerge},
      .requires_schema_match = true,
      .supports_transactions = true,
      .max_writers = 1,
      .stream_modes = {kAppend, kUpsert, kMerge}};
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

 private:
  struct OpenTable;
  /// The environment; null where it is not there yet and not to be made.
  Result<std::shared_ptr<lmdb::Environment>> Environment(bool create);
  Result<std::optional<OpenTable>> FindTable(const TableName& table);

  std::mutex mutex_;
  std::shared_ptr<lmdb::Environment> environment_;
};

}  // namespace amp
