#include "loaders/delta/write_plan.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/stream_state.h"
#include "core/uuid.h"
#include "loaders/delta/free_folder.h"
#include "loaders/delta/protocol/partition_values.h"
#include "loaders/delta/protocol/schema_json.h"
#include "loaders/delta/protocol/table_features.h"
#include "loaders/delta/protocol/table_properties.h"

namespace amp::delta {
namespace {

std::shared_ptr<arrow::Schema> Without(const arrow::Schema& schema, const Strings& names) {
  arrow::FieldVector fields;
  for (const auto& field : schema.fields()) {
    if (std::find(names.begin(), names.end(), field->name()) == names.end()) {
      fields.push_back(field);
    }
  }
  return arrow::schema(std::move(fields));
}

// Readers look at the bounds of the columns that the table's properties name, and of no others.
Strings WithoutStatistics(const arrow::Schema& schema, const TableProperties& properties) {
  Strings none;
  const auto& wanted = properties.data_skipping_stats_columns;
  for (int i = 0; i < schema.num_fields(); ++i) {
    const std::string& name = schema.field(i)->name();
    const bool indexed = properties.data_skipping_num_indexed_cols < 0 ||
                         i < properties.data_skipping_num_indexed_cols;
    const bool named = std::any_of(wanted.begin(), wanted.end(), [&](const std::string& column) {
      return column == name || column.starts_with(name + ".");
    });
    if ((wanted.empty() ? !indexed : !named) && name != kBatchIdColumn) none.push_back(name);
  }
  return none;
}

// What the option says, else the table's property, whose names for codecs are Spark's.
std::string CompressionOf(const DeltaLakeStorageConfig& config, const TableProperties& properties) {
  if (!config.compression.empty()) return config.compression;
  if (properties.compression.empty()) return "snappy";
  if (properties.compression == "uncompressed") return "none";
  if (properties.compression == "lz4_raw") return "lz4";
  return properties.compression;
}

parquet_files::WriteOptions OptionsOf(const DeltaLakeStorageConfig& config,
                                      const arrow::Schema& files, const Metadata& metadata) {
  const TableProperties properties = PropertiesOf(metadata);
  parquet_files::WriteOptions options{.compression = CompressionOf(config, properties),
                                      .target_file_bytes = config.target_file_size.bytes,
                                      .row_group_rows = config.row_group_rows,
                                      .dictionary = config.dictionary,
                                      .no_dictionary = config.no_dictionary,
                                      .no_statistics = WithoutStatistics(files, properties)};
  for (const std::string& column : config.bloom_filters) {
    options.bloom_filters.push_back({.column = column});
  }
  return options;
}

Metadata NewMetadata(const DeltaLakeStorageConfig& config, std::string schema_json) {
  Metadata metadata{.id = NewUuid(),
                    .schema_string = std::move(schema_json),
                    .partition_columns = config.partition_by,
                    .created_time = UnixMillisNow()};
  if (!config.description.empty()) metadata.description = config.description;
  for (const auto& [name, value] : config.properties) metadata.configuration.emplace(name, value);
  return metadata;
}

Status PlanNewTable(const DeltaLakeStorageConfig& config, const arrow::Schema& schema,
                    WritePlan* plan) {
  ARROW_ASSIGN_OR_RAISE(plan->columns, PlanColumns(schema, TypeOptionsOf(config)));
  const arrow::Schema& written = *plan->columns.written;
  ARROW_RETURN_NOT_OK(CheckPartitionColumns(written, config.partition_by));
  ARROW_ASSIGN_OR_RAISE(std::string json, SchemaToJson(written));
  plan->new_table = NewMetadata(config, std::move(json));
  plan->new_protocol = ProtocolFor(written);
  plan->partition_columns = config.partition_by;
  // Properties may ask for more than this version writes.
  return CheckWritable(*plan->new_protocol, *plan->new_table);
}

bool LacksBatchIds(const arrow::Schema& table, const arrow::Schema& schema) {
  const std::string name(kBatchIdColumn);
  return table.GetFieldIndex(name) >= 0 && schema.GetFieldIndex(name) < 0;
}

// A column that a data file lacks is null there.
std::shared_ptr<arrow::Schema> WithoutStreamColumns(const arrow::Schema& table,
                                                    const arrow::Schema& schema) {
  Strings missing;
  for (const auto& field : table.fields()) {
    if (IsStreamColumn(field->name()) && schema.GetFieldIndex(field->name()) < 0) {
      missing.push_back(field->name());
    }
  }
  return Without(table, missing);
}

Status CheckPartitioning(const DeltaLakeStorageConfig& config, const Metadata& metadata,
                         const TableName& table) {
  if (config.partition_by.empty() || config.partition_by == metadata.partition_columns) {
    return Status::OK();
  }
  return MakeError({.kind = ErrorKind::kConfigInvalid, .side = ErrorSide::kTarget},
                   fmt::format("table '{}' is partitioned by ({}), not by ({}); leave "
                               "'partition_by' out, or choose another table",
                               table, fmt::join(metadata.partition_columns, ", "),
                               fmt::join(config.partition_by, ", ")));
}

}  // namespace

TypeOptions TypeOptionsOf(const DeltaLakeStorageConfig& config) {
  return {.on_time = static_cast<OnTime>(config.on_time),
          .on_wide_decimal = static_cast<OnWideDecimal>(config.on_wide_decimal),
          .on_lossy = static_cast<OnLossy>(config.on_lossy)};
}

bool IsPlanOf(const WritePlan& plan, const DeltaTable& table) {
  if (!table.exists()) return plan.new_table.has_value();
  return !plan.new_table && plan.table == table.snapshot().metadata();
}

Status CheckMayWrite(const DeltaTable& table) {
  const Snapshot& snapshot = table.snapshot();
  ARROW_RETURN_NOT_OK(CheckWritable(snapshot.protocol(), snapshot.metadata()));
  if (PropertiesOf(snapshot.metadata()).column_mapping_mode == "none") return Status::OK();
  return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                   fmt::format("table '{}' maps its columns to other names "
                               "(delta.columnMapping.mode), which this version does not write",
                               table.name()));
}

