#include "loaders/delta/maintain.h"

#include <fmt/format.h>

#include "core/stream_state.h"
#include "loaders/delta/housekeeper.h"
#include "loaders/delta/protocol/schema_json.h"
#include "loaders/delta/protocol/table_features.h"
#include "loaders/delta/protocol/table_properties.h"
#include "loaders/delta/vacuum.h"

namespace amp::delta {
namespace {

// Files of a writer that is at work are younger.
constexpr int64_t kLeastRetentionMs = 3'600'000;

/// The table as it is when its maintenance begins.
struct Subject {
  TableName name;
  std::shared_ptr<storage::ObjectStore> store;
  int64_t version = 0;
  Metadata metadata;
  TableProperties properties;
  std::map<std::string, StoredStream> streams;
};

Result<Subject> Look(DeltaTable* table) {
  const std::lock_guard lock(table->mutex());
  ARROW_RETURN_NOT_OK(table->Refresh());
  if (!table->exists()) {
    return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                     fmt::format("there is no Delta table in {}", table->store().Describe()));
  }
  const Snapshot& snapshot = table->snapshot();
  // With the feature vacuumProtocolCheck this is a must; without it, it does no harm.
  ARROW_RETURN_NOT_OK(CheckWritable(snapshot.protocol(), snapshot.metadata()));
  return Subject{.name = table->name(),
                 .store = table->shared_store(),
                 .version = snapshot.version(),
                 .metadata = snapshot.metadata(),
                 .properties = PropertiesOf(snapshot.metadata()),
                 .streams = table->streams()};
}

std::string Hours(int64_t ms) {
  return fmt::format("{:.4g} h", static_cast<double>(ms) / 3'600'000);
}

Result<int64_t> RetentionMs(const Subject& table, const MaintainOptions& options) {
  const int64_t least = std::max(table.properties.deleted_file_retention_ms, kLeastRetentionMs);
  const int64_t wanted = options.retention ? options.retention->count() : least;
  if (wanted >= least || options.force || options.dry_run) return wanted;
  return MakeError(
      {.kind = ErrorKind::kConfigInvalid, .side = ErrorSide::kTarget},
      fmt::format("table '{}': a retention of {} is shorter than the table's {} "
                  "(delta.deletedFileRetentionDuration), so files could go that readers of older "
                  "versions want, or that a writer has not committed yet. Where nobody else is at "
                  "work, --force deletes them all the same",
                  table.name, Hours(wanted), Hours(least)));
}

Result<Strings> PartitionNames(const Metadata& metadata) {
  Strings names = metadata.partition_columns;
  ARROW_ASSIGN_OR_RAISE(const auto columns, SchemaFromJson(metadata.schema_string));
  for (const std::string& column : metadata.partition_columns) {
    const auto field = columns->GetFieldByName(column);
    if (field != nullptr) names.push_back(PhysicalName(*field, metadata));
  }
  return names;
}

Status Vacuum(const Subject& table, int64_t retention_ms, MaintainResult* result) {
  LogReader reader{LogStore(table.store, "")};
  VacuumScope scope{.partition_columns = {},
                    .retention_ms = retention_ms,
                    .log_retention_ms = table.properties.deleted_file_retention_ms,
                    .now_ms = UnixMillisNow()};
  ARROW_ASSIGN_OR_RAISE(scope.partition_columns, PartitionNames(table.metadata));
  ARROW_ASSIGN_OR_RAISE(const auto unneeded, FindUnneeded(&reader, scope));
  for (const storage::ObjectInfo& object : unneeded) {
    result->files.push_back(object.path);
    result->bytes_deleted += object.size;
  }
  return result->dry_run ? Status::OK() : table.store->Delete(result->files);
}

Status CleanStreams(const Subject& table) {
  const StreamFiles files(table.store.get());
  for (const auto& [name, stream] : table.streams) ARROW_RETURN_NOT_OK(files.CleanUp(stream));
  return Status::OK();
}

}  // namespace

Result<MaintainResult> MaintainTable(DeltaTable* table, const MaintainOptions& options) {
  ARROW_ASSIGN_OR_RAISE(const Subject subject, Look(table));
  ARROW_ASSIGN_OR_RAISE(const int64_t retention_ms, RetentionMs(subject, options));
  MaintainResult result{.table_name = subject.name, .dry_run = options.dry_run};
  const LogReader reader{LogStore(subject.store, "")};
  LogUpkeep log;
  if (!options.dry_run) {
    ARROW_ASSIGN_OR_RAISE(log, KeepUpLog(reader, subject.version, subject.properties));
    ARROW_RETURN_NOT_OK(CleanStreams(subject));
  }
  ARROW_RETURN_NOT_OK(Vacuum(subject, retention_ms, &result));
  result.extra.Set("version", subject.version);
  result.extra.Set("checkpoint_version", subject.version);
  result.extra.Set("checkpoint_written", log.checkpoint_written);
  result.extra.Set("log_files_deleted", log.files_deleted);
  result.extra.Set("retention_hours", static_cast<double>(retention_ms) / 3'600'000);
  return result;
}

}  // namespace amp::delta
