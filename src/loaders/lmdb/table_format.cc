#include "loaders/lmdb/table_format.h"

#include <arrow/array/util.h>
#include <arrow/record_batch.h>

#include <nlohmann/json.hpp>
#include <random>

#include "core/schema.h"
#include "core/stream_state.h"

namespace amp::lmdb {
namespace {

constexpr int kVersion = 1;

Status Broken(const std::string& table, std::string_view why) {
  return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget},
                   fmt::format("table '{}': its description in '{}' is broken: {}", table,
                               kTablesDatabase, why));
}

std::string ShownKey(const KeySpec& key) {
  if (!key.pattern.empty()) return fmt::format("the pattern '{}'", key.pattern);
  if (key.columns.empty()) return "a growing row number";
  return fmt::format("the columns {}", fmt::join(key.columns, ", "));
}

// The key that a load asks for: its own, else that of the configuration.
Result<KeySpec> WantedKey(const LMDBConfig& config, const std::vector<std::string>& key) {
  const KeySpec configured{config.key_columns, config.key_pattern};
  if (key.empty()) return configured;
  const KeySpec asked{key, ""};
  if (configured == KeySpec{} || configured == asked) return asked;
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("the key of the load is {}, that of the configuration {}; give one",
                               ShownKey(asked), ShownKey(configured)));
}

Status CheckKept(const std::string& table, const TableFormat& known, const KeySpec& key,
                 const LMDBConfig& config) {
  if (key != KeySpec{} && key != known.key) {
    return MakeError({.kind = ErrorKind::kSchemaMismatch, .side = ErrorSide::kTarget},
                     fmt::format("table '{}': its key is {}, not {}; leave the key out, or choose "
                                 "another table",
                                 table, ShownKey(known.key), ShownKey(key)));
  }
  if (config.value_format && *config.value_format != known.value_format) {
    return MakeError({.kind = ErrorKind::kSchemaMismatch, .side = ErrorSide::kTarget},
                     fmt::format("table '{}' has another value_format; leave it out, or choose "
                                 "another table",
                                 table));
  }
  return Status::OK();
}

bool InKey(const KeySpec& key, const std::string& column) {
  return std::find(key.columns.begin(), key.columns.end(), column) != key.columns.end() ||
         key.pattern.find('{' + column + '}') != std::string::npos;
}

bool MayBeMissing(const TableFormat& format, const arrow::Field& field, LoadMode mode) {
  if (!field.nullable()) return false;
  if (IsStreamColumn(field.name())) return true;
  return mode == LoadMode::kMerge && !InKey(format.key, field.name());
}

}  // namespace

Status CheckEmpty(const Txn& txn, MDB_dbi rows, const std::string& table) {
  MDB_stat stat{};
  const int code = mdb_stat(txn.get(), rows, &stat);
  if (code != 0) return LmdbError(code, "looking at the table", txn.environment().path());
  if (stat.ms_entries == 0) return Status::OK();
  return MakeError({.kind = ErrorKind::kAlreadyExists, .side = ErrorSide::kTarget},
                   fmt::format("the database '{}' holds entries that Ampload did not write; "
                               "choose another table",
                               table));
}

std::string NewTableId() {
  std::random_device random;
  return fmt::format("{:08x}{:08x}", random(), random());
}

Result<std::vector<int>> PlaceColumns(const TableFormat& format, const arrow::Schema& incoming,
                                      const std::string& table, LoadMode mode) {
  arrow::FieldVector wanted;
  for (const auto& field : format.schema->fields()) {
    const bool there = incoming.GetFieldIndex(field->name()) >= 0;
    if (there || !MayBeMissing(format, *field, mode)) wanted.push_back(field);
  }
  ARROW_RETURN_NOT_OK(MatchColumns(arrow::Schema(wanted), incoming, table));
  std::vector<int> places;
  for (const auto& field : format.schema->fields()) {
    places.push_back(incoming.GetFieldIndex(field->name()));
  }
  return places;
}

