#include "loaders/delta/delta_loader.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include "core/log.h"
#include "core/stream_state.h"
#include "loaders/delta/load_transaction.h"
#include "loaders/delta/maintain.h"
#include "loaders/delta/plan_text.h"
#include "loaders/delta/stream_open.h"
#include "loaders/delta/stream_transaction.h"
#include "loaders/delta/table_facts.h"
#include "loaders/delta/table_reader.h"
#include "storage/open_store.h"

namespace amp {
namespace {

// Of a file's name on all usual systems.
constexpr size_t kMaxNameBytes = 255;

Result<std::shared_ptr<storage::ObjectStore>> OpenTableStore(const DeltaLakeStorageConfig& config,
                                                             const TableName& table) {
  storage::StoreConfig store;
  ARROW_ASSIGN_OR_RAISE(store.s3, storage::ParseS3Options(config.storage_options));
  return storage::OpenStore(fmt::format("{}/{}", config.path, table), store);
}

}  // namespace

Status DeltaLakeLoader::ConnectImpl() {
  // Looks whether the place can be reached, whatever tables there are.
  ARROW_ASSIGN_OR_RAISE(const auto store, OpenTableStore(config(), "_amp_connect"));
  ARROW_RETURN_NOT_OK(store->List("", {}).status());
  const std::lock_guard lock(mutex_);
  pool_ = std::make_shared<parquet_files::WorkerPool>();
  housekeeper_ = std::make_shared<delta::Housekeeper>();
  Log().info("Delta Lake tables in '{}'", config().path);
  return Status::OK();
}

Status DeltaLakeLoader::DisconnectImpl() {
  const std::lock_guard lock(mutex_);
  tables_.clear();
  pool_.reset();
  housekeeper_.reset();
  return Status::OK();
}

Status DeltaLakeLoader::CheckTableName(const TableName& table) const {
  if (table.size() > kMaxNameBytes) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("table '{}…': the name has {} bytes; a folder's may have {}",
                                 table.substr(0, 40), table.size(), kMaxNameBytes));
  }
  if (table.find('/') != std::string::npos || table.find('\0') != std::string::npos ||
      table == "." || table == "..") {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("table '{}': the name becomes a folder's, so it may not be '.' or "
                                 "'..' and have no '/' or 0x00 in it",
                                 table));
  }
  return Status::OK();
}

Result<std::shared_ptr<delta::DeltaTable>> DeltaLakeLoader::Table(const TableName& table) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<delta::DeltaTable>& known = tables_[table];
  if (known == nullptr) {
    ARROW_ASSIGN_OR_RAISE(auto store, OpenTableStore(config(), table));
    known = std::make_shared<delta::DeltaTable>(std::move(store), table, config().commit_tries);
  }
  return known;
}

Result<delta::WriteContext> DeltaLakeLoader::Context(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(auto known, Table(table));
  const std::lock_guard lock(mutex_);
  return delta::WriteContext{
      .table = std::move(known), .pool = pool_, .housekeeper = housekeeper_, .config = &config()};
}

Result<std::unique_ptr<Transaction>> DeltaLakeLoader::BeginTransactionImpl(const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(auto context, Context(spec.table));
  if (spec.stream) return delta::StreamTransaction::Begin(std::move(context), spec);
  return delta::LoadTransaction::Begin(std::move(context), spec);
}

Result<StreamState> DeltaLakeLoader::OpenStreamImpl(const StreamSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const auto context, Context(spec.table));
  return delta::OpenStream(context, spec);
}

Result<std::vector<StreamState>> DeltaLakeLoader::ReadStreamsImpl(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto known, Table(table));
  return delta::ReadStreams(known.get());
}

Status DeltaLakeLoader::ResetTableImpl(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto known, Table(table));
  return delta::ResetTable(known.get());
}

Result<std::optional<TableInfo>> DeltaLakeLoader::TableInfoImpl(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto known, Table(table));
  return delta::ReadTableFacts(known.get());
}

Result<std::shared_ptr<arrow::RecordBatchReader>> DeltaLakeLoader::ReadTableImpl(
    const TableName& table, const ReadOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto store, OpenTableStore(config(), table));
  return delta::ReadRows(delta::LogReader(delta::LogStore(std::move(store), "")), options);
}

Result<TablePlan> DeltaLakeLoader::PlanTableImpl(const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const auto known, Table(spec.table));
  const std::lock_guard lock(known->mutex());
  ARROW_RETURN_NOT_OK(known->Refresh());
  ARROW_ASSIGN_OR_RAISE(const delta::WritePlan write,
                        delta::PlanWrite(*known, config(), *spec.schema));
  TablePlan plan{.exists = known->exists(), .columns = {}, .statements = {}};
  for (const delta::ColumnType& column : write.columns.columns) {
    plan.columns.push_back({column.name, column.source_type, column.delta_type, column.note});
  }
  if (write.new_table) {
    plan.statements = delta::NewTableTexts(*write.new_protocol, *write.new_table);
  }
  if (plan.exists && spec.mode == LoadMode::kOverwrite)
    plan.statements.emplace_back("remove all files");
  return plan;
}

Result<MaintainResult> DeltaLakeLoader::MaintainTableImpl(const TableName& table,
                                                          const MaintainOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const auto known, Table(table));
  return delta::MaintainTable(known.get(), options);
}

Metadata DeltaLakeLoader::TableMetadata(int64_t /*rows*/, int64_t /*batches*/,
                                        double /*seconds*/) const {
  if (config().compression.empty()) return {};
  return {{"compression", config().compression}};
}

}  // namespace amp
