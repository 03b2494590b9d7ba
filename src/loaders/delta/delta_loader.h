#pragma once

#include <map>
#include <memory>
#include <mutex>

#include "amp/loader.h"
#include "loaders/delta/delta_config.h"

namespace amp {

namespace delta {
class DeltaTable;
class Housekeeper;
struct WriteContext;
}  // namespace delta
namespace parquet_files {
class WorkerPool;
}

/// Delta Lake tables in folders and buckets, without any server: data files are written beside the
/// log, and a commit is one object that is put where none is.
class DeltaLakeLoader final : public DataLoader<DeltaLakeLoader, DeltaLakeStorageConfig> {
 public:
  static constexpr LoaderTraits kTraits{.name = "delta",
                                        .summary = "Delta Lake tables, in a folder or an S3 bucket",
                                        .aliases = {"deltalake"},
                                        .modes = {kAppend, kOverwrite},
                                        .supports_transactions = true,
                                        .versions = true,
                                        .stream_modes = {kAppend},
                                        .commit_interval = std::chrono::milliseconds(5'000)};
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
  Result<MaintainResult> MaintainTableImpl(const TableName& table,
                                           const MaintainOptions& options) override;
  Status CheckTableName(const TableName& table) const override;
  Metadata TableMetadata(int64_t rows, int64_t batches, double seconds) const override;

 private:
  Result<std::shared_ptr<delta::DeltaTable>> Table(const TableName& table);
  Result<delta::WriteContext> Context(const TableName& table);

  std::mutex mutex_;
  std::map<TableName, std::shared_ptr<delta::DeltaTable>> tables_;
  // Transactions hold it too, so that disconnecting waits for none.
  std::shared_ptr<parquet_files::WorkerPool> pool_;
  std::shared_ptr<delta::Housekeeper> housekeeper_;
};

}  // namespace amp
