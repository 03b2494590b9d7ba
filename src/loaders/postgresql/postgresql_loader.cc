#include "loaders/postgresql/postgresql_loader.h"

#include "core/log.h"
#include "core/schema.h"
#include "loaders/postgresql/copy_reader.h"
#include "loaders/postgresql/key_index.h"
#include "loaders/postgresql/open_stream.h"
#include "loaders/postgresql/postgresql_transaction.h"
#include "loaders/postgresql/stream_transaction.h"
#include "loaders/postgresql/table.h"

namespace amp {

using postgresql::ConnectionPool;

Status PostgreSQLLoader::ConnectImpl() {
  ARROW_RETURN_NOT_OK(config().Validate());
  auto pool = std::make_shared<ConnectionPool>(config());
  ARROW_ASSIGN_OR_RAISE(const auto connection, pool->Take());
  if (!config().schema.empty()) {
    ARROW_ASSIGN_OR_RAISE(const auto rows,
                          connection->Query("SELECT FROM pg_namespace WHERE nspname = $1",
                                            "looking for the schema", {config().schema}));
    if (rows.size() == 0) {
      return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                       fmt::format("there is no schema '{}' in the database; make it with CREATE "
                                   "SCHEMA {}, or set another one",
                                   config().schema, postgresql::QuoteName(config().schema)));
    }
  }
  Log().info("connected to PostgreSQL {}", connection->server_version());
  pool_ = std::move(pool);
  stream_tables_ = std::make_shared<postgresql::StreamTableCache>();
  return Status::OK();
}

Status PostgreSQLLoader::DisconnectImpl() {
  pool_.reset();
  stream_tables_.reset();
  return Status::OK();
}

std::string PostgreSQLLoader::Qualified(const TableName& table) const {
  return postgresql::QualifiedName(config().schema, table);
}

Status PostgreSQLLoader::CheckTableName(const TableName& table) const {
  if (table.size() > postgresql::kMaxNameBytes) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("table '{}': the name has {} bytes; PostgreSQL allows {}", table,
                                 table.size(), postgresql::kMaxNameBytes));
  }
  if (table.find('\0') != std::string::npos) {
    return MakeError(ErrorKind::kConfigInvalid, "the table name has a 0x00 in it");
  }
  return Status::OK();
}

Result<std::unique_ptr<Transaction>> PostgreSQLLoader::BeginTransactionImpl(const WriteSpec& spec) {
  ARROW_RETURN_NOT_OK(postgresql::CheckKey(spec.mode, spec.key));
  ARROW_ASSIGN_OR_RAISE(auto connection, pool_->Take());
  if (spec.stream) {
    return postgresql::StreamTransaction::Begin(
        {std::move(connection), config().schema, stream_tables_, pool_}, spec);
  }
  ARROW_ASSIGN_OR_RAISE(auto place, FindPlace(*connection, config().schema, spec.table));
  return postgresql::PostgreSQLTransaction::Begin(std::move(connection), std::move(place),
                                                  config().create_key, spec);
}

Result<StreamState> PostgreSQLLoader::OpenStreamImpl(const StreamSpec& spec) {
  ARROW_RETURN_NOT_OK(postgresql::CheckKey(spec.mode, spec.key));
  ARROW_ASSIGN_OR_RAISE(const auto connection, pool_->Take());
  ARROW_ASSIGN_OR_RAISE(const auto place, FindPlace(*connection, config().schema, spec.table));
  return postgresql::OpenStream(*connection, place, spec, config().create_key,
                                stream_tables_.get());
}

Result<std::vector<StreamState>> PostgreSQLLoader::ReadStreamsImpl(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto connection, pool_->Take());
  ARROW_ASSIGN_OR_RAISE(const auto place, FindPlace(*connection, config().schema, table));
  return postgresql::ReadStreams(*connection, place);
}

Status PostgreSQLLoader::ResetTableImpl(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto connection, pool_->Take());
  ARROW_ASSIGN_OR_RAISE(const auto place, FindPlace(*connection, config().schema, table));
  stream_tables_->Drop(table);
  return postgresql::ResetTable(*connection, place);
}

Result<std::optional<TableInfo>> PostgreSQLLoader::TableInfoImpl(const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto connection, pool_->Take());
  const std::string qualified = Qualified(table);
  ARROW_ASSIGN_OR_RAISE(const auto columns, postgresql::DescribeTable(*connection, qualified));
  if (!columns) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(
      const auto rows,
      connection->Query(
          fmt::format("SELECT count(*), pg_total_relation_size(to_regclass($1::text)), "
                      "(SELECT nspname FROM pg_namespace n JOIN pg_class c ON "
                      "c.relnamespace = n.oid WHERE c.oid = to_regclass($1::text)) FROM {}",
                      qualified),
          "counting rows", {qualified}));
  TableInfo info{.table_name = table,
                 .row_count = rows.integer(0, 0),
                 .columns = {},
                 .size_bytes = rows.integer(0, 1),
                 .extra = {{"schema", rows.text(0, 2)}}};
  for (const auto& column : *columns) {
    info.columns.push_back({column.name, column.sql_type, !column.not_null});
  }
  return info;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> PostgreSQLLoader::ReadTableImpl(
    const TableName& table, const ReadOptions& options) {
  ARROW_ASSIGN_OR_RAISE(auto connection, pool_->Take());
  const std::string qualified = Qualified(table);
  ARROW_ASSIGN_OR_RAISE(const auto columns, postgresql::DescribeTable(*connection, qualified));
  if (!columns) {
    return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                     fmt::format("there is no table '{}'", table));
  }
  return postgresql::ReadByCopy(std::move(connection), qualified, *columns, options.limit);
}

Result<TablePlan> PostgreSQLLoader::PlanTableImpl(const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const auto connection, pool_->Take());
  ARROW_RETURN_NOT_OK(postgresql::CheckKey(spec.mode, spec.key));
  const std::string qualified = Qualified(spec.table);
  ARROW_ASSIGN_OR_RAISE(const auto plain, PlainSchema(*spec.schema));
  ARROW_ASSIGN_OR_RAISE(const auto columns, postgresql::DescribeTable(*connection, qualified));
  TablePlan plan{.exists = columns.has_value(), .columns = {}, .statements = {}};
  ARROW_ASSIGN_OR_RAISE(
      plan.columns,
      postgresql::PlanColumns(*plain, columns.value_or(std::vector<postgresql::TableColumn>())));
  if (columns) {
    ARROW_RETURN_NOT_OK(postgresql::MatchTable(*columns, *plain, spec.table));
  } else {
    ARROW_ASSIGN_OR_RAISE(std::string sql, postgresql::CreateTableSql(qualified, *plain));
    plan.statements.push_back(std::move(sql));
  }
  if (postgresql::IsKeyed(spec.mode)) {
    ARROW_ASSIGN_OR_RAISE(const bool indexed,
                          postgresql::HasKeyIndex(*connection, qualified, spec.key));
    if (!indexed) plan.statements.push_back(postgresql::KeyIndexSql(qualified, spec.key));
  }
  if (spec.mode == LoadMode::kOverwrite && columns) {
    plan.statements.push_back("DELETE FROM " + qualified);
  }
  return plan;
}

Metadata PostgreSQLLoader::Facts() const {
  return {{"loading_method", std::string("copy_binary")},
          {"connection_pool_size", int64_t{config().pool_size}}};
}

Metadata PostgreSQLLoader::BatchMetadata(const RecordBatch&, double) const { return Facts(); }
Metadata PostgreSQLLoader::TableMetadata(int64_t, int64_t, double) const { return Facts(); }

}  // namespace amp
