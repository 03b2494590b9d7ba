#include "amp/loader.h"

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "core/batch_transaction.h"
#include "core/log.h"
#include "core/metadata_json.h"
#include "core/stream_state.h"

namespace amp {
namespace {

Status NotGiven(std::string_view loader, std::string_view what) {
  return MakeError(ErrorKind::kUnsupported, fmt::format("loader '{}' cannot {}", loader, what));
}

std::string ModeNames(const ModeSet& modes) {
  std::vector<std::string_view> names;
  for (LoadMode mode :
       {LoadMode::kAppend, LoadMode::kOverwrite, LoadMode::kUpsert, LoadMode::kMerge}) {
    if (modes.contains(mode)) names.push_back(ToString(mode));
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

Status CheckColumnNames(const arrow::Schema& schema) {
  std::vector<std::string> names = schema.field_names();
  std::sort(names.begin(), names.end());
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice != names.end()) {
    return MakeError(
        ErrorKind::kSchemaMismatch,
        fmt::format("column '{}' is there twice; give each column its own name", *twice));
  }
  return Status::OK();
}

}  // namespace

std::string TableInfo::ToJson() const {
  nlohmann::ordered_json json;
  json["table_name"] = table_name;
  json["exists"] = true;
  json["row_count"] = row_count;
  json["columns"] = nlohmann::ordered_json::array();
  for (const ColumnInfo& column : columns) {
    json["columns"].push_back(
        {{"name", column.name}, {"type", column.type}, {"nullable", column.nullable}});
  }
  json["size_bytes"] = size_bytes;
  json["streams"] = nlohmann::ordered_json::object();
  for (const StreamState& stream : streams) json["streams"][stream.name] = StreamJson(stream);
  AddMetadata(extra, &json);
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

std::string MaintainResult::ToJson() const {
  nlohmann::ordered_json json;
  json["table_name"] = table_name;
  json["dry_run"] = dry_run;
  json["files_deleted"] = files.size();
  json["bytes_deleted"] = bytes_deleted;
  AddMetadata(extra, &json);
  json["files"] = files;
  return json.dump(-1, ' ', false, nlohmann::ordered_json::error_handler_t::replace);
}

Loader::~Loader() = default;

Session::~Session() {
  if (loader_ == nullptr) return;
  const Status status = loader_->Disconnect();
  if (!status.ok()) Log().warn("disconnecting: {}", status.message());
}

Status Loader::Connect() {
  std::lock_guard lock(connect_mutex_);
  if (connected_) return Status::OK();
  ARROW_RETURN_NOT_OK(WithSide(ConnectImpl(), ErrorSide::kTarget));
  connected_ = true;
  return Status::OK();
}

Status Loader::Disconnect() {
  std::lock_guard lock(connect_mutex_);
  if (!connected_) return Status::OK();
  connected_ = false;
  return WithSide(DisconnectImpl(), ErrorSide::kTarget);
}

Result<Session> Loader::Open() {
  ARROW_RETURN_NOT_OK(Connect());
  return Session(this);
}

Result<std::unique_ptr<Transaction>> Loader::BeginTransaction(const WriteSpec& spec) {
  ARROW_RETURN_NOT_OK(CheckReady(spec.table));
  ARROW_RETURN_NOT_OK(CheckSpec(spec));
  return BeginTransactionImpl(spec);
}

Result<StreamState> Loader::OpenStream(const StreamSpec& spec) {
  ARROW_RETURN_NOT_OK(CheckReady(spec.table));
  ARROW_RETURN_NOT_OK(CheckStreamSpec(spec));
  return OpenStreamImpl(spec);
}

Result<std::vector<StreamState>> Loader::ReadStreams(const TableName& table) {
  ARROW_RETURN_NOT_OK(CheckReady(table));
  if (traits().stream_modes.empty()) return std::vector<StreamState>();
  return ReadStreamsImpl(table);
}

Status Loader::ResetTable(const TableName& table) {
  ARROW_RETURN_NOT_OK(CheckReady(table));
  return ResetTableImpl(table);
}

Result<std::optional<TableInfo>> Loader::GetTableInfo(const TableName& table) {
  ARROW_RETURN_NOT_OK(CheckReady(table));
  ARROW_ASSIGN_OR_RAISE(auto info, TableInfoImpl(table));
  if (!info) return info;
  ARROW_ASSIGN_OR_RAISE(info->streams, ReadStreams(table));
  return info;
}

Result<std::shared_ptr<arrow::RecordBatchReader>> Loader::ReadTable(const TableName& table,
                                                                    const ReadOptions& options) {
  ARROW_RETURN_NOT_OK(CheckReady(table));
  ARROW_RETURN_NOT_OK(CheckReadOptions(options));
  return ReadTableImpl(table, options);
}

Result<MaintainResult> Loader::MaintainTable(const TableName& table,
                                             const MaintainOptions& options) {
  ARROW_RETURN_NOT_OK(CheckReady(table));
  return MaintainTableImpl(table, options);
}

Status Loader::CheckReadOptions(const ReadOptions& options) const {
  if (!options.version && !options.timestamp_ms) return Status::OK();
  if (!traits().versions) return NotGiven(traits().name, "read old versions of a table");
  if (options.version && options.timestamp_ms) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "a version and a timestamp are given; one of them says what to read");
  }
  if (options.version.value_or(0) < 0) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("version {}: versions are counted from 0", *options.version));
  }
  return Status::OK();
}

