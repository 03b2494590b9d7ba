#include "loaders/lmdb/lmdb_loader.h"

#include "core/log.h"
#include "core/schema.h"
#include "core/stream_state.h"
#include "loaders/lmdb/key_encoder.h"
#include "loaders/lmdb/lmdb_transaction.h"
#include "loaders/lmdb/stream_open.h"
#include "loaders/lmdb/stream_store.h"
#include "loaders/lmdb/table_reader.h"
#include "loaders/lmdb/value_format.h"

namespace amp {

/// A table that is there, and a look at it.
struct LMDBLoader::OpenTable {
  lmdb::Txn txn;
  MDB_dbi dbi;
  lmdb::TableFormat format;
};

Status LMDBLoader::ConnectImpl() {
  ARROW_RETURN_NOT_OK(config().Validate());
  // A database that is not there yet is made by the first load, not by a look.
  ARROW_RETURN_NOT_OK(Environment(/*create=*/!config().create_db));
  Log().info("{}, in '{}'", mdb_version(nullptr, nullptr, nullptr), config().path);
  return Status::OK();
}

Status LMDBLoader::DisconnectImpl() {
  const std::lock_guard lock(mutex_);
  environment_.reset();
  return Status::OK();
}

Result<std::shared_ptr<lmdb::Environment>> LMDBLoader::Environment(bool create) {
  const std::lock_guard lock(mutex_);
  if (environment_ == nullptr && (create || lmdb::Environment::Exists(config().path))) {
    ARROW_ASSIGN_OR_RAISE(environment_, lmdb::Environment::Open(config()));
  }
  return environment_;
}

Status LMDBLoader::CheckTableName(const TableName& table) const {
  if (table.size() > lmdb::kMaxKeyBytes) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("table '{}…': the name has {} bytes; LMDB allows {}",
                                 table.substr(0, 40), table.size(), lmdb::kMaxKeyBytes));
  }
  if (table.find('\0') != std::string::npos) {
    return MakeError(ErrorKind::kConfigInvalid, "the table name has a 0x00 in it");
  }
  return Status::OK();
}

Result<std::unique_ptr<Transaction>> LMDBLoader::BeginTransactionImpl(const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const auto environment, Environment(/*create=*/true));
  return lmdb::LmdbTransaction::Begin(environment, config(), spec);
}

Result<StreamState> LMDBLoader::OpenStreamImpl(const StreamSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const auto environment, Environment(/*create=*/true));
  return lmdb::OpenStream(environment, config(), spec);
}

Result<std::vector<StreamState>> LMDBLoader::ReadStreamsImpl(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto environment, Environment(/*create=*/false));
  if (environment == nullptr) return std::vector<StreamState>();
  ARROW_ASSIGN_OR_RAISE(const auto databases,
                        lmdb::StreamDatabases::Find(environment.get(), /*create=*/false));
  if (!databases) return std::vector<StreamState>();
  ARROW_ASSIGN_OR_RAISE(const lmdb::Txn txn, lmdb::Txn::Begin(environment, /*read_only=*/true));
  return lmdb::ReadStates(lmdb::StreamStore(&txn, *databases, table));
}

Status LMDBLoader::ResetTableImpl(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto environment, Environment(/*create=*/false));
  return environment == nullptr ? Status::OK() : lmdb::ResetTable(environment, table);
}

Result<std::optional<LMDBLoader::OpenTable>> LMDBLoader::FindTable(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto environment, Environment(/*create=*/false));
  if (environment == nullptr) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const auto tables, environment->Find(lmdb::kTablesDatabase, false));
  ARROW_ASSIGN_OR_RAISE(const auto rows, environment->Find(table, false));
  if (!tables || !rows) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(lmdb::Txn txn, lmdb::Txn::Begin(environment, /*read_only=*/true));
  ARROW_ASSIGN_OR_RAISE(auto format, lmdb::ReadTableFormat(txn, *tables, table));
  if (!format) return std::nullopt;
  return OpenTable{std::move(txn), *rows, *std::move(format)};
}

Result<std::optional<TableInfo>> LMDBLoader::TableInfoImpl(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto found, FindTable(table));
  if (!found) return std::nullopt;
  MDB_stat stat{};
  const int code = mdb_stat(found->txn.get(), found->dbi, &stat);
  if (code != 0) return lmdb::LmdbError(code, "counting rows", config().path);
  const size_t pages = stat.ms_branch_pages + stat.ms_leaf_pages + stat.ms_overflow_pages;
  const auto formats = AmpEnumNames(found->format.value_format);
  TableInfo info{
      .table_name = table,
      .row_count = static_cast<int64_t>(stat.ms_entries),
      .columns = {},
      .size_bytes = static_cast<int64_t>(pages * stat.ms_psize),
      .extra = {
          {"key_columns", found->format.key.columns},
          {"key_pattern", found->format.key.pattern},
          {"value_format", std::string(formats[static_cast<size_t>(found->format.value_format)])}}};
  for (const auto& field : found->format.schema->fields()) {
    info.columns.push_back({field->name(), field->type()->ToString(), field->nullable()});
  }
  return info;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> LMDBLoader::ReadTableImpl(
    const TableName& table, const ReadOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto found, FindTable(table));
  if (!found) {
    return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                     fmt::format("there is no table '{}' in '{}'", table, config().path));
  }
  return lmdb::ReadRows(std::move(found->txn), found->dbi, found->format, options.limit);
}

Result<TablePlan> LMDBLoader::PlanTableImpl(const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const auto plain, PlainSchema(*spec.schema));
  ARROW_ASSIGN_OR_RAISE(const auto found, FindTable(spec.table));
  const auto known = found ? std::optional(found->format) : std::nullopt;
  ARROW_ASSIGN_OR_RAISE(const lmdb::TableFormat format, lmdb::ChooseFormat({.table = spec.table,
                                                                            .schema = plain,
                                                                            .config = config(),
                                                                            .key = spec.key,
                                                                            .mode = spec.mode},
                                                                           known));
  // Made to hear what they refuse.
  ARROW_RETURN_NOT_OK(lmdb::MakeKeys(format, spec.table, /*next=*/0));
  ARROW_RETURN_NOT_OK(lmdb::MakeValueWriter(format.value_format, *format.schema));
  const std::string_view form =
      AmpEnumNames(format.value_format)[static_cast<size_t>(format.value_format)];
  TablePlan plan{.exists = found.has_value(), .columns = {}, .statements = {}};
  for (const auto& field : plain->fields()) {
    const bool in_key = std::find(format.key.columns.begin(), format.key.columns.end(),
                                  field->name()) != format.key.columns.end();
    plan.columns.push_back({.name = field->name(),
                            .source_type = field->type()->ToString(),
                            .target_type = std::string(form),
                            .note = in_key ? "in the key" : ""});
  }
  return plan;
}

}  // namespace amp
