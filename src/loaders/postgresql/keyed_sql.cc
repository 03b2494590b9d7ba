#include "loaders/postgresql/keyed_sql.h"

#include <arrow/type.h>

#include <algorithm>

#include "loaders/postgresql/key_index.h"

namespace amp::postgresql {
namespace {

// An image knows its row as the batch left it by a hash of the row's text. When the batch is undone
// and the row has another one, then someone else has changed it since. The row's xmin would be
// cheaper, but it changes when an undo brings the row back, and with it every older image of the
// row, also those of other streams, would have to be changed; and it is lost in a dump. The text is
// exact for all types; json has no hash of its own.
constexpr std::string_view kHash = "hashtextextended(_amp_t::text, 0)";

bool IsIn(const std::vector<std::string>& names, const std::string& name) {
  return std::find(names.begin(), names.end(), name) != names.end();
}

// Columns that can be written.
std::vector<std::string> WritableColumns(const KeyedTarget& target) {
  std::vector<std::string> names;
  for (const TableColumn& column : target.columns) {
    if (!column.generated) names.push_back(column.name);
  }
  return names;
}

// What an update sets: the whole row (what the data lacks gets its default), or what the data has.
std::vector<std::string> ChangedColumns(const KeyedTarget& target) {
  std::vector<std::string> names;
  for (const TableColumn& column : target.columns) {
    const bool brought = target.plain->GetFieldIndex(column.name) >= 0;
    const bool ours =
        brought || (target.mode == LoadMode::kUpsert && !column.generated && !column.identity);
    if (ours && !IsIn(target.key, column.name)) names.push_back(column.name);
  }
  return names;
}

// What an undo sets back.
std::vector<std::string> RestoredColumns(const KeyedTarget& target) {
  std::vector<std::string> names;
  for (const TableColumn& column : target.columns) {
    if (!column.generated && !column.identity && !IsIn(target.key, column.name)) {
      names.push_back(column.name);
    }
  }
  return names;
}

// "a" = source."a", …
std::string Assignments(const std::vector<std::string>& names, std::string_view source) {
  std::vector<std::string> parts;
  for (const std::string& name : names) {
    parts.push_back(fmt::format("{} = {}.{}", QuoteName(name), source, QuoteName(name)));
  }
  return fmt::format("{}", fmt::join(parts, ", "));
}

// one."k" = two."k" AND …
std::string SameKey(const KeyedTarget& target, std::string_view one, std::string_view two) {
  std::vector<std::string> parts;
  for (const std::string& name : target.key) {
    parts.push_back(fmt::format("{}.{} = {}.{}", one, QuoteName(name), two, QuoteName(name)));
  }
  return fmt::format("{}", fmt::join(parts, " AND "));
}

std::string LastRowsSql(const KeyedTarget& target, int64_t from) {
  const std::string stage = target.stage();
  return fmt::format(
      "SELECT {} FROM {} WHERE {} IN (SELECT max({}) FROM {} WHERE {} >= {} GROUP BY {})",
      QuotedList(target.plain->field_names()), stage, kRowColumn, kRowColumn, stage, kRowColumn,
      from, QuotedList(target.key));
}

std::string OnConflict(const KeyedTarget& target) {
  const auto changed = ChangedColumns(target);
  return fmt::format(
      "ON CONFLICT ({}) DO {}", QuotedList(target.key),
      changed.empty() ? "NOTHING" : "UPDATE SET " + Assignments(changed, "EXCLUDED"));
}

// The image's columns: of the row that was there, or the key alone.
std::string ImageValues(const KeyedTarget& target) {
  std::vector<std::string> values;
  for (const std::string& name : WritableColumns(target)) {
    const std::string quoted = QuoteName(name);
    values.push_back(IsIn(target.key, name)
                         ? fmt::format("coalesce(_amp_b.{}, _amp_u.{})", quoted, quoted)
                         : "_amp_b." + quoted);
  }
  return fmt::format("{}", fmt::join(values, ", "));
}

std::string Within(std::string_view column, const IdRange& ids) {
  return fmt::format("{0} > {1} AND {0} <= {2}", column, ids.after, ids.last);
}

// What the batches' images say of each key, in the order of ids, falls into runs: one ends where
// someone else wrote the row in between, so that the next image's past is not of these batches.
// What was before a run is the image at its start. With each start come the start of the next run,
// and the hash of what the newest of the batches has left.
std::string RunStarts(const KeyedTarget& target, const IdRange& ids) {
  return fmt::format(
      "_amp_images AS (SELECT *, first_value(_amp_written) OVER (PARTITION BY {key} ORDER BY"
      " _amp_image_id DESC) AS _amp_newest, min(_amp_image_id) OVER (PARTITION BY {key}) AS"
      " _amp_earliest FROM {images} WHERE {undone}),"
      " _amp_starts AS MATERIALIZED (SELECT *, lead(_amp_image_id) OVER (PARTITION BY {key} ORDER"
      " BY _amp_image_id) AS _amp_next FROM _amp_images WHERE ({follows}) IS NOT TRUE OR"
      " _amp_image_id = _amp_earliest)",
      fmt::arg("key", QuotedList(target.key)), fmt::arg("images", target.images()),
      fmt::arg("undone", Within("_amp_image_id", ids)),
      fmt::arg("follows", Within(QuoteName(kBatchIdColumn), ids)));
}

}  // namespace

const std::string_view kTextSettings =
    "SET LOCAL DateStyle = 'ISO, YMD'; SET LOCAL IntervalStyle = 'postgres'; SET LOCAL TimeZone = "
    "'UTC'; SET LOCAL bytea_output = 'hex'; SET LOCAL extra_float_digits = 1; SET LOCAL jit = off";

std::string ImagesName(uint32_t table_id) { return fmt::format("_amp_images_{}", table_id); }

std::string KeyedTarget::images() const {
  return QualifiedName(place.schema, ImagesName(table_id));
}

std::string KeyedTarget::stage() const {
  std::string all = place.qualified();
  for (const auto& field : plain->fields()) {
    const TableColumn* column = FindColumn(columns, field->name());
    all += '\n' + field->name() + '\n' + (column == nullptr ? "" : column->sql_type);
  }
  return fmt::format("pg_temp.\"_amp_stage_{:x}\"", std::hash<std::string>()(all));
}

std::string StageSql(const KeyedTarget& target) {
  std::string columns = fmt::format("{} bigint", kRowColumn);
  for (const auto& field : target.plain->fields()) {
    const TableColumn* column = FindColumn(target.columns, field->name());
    columns += fmt::format(", {} {}", QuoteName(field->name()),
                           column == nullptr ? "text" : column->sql_type);
  }
  return fmt::format("CREATE TEMPORARY TABLE IF NOT EXISTS {} ({}) ON COMMIT DELETE ROWS",
                     target.stage(), columns);
}

std::string UpsertSql(const KeyedTarget& target, int64_t from) {
  return fmt::format("INSERT INTO {} ({}) {} {}", target.place.qualified(),
                     QuotedList(target.plain->field_names()), LastRowsSql(target, from),
                     OnConflict(target));
}

// The parts of one statement see the table as it was before it. `_amp_old` locks the rows that are
// there, so that an image cannot be older than what the upsert finds; the condition on its count
// makes the upsert wait for it. The lateral query makes the server go by the key's index, whatever
// it thinks of the sizes.
std::string UpsertWithImagesSql(const KeyedTarget& target, int64_t from, int64_t batch_id) {
  const std::string columns = QuotedList(target.plain->field_names());
  const std::string writable = QuotedList(WritableColumns(target));
  return fmt::format(
      "WITH _amp_last AS MATERIALIZED ({last}),"
      " _amp_old AS MATERIALIZED (SELECT _amp_f.* FROM _amp_last CROSS JOIN LATERAL"
      " (SELECT {writable} FROM {table} _amp_t WHERE {t_is_last} OFFSET 0 FOR UPDATE) _amp_f),"
      " _amp_up AS (INSERT INTO {table} AS _amp_t ({columns}) SELECT {columns} FROM _amp_last"
      " WHERE (SELECT count(*) FROM _amp_old) >= 0 {on_conflict}"
      " RETURNING {t_key}, {hash} AS _amp_written, _amp_t.xmax = 0 AS _amp_new),"
      " _amp_kept AS (INSERT INTO {images} (_amp_image_id, _amp_existed, _amp_written, {writable})"
      " SELECT {id}, _amp_b.{one_key} IS NOT NULL, _amp_u._amp_written, {values}"
      " FROM _amp_up _amp_u LEFT JOIN _amp_old _amp_b ON {u_is_b}"
      // Rows of the batch that came before: theirs is the image.
      " ON CONFLICT (_amp_image_id, {key}) DO UPDATE SET _amp_written = EXCLUDED._amp_written)"
      " SELECT (SELECT count(*) FROM _amp_last), (SELECT count(*) FROM _amp_old),"
      " (SELECT count(*) FROM _amp_up WHERE _amp_new)",
      fmt::arg("last", LastRowsSql(target, from)), fmt::arg("writable", writable),
      fmt::arg("table", target.place.qualified()),
      fmt::arg("t_is_last", SameKey(target, "_amp_t", "_amp_last")), fmt::arg("columns", columns),
      fmt::arg("on_conflict", OnConflict(target)),
      fmt::arg("t_key", QuotedList(target.key, "_amp_t.")), fmt::arg("hash", kHash),
      fmt::arg("images", target.images()), fmt::arg("id", batch_id),
      fmt::arg("one_key", QuoteName(target.key.front())), fmt::arg("values", ImageValues(target)),
      fmt::arg("u_is_b", SameKey(target, "_amp_u", "_amp_b")),
      fmt::arg("key", QuotedList(target.key)));
}

Status EnsureImages(Connection& connection, const KeyedTarget& target) {
  ARROW_ASSIGN_OR_RAISE(const auto there, DescribeTable(connection, target.images()));
  if (!there) {
    return connection
        .ExecuteAll(fmt::format("CREATE TABLE {0} AS SELECT 0::int8 AS _amp_image_id, false AS"
                                " _amp_existed, 0::int8 AS _amp_written, {1} FROM {2} WITH NO DATA;"
                                "CREATE UNIQUE INDEX ON {0} (_amp_image_id, {3});"
                                "CREATE INDEX ON {0} ({4}) WHERE {4} IS NOT NULL",
                                target.images(), QuotedList(WritableColumns(target)),
                                target.place.qualified(), QuotedList(target.key),
                                QuoteName(kBatchIdColumn)),
                    "creating the table of images")
        .status();
  }
  for (const TableColumn& column : target.columns) {
    if (column.generated || FindColumn(*there, column.name) != nullptr) continue;
    ARROW_RETURN_NOT_OK(
        connection.Execute(fmt::format("ALTER TABLE {} ADD COLUMN {} {}", target.images(),
                                       QuoteName(column.name), column.sql_type),
                           "adding a column to the images"));
  }
  return Status::OK();
}

std::string UndoImagesSql(const KeyedTarget& target, const IdRange& ids) {
  return fmt::format(
      "WITH {starts}, _amp_past AS MATERIALIZED (SELECT * FROM _amp_starts WHERE _amp_next IS "
      "NULL),"
      " _amp_gone AS (DELETE FROM {table} _amp_t USING _amp_past WHERE {t_is_past}"
      " AND NOT _amp_past._amp_existed AND {hash} = _amp_past._amp_newest RETURNING 1),"
      " _amp_back AS (UPDATE {table} _amp_t SET {set} FROM _amp_past WHERE {t_is_past}"
      " AND _amp_past._amp_existed AND {hash} = _amp_past._amp_newest RETURNING 1)"
      " SELECT (SELECT count(*) FROM _amp_past), (SELECT count(*) FROM _amp_gone),"
      " (SELECT count(*) FROM _amp_back)",
      fmt::arg("starts", RunStarts(target, ids)), fmt::arg("table", target.place.qualified()),
      fmt::arg("t_is_past", SameKey(target, "_amp_t", "_amp_past")), fmt::arg("hash", kHash),
      fmt::arg("set", Assignments(RestoredColumns(target), "_amp_past")));
}

std::string HandOverImagesSql(const KeyedTarget& target, const IdRange& ids) {
  const std::string before = "_amp_i." + QuoteName(kBatchIdColumn);
  return fmt::format(
      "WITH {starts} UPDATE {images} _amp_i SET _amp_existed = _amp_starts._amp_existed, {set}"
      " FROM _amp_starts WHERE {same_key} AND {before_is_undone} AND NOT ({is_undone})"
      " AND {before} >= _amp_starts._amp_image_id"
      " AND (_amp_starts._amp_next IS NULL OR {before} < _amp_starts._amp_next)",
      fmt::arg("starts", RunStarts(target, ids)), fmt::arg("images", target.images()),
      fmt::arg("set", Assignments(RestoredColumns(target), "_amp_starts")),
      fmt::arg("same_key", SameKey(target, "_amp_i", "_amp_starts")),
      fmt::arg("before_is_undone", Within(before, ids)),
      fmt::arg("is_undone", Within("_amp_i._amp_image_id", ids)), fmt::arg("before", before));
}

std::string DropImagesSql(const KeyedTarget& target, const IdRange& ids) {
  return fmt::format("DELETE FROM {} WHERE {}", target.images(), Within("_amp_image_id", ids));
}

std::string PruneImagesSql(const Connection& connection, const KeyedTarget& target,
                           const std::string& stream, int64_t final_id) {
  // From where the last pruning came to: the index's entries below are dead, and many.
  return fmt::format(
      "DELETE FROM {} WHERE _amp_image_id > (SELECT final_id FROM {} WHERE table_name = {} AND"
      " stream = {}) AND _amp_image_id <= {}",
      target.images(), target.place.streams(), connection.Literal(target.place.table),
      connection.Literal(stream), final_id);
}

}  // namespace amp::postgresql
