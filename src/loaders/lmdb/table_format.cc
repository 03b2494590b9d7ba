#include "loaders/lmdb/table_format.h"

#include <nlohmann/json.hpp>

#include "core/schema.h"

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

}  // namespace

Result<TableFormat> ChooseFormat(const TableRequest& request,
                                 const std::optional<TableFormat>& known) {
  ARROW_ASSIGN_OR_RAISE(const KeySpec key, WantedKey(request.config, request.key));
  TableFormat format{request.schema, key,
                     request.config.value_format.value_or(LmdbValueFormat::kMsgpack)};
  if (known) {
    ARROW_RETURN_NOT_OK(MatchColumns(*known->schema, *request.schema, request.table));
    ARROW_RETURN_NOT_OK(CheckKept(request.table, *known, key, request.config));
    format = *known;
  }
  if (request.mode == LoadMode::kUpsert && format.key == KeySpec{}) {
    return MakeError(
        ErrorKind::kConfigInvalid,
        fmt::format("table '{}': upsert needs a key; name its columns with --key", request.table));
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
      {"value_format", names[static_cast<size_t>(format.value_format)]}};
  const std::string text = json.dump();
  MDB_val key = Val(table);
  MDB_val value = Val(text);
  const int code = mdb_put(txn.get(), tables, &key, &value, 0);
  return code == 0 ? Status::OK()
                   : LmdbError(code, "describing the table", txn.environment().path());
}

}  // namespace amp::lmdb