Status CheckMayRemove(const DeltaTable& table) {
  if (!PropertiesOf(table.snapshot().metadata()).append_only) return Status::OK();
  return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                   fmt::format("table '{}' may only be appended to (delta.appendOnly), so nothing "
                               "can be taken out of it; turn that property off, or choose "
                               "another table",
                               table.name()));
}

Result<WritePlan> PlanWrite(const DeltaTable& table, const DeltaLakeStorageConfig& config,
                            const arrow::Schema& schema) {
  WritePlan plan;
  if (table.exists()) {
    ARROW_RETURN_NOT_OK(CheckMayWrite(table));
    const Metadata& metadata = table.snapshot().metadata();
    ARROW_RETURN_NOT_OK(CheckPartitioning(config, metadata, table.name()));
    ARROW_ASSIGN_OR_RAISE(const auto columns, SchemaFromJson(metadata.schema_string));
    plan.beside_streams = LacksBatchIds(*columns, schema);
    const auto written = plan.beside_streams ? WithoutStreamColumns(*columns, schema) : columns;
    ARROW_ASSIGN_OR_RAISE(plan.columns, PlanColumnsFor(*written, schema, TypeOptionsOf(config)));
    plan.partition_columns = metadata.partition_columns;
    plan.table = metadata;
  } else {
    ARROW_RETURN_NOT_OK(CheckIsFree(table.shared_store().get(), table.name()));
    ARROW_RETURN_NOT_OK(PlanNewTable(config, schema, &plan));
  }
  const Metadata& metadata = plan.new_table ? *plan.new_table : table.snapshot().metadata();
  const TableProperties properties = PropertiesOf(metadata);
  plan.stats = {.first = properties.data_skipping_num_indexed_cols,
                .named = properties.data_skipping_stats_columns};
  const auto files = Without(*plan.columns.written, plan.partition_columns);
  ARROW_ASSIGN_OR_RAISE(plan.files,
                        parquet_files::FilePlan::Make(files, OptionsOf(config, *files, metadata)));
  return plan;
}

}  // namespace amp::delta
