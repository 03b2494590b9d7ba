#include "loaders/delta/table_facts.h"

#include <arrow/type.h>

#include "loaders/delta/file_reader.h"
#include "loaders/delta/protocol/schema_json.h"

namespace amp::delta {
namespace {

using ExtraFacts = amp::Metadata;

/// What the newest version says of itself.
struct Version {
  int64_t version = 0;
  Protocol protocol;
  Metadata metadata;
  FileTotals totals;
};

Result<std::optional<Version>> NewestVersion(DeltaTable* table) {
  const std::lock_guard lock(table->mutex());
  ARROW_RETURN_NOT_OK(table->Refresh());
  if (!table->exists()) return std::nullopt;
  const Snapshot& snapshot = table->snapshot();
  return Version{.version = snapshot.version(),
                 .protocol = snapshot.protocol(),
                 .metadata = snapshot.metadata(),
                 .totals = snapshot.totals()};
}

Result<int64_t> RowsOf(const LogStore& log, const Add& add) {
  const auto rows = NumRecords(add.stats);
  if (!rows) return CountRows(log, add);
  return *rows - (add.file.deletion_vector ? add.file.deletion_vector->cardinality : 0);
}

Result<FileTotals> CountAgain(LogReader* reader, int64_t version) {
  FileTotals totals;
  ARROW_ASSIGN_OR_RAISE(FileStream files, reader->Files(version));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto add, files.Next());
    if (!add) return totals;
    ARROW_ASSIGN_OR_RAISE(const int64_t rows, RowsOf(reader->log(), *add));
    totals.rows += rows;
    totals.bytes += add->size;
    ++totals.files;
  }
}

Status AddColumns(const Metadata& metadata, TableInfo* info) {
  ARROW_ASSIGN_OR_RAISE(const auto columns, SchemaFromJson(metadata.schema_string));
  for (const auto& field : columns->fields()) {
    info->columns.push_back({field->name(), DeltaTypeName(*field->type()), field->nullable()});
  }
  return Status::OK();
}

Strings PropertyList(const Metadata& metadata) {
  Strings list;
  for (const auto& [name, value] : metadata.configuration) list.push_back(name + "=" + value);
  return list;
}

Status AddFacts(const Version& newest, LogReader* reader, ExtraFacts* facts) {
  facts->Set("version", newest.version);
  facts->Set("files", newest.totals.files);
  facts->Set("partition_columns", newest.metadata.partition_columns);
  ARROW_ASSIGN_OR_RAISE(const auto log, reader->FindLog(newest.version));
  if (log && log->checkpoint_version >= 0) {
    facts->Set("last_checkpoint", log->checkpoint_version);
  }
  facts->Set("min_reader_version", int64_t{newest.protocol.min_reader_version});
  facts->Set("min_writer_version", int64_t{newest.protocol.min_writer_version});
  facts->Set("reader_features", newest.protocol.reader_features.value_or(Strings{}));
  facts->Set("writer_features", newest.protocol.writer_features.value_or(Strings{}));
  facts->Set("properties", PropertyList(newest.metadata));
  if (newest.metadata.description) facts->Set("description", *newest.metadata.description);
  facts->Set("table_id", newest.metadata.id);
  facts->Set("location", reader->log().Describe());
  return Status::OK();
}

}  // namespace

Result<std::optional<TableInfo>> ReadTableFacts(DeltaTable* table) {
  ARROW_ASSIGN_OR_RAISE(auto newest, NewestVersion(table));
  if (!newest) return std::nullopt;
  LogReader reader{LogStore(table->shared_store(), "")};
  if (!newest->totals.exact || newest->totals.files_without_rows != 0) {
    ARROW_ASSIGN_OR_RAISE(newest->totals, CountAgain(&reader, newest->version));
  }
  TableInfo info{.table_name = table->name(),
                 .row_count = newest->totals.rows,
                 .columns = {},
                 .size_bytes = newest->totals.bytes,
                 .extra = {}};
  ARROW_RETURN_NOT_OK(AddColumns(newest->metadata, &info));
  ARROW_RETURN_NOT_OK(AddFacts(*newest, &reader, &info.extra));
  return info;
}

}  // namespace amp::delta