Result<TablePlan> Loader::PlanTable(const WriteSpec& spec) {
  ARROW_RETURN_NOT_OK(CheckReady(spec.table));
  ARROW_RETURN_NOT_OK(CheckSpec(spec));
  if (spec.mode == LoadMode::kOverwrite) {
    ARROW_ASSIGN_OR_RAISE(const auto streams, ReadStreams(spec.table));
    if (!streams.empty()) return HasStreams(spec.table);
  }
  return PlanTableImpl(spec);
}

Status Loader::CheckReady(const TableName& table) const {
  if (!connected_) {
    return MakeError(
        ErrorKind::kConfigInvalid,
        fmt::format("loader '{}' is not connected; call Connect() first", traits().name));
  }
  if (table.empty()) return MakeError(ErrorKind::kConfigInvalid, "the table name is empty");
  if (table.starts_with("_amp_")) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("table '{}': names that start with _amp_ are Ampload's own; "
                                 "choose another",
                                 table));
  }
  return CheckTableName(table);
}

Status Loader::CheckSpec(const WriteSpec& spec) const {
  if (!traits().modes.contains(spec.mode)) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("loader '{}' has no mode '{}'; it has: {}", traits().name,
                                 ToString(spec.mode), ModeNames(traits().modes)));
  }
  if (spec.schema == nullptr || spec.schema->num_fields() == 0) {
    return MakeError(ErrorKind::kSchemaMismatch,
                     fmt::format("table '{}': the data has no columns", spec.table));
  }
  for (const std::string& key : spec.key) {
    if (spec.schema->GetFieldIndex(key) < 0) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("key column '{}' is not in the data; its columns are: {}", key,
                                   fmt::join(spec.schema->field_names(), ", ")));
    }
  }
  return CheckColumnNames(*spec.schema);
}

Status Loader::CheckStreamSpec(const StreamSpec& spec) const {
  if (traits().stream_modes.empty()) {
    return MakeError(ErrorKind::kUnsupported,
                     fmt::format("loader '{}' takes no streams", traits().name));
  }
  if (!traits().stream_modes.contains(spec.mode)) {
    return MakeError(
        ErrorKind::kUnsupported,
        fmt::format("loader '{}' cannot undo batches in mode '{}', so it takes no streams in it; "
                    "it takes them in: {}",
                    traits().name, ToString(spec.mode), ModeNames(traits().stream_modes)));
  }
  if (spec.name.empty()) return MakeError(ErrorKind::kConfigInvalid, "the stream has no name");
  return CheckSpec(
      {.table = spec.table, .schema = spec.schema, .mode = spec.mode, .key = spec.key});
}

Result<std::unique_ptr<Transaction>> Loader::BeginTransactionImpl(const WriteSpec& spec) {
  return BatchTransaction::Begin(this, spec);
}

Result<int64_t> Loader::LoadBatchImpl(const RecordBatch&, const TableName&, LoadOptions&) {
  return MakeError(ErrorKind::kInternal,
                   fmt::format("loader '{}' gives neither BeginTransactionImpl nor LoadBatchImpl",
                               traits().name));
}

Status Loader::CreateTableFromSchema(const WriteSpec&) { return Status::OK(); }

Status Loader::ClearTable(const TableName&) { return NotGiven(traits().name, "clear a table"); }

Result<StreamState> Loader::OpenStreamImpl(const StreamSpec&) {
  return NotGiven(traits().name, "open streams");
}

Result<std::vector<StreamState>> Loader::ReadStreamsImpl(const TableName&) {
  return NotGiven(traits().name, "tell about streams");
}

Status Loader::ResetTableImpl(const TableName&) { return NotGiven(traits().name, "reset a table"); }

Result<std::optional<TableInfo>> Loader::TableInfoImpl(const TableName&) {
  return NotGiven(traits().name, "tell about tables");
}

Result<std::shared_ptr<arrow::RecordBatchReader>> Loader::ReadTableImpl(const TableName&,
                                                                        const ReadOptions&) {
  return NotGiven(traits().name, "read tables back");
}

Result<TablePlan> Loader::PlanTableImpl(const WriteSpec&) {
  return NotGiven(traits().name, "say beforehand what a load would do");
}

Result<MaintainResult> Loader::MaintainTableImpl(const TableName&, const MaintainOptions&) {
  return NotGiven(traits().name, "maintain tables: there is nothing that needs it");
}

Status Loader::CheckTableName(const TableName&) const { return Status::OK(); }

Metadata Loader::BatchMetadata(const RecordBatch&, double) const { return {}; }

Metadata Loader::TableMetadata(int64_t, int64_t, double) const { return {}; }

}  // namespace amp