Result<std::shared_ptr<arrow::RecordBatch>> Arrange(const arrow::RecordBatch& batch,
                                                    const arrow::Schema& schema,
                                                    const std::vector<int>& places) {
  if (std::find(places.begin(), places.end(), -1) == places.end()) {
    return batch.SelectColumns(places);
  }
  arrow::ArrayVector columns;
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] >= 0) {
      columns.push_back(batch.column(places[i]));
      continue;
    }
    const auto& type = schema.field(static_cast<int>(i))->type();
    ARROW_ASSIGN_OR_RAISE(auto nulls, arrow::MakeArrayOfNull(type, batch.num_rows()));
    columns.push_back(std::move(nulls));
  }
  return arrow::RecordBatch::Make(arrow::schema(schema.fields()), batch.num_rows(),
                                  std::move(columns));
}

Result<TableFormat> ChooseFormat(const TableRequest& request,
                                 const std::optional<TableFormat>& known) {
  ARROW_ASSIGN_OR_RAISE(const KeySpec key, WantedKey(request.config, request.key));
  TableFormat format{request.schema, key,
                     request.config.value_format.value_or(LmdbValueFormat::kMsgpack)};
  if (known) {
    ARROW_RETURN_NOT_OK(PlaceColumns(*known, *request.schema, request.table, request.mode));
    ARROW_RETURN_NOT_OK(CheckKept(request.table, *known, key, request.config));
    format = *known;
  }
  const bool by_key = request.mode == LoadMode::kUpsert || request.mode == LoadMode::kMerge;
  if (by_key && format.key == KeySpec{}) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("table '{}': {} needs a key; name its columns with --key",
                                 request.table, ToString(request.mode)));
  }
  return format;
}

Result<std::optional<TableFormat>> ReadTableFormat(const Txn& txn, MDB_dbi tables,
                                                   const std::string& table) {
  MDB_val key = Val(table);
  MDB_val value{};
  const int code = mdb_get(txn.get(), tables, &key, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return LmdbError(code, "reading", txn.environment().path());
  const auto json = nlohmann::json::parse(View(value), nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return Broken(table, "it is not JSON");
  if (json.value("version", 0) != kVersion) {
    return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                     fmt::format("table '{}' was written by another version of Ampload", table));
  }
  TableFormat format;
  try {
    format.key.columns = json.at("key_columns").get<std::vector<std::string>>();
    format.key.pattern = json.at("key_pattern").get<std::string>();
    format.id = json.value("id", "");
    const auto name = json.at("value_format").get<std::string>();
    const auto names = AmpEnumNames(LmdbValueFormat{});
    const auto found = std::find(names.begin(), names.end(), name);
    if (found == names.end()) return Broken(table, "its value format is not known");
    format.value_format = static_cast<LmdbValueFormat>(found - names.begin());
    ARROW_ASSIGN_OR_RAISE(format.schema, SchemaFromText(json.at("schema").get<std::string>()));
  } catch (const nlohmann::json::exception& error) {
    return Broken(table, error.what());
  }
  return format;
}

Status WriteTableFormat(const Txn& txn, MDB_dbi tables, const std::string& table,
                        const TableFormat& format) {
  const auto names = AmpEnumNames(format.value_format);
  const nlohmann::ordered_json json{
      {"version", kVersion},
      {"schema", SchemaToText(*format.schema)},
      {"key_columns", format.key.columns},
      {"key_pattern", format.key.pattern},
      {"value_format", names[static_cast<size_t>(format.value_format)]},
      {"id", format.id}};
  const std::string text = json.dump();
  MDB_val key = Val(table);
  MDB_val value = Val(text);
  const int code = mdb_put(txn.get(), tables, &key, &value, 0);
  return code == 0 ? Status::OK()
                   : LmdbError(code, "describing the table", txn.environment().path());
}

}  // namespace amp::lmdb
