#include "loaders/postgresql/state_tables.h"

#include <arrow/type.h>

#include "core/stream_state.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {
namespace {

constexpr int kFormat = 1;

// `definition` is what never changes, as StreamStateToText has it; the other columns are what
// commits change, so that they rewrite little, and can be read by people.
constexpr std::string_view kStreamsColumns = R"((
  table_name text NOT NULL,
  stream text NOT NULL,
  slot integer NOT NULL,
  format integer NOT NULL,
  table_id oid NOT NULL,
  epoch bigint NOT NULL,
  owner text NOT NULL,
  owner_since timestamptz NOT NULL,
  sequence bigint NOT NULL,
  last_batch_id bigint NOT NULL,
  final_id bigint NOT NULL,
  next_number bigint NOT NULL,
  watermark jsonb NOT NULL,
  committed_at timestamptz,
  definition text NOT NULL,
  PRIMARY KEY (table_name, stream),
  UNIQUE (table_name, slot)
) WITH (fillfactor = 50))";

constexpr std::string_view kBatchesColumns = R"((
  table_name text NOT NULL,
  slot integer NOT NULL,
  first_id bigint NOT NULL,
  last_id bigint NOT NULL,
  rows bigint NOT NULL,
  batches bigint NOT NULL,
  completed_at timestamptz NOT NULL,
  ranges jsonb NOT NULL,
  PRIMARY KEY (table_name, first_id)
))";

// Unix milliseconds from and to timestamptz.
std::string FromMillis(int64_t millis) { return fmt::format("to_timestamp({} / 1000.0)", millis); }
std::string ToMillis(std::string_view column) {
  return fmt::format("round(extract(epoch FROM {}) * 1000)::int8", column);
}

Result<StoredStream> StoredStreamFrom(const Rows& rows, int row) {
  if (rows.integer(row, 0) > kFormat) {
    return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                     "the streams of this table were written by a newer version of Ampload; use "
                     "that one");
  }
  ARROW_ASSIGN_OR_RAISE(StreamState state, StreamStateFromText(rows.text(row, 1)));
  state.name = rows.text(row, 2);
  state.slot = static_cast<int32_t>(rows.integer(row, 3));
  state.epoch = rows.integer(row, 5);
  state.owner = rows.text(row, 6);
  state.owner_since = rows.integer(row, 7);
  state.committed_at = rows.integer(row, 8);
  ARROW_ASSIGN_OR_RAISE(auto watermark, BlockRangesFromText(rows.text(row, 13)));
  state.checkpoint = {.sequence = rows.integer(row, 9),
                      .last_batch_id = rows.integer(row, 10),
                      .watermark = std::move(watermark),
                      .final_id = rows.integer(row, 11),
                      .next_number = rows.integer(row, 12)};
  return StoredStream{.state = std::move(state),
                      .table_id = static_cast<uint32_t>(rows.integer(row, 4))};
}

Result<BatchEntry> BatchEntryFrom(const Rows& rows, int row) {
  ARROW_ASSIGN_OR_RAISE(auto ranges, BlockRangesFromText(rows.text(row, 5)));
  return BatchEntry{.first_id = rows.integer(row, 0),
                    .last_id = rows.integer(row, 1),
                    .ranges = std::move(ranges),
                    .rows = rows.integer(row, 2),
                    .batches = rows.integer(row, 3),
                    .completed_at = rows.integer(row, 4)};
}

// Lines of single batches take the place of their like by their key; those of several are rare.
std::string DeleteWithin(const Connection& connection, const TablePlace& place,
                         const BatchEntry& entry) {
  if (entry.first_id == entry.last_id) return {};
  return fmt::format(
      "; DELETE FROM {} WHERE table_name = {} AND first_id BETWEEN {} AND {} AND last_id <= {}",
      place.batches(), connection.Literal(place.table), entry.first_id, entry.last_id,
      entry.last_id);
}

std::string PutEntriesSql(const Connection& connection, const TablePlace& place, int32_t slot,
                          const std::vector<BatchEntry>& entries) {
  if (entries.empty()) return {};
  std::string sql, list;
  for (const BatchEntry& entry : entries) {
    sql += DeleteWithin(connection, place, entry);
    list += (list.empty() ? "[" : ",") + BatchEntryToText(entry);
  }
  return sql + fmt::format(
                   "; INSERT INTO {} SELECT {}, {}, first_id, last_id, rows, batches,"
                   " to_timestamp(completed_at / 1000.0), ranges FROM jsonb_to_recordset({}) AS"
                   " e(first_id int8, last_id int8, rows int8, batches int8, completed_at int8,"
                   " ranges jsonb) ON CONFLICT (table_name, first_id) DO UPDATE SET"
                   " last_id = EXCLUDED.last_id, rows = EXCLUDED.rows,"
                   " batches = EXCLUDED.batches, completed_at = EXCLUDED.completed_at,"
                   " ranges = EXCLUDED.ranges",
                   place.batches(), connection.Literal(place.table), slot,
                   connection.Literal(list + "]"));
}

}  // namespace

std::string TablePlace::qualified() const { return QualifiedName(schema, table); }
std::string TablePlace::streams() const { return QualifiedName(schema, "_amp_streams"); }
std::string TablePlace::batches() const { return QualifiedName(schema, "_amp_batches"); }

Result<TablePlace> FindPlace(Connection& connection, const std::string& configured_schema,
                             const TableName& table) {
  if (!configured_schema.empty()) return TablePlace{configured_schema, table};
  ARROW_ASSIGN_OR_RAISE(
      const Rows rows,
      connection.Query("SELECT coalesce((SELECT n.nspname FROM pg_class c JOIN pg_namespace n ON"
                       " n.oid = c.relnamespace WHERE c.oid = to_regclass($1)), current_schema())",
                       "looking for the schema", {QuoteName(table)}));
  if (rows.is_null(0, 0)) {
    return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
                     "no schema of search_path is there; set the option schema");
  }
  return TablePlace{rows.text(0, 0), table};
}

Result<bool> HasStateTables(Connection& connection, const TablePlace& place) {
  ARROW_ASSIGN_OR_RAISE(
      const Rows rows,
      connection.Query("SELECT to_regclass($1) IS NOT NULL AND to_regclass($2) IS NOT NULL",
                       "looking for streams", {place.streams(), place.batches()}));
  return rows.flag(0, 0);
}

Status MakeStateTables(Connection& connection, const TablePlace& place) {
  ARROW_ASSIGN_OR_RAISE(const bool there, HasStateTables(connection, place));
  if (there) return Status::OK();
  // IF NOT EXISTS does not help two who make the same table at once: one of them would fail.
  return connection
      .ExecuteAll(fmt::format("SELECT pg_advisory_xact_lock(hashtextextended({}, 0));"
                              "CREATE TABLE IF NOT EXISTS {} {};CREATE TABLE IF NOT EXISTS {} {}",
                              connection.Literal("ampload streams of " + place.schema),
                              place.streams(), kStreamsColumns, place.batches(), kBatchesColumns),
                  "creating the tables of streams")
      .status();
}

Result<std::vector<StoredStream>> ReadStreamRows(Connection& connection, const TablePlace& place) {
  ARROW_ASSIGN_OR_RAISE(const bool there, HasStateTables(connection, place));
  std::vector<StoredStream> streams;
  if (!there) return streams;
  ARROW_ASSIGN_OR_RAISE(
      const Rows rows,
      connection.Query(
          fmt::format("SELECT format, definition, stream, slot, table_id::int8, epoch, owner, {},"
                      " coalesce({}, 0), sequence, last_batch_id, final_id, next_number, watermark"
                      " FROM {} WHERE table_name = $1 ORDER BY slot",
                      ToMillis("owner_since"), ToMillis("committed_at"), place.streams()),
          "reading streams", {place.table}));
  for (int row = 0; row < rows.size(); ++row) {
    ARROW_ASSIGN_OR_RAISE(StoredStream stream, StoredStreamFrom(rows, row));
    streams.push_back(std::move(stream));
  }
  return streams;
}

Status LockStreamRow(Connection& connection, const TablePlace& place, const std::string& stream) {
  ARROW_ASSIGN_OR_RAISE(const bool there, HasStateTables(connection, place));
  if (!there) return Status::OK();
  return connection
      .Query(fmt::format("SELECT FROM {} WHERE table_name = $1 AND stream = $2 FOR UPDATE",
                         place.streams()),
             "taking the stream", {place.table, stream})
      .status();
}

Result<std::vector<BatchEntry>> ReadBatchMap(Connection& connection, const TablePlace& place,
                                             std::optional<int32_t> slot) {
  const int64_t from = slot ? SlotBase(*slot) : INT64_MIN;
  const int64_t to = slot ? SlotEnd(*slot) : INT64_MAX;
  ARROW_ASSIGN_OR_RAISE(
      const Rows rows,
      connection.Query(
          fmt::format("SELECT first_id, last_id, rows, batches, {}, ranges FROM {}"
                      " WHERE table_name = $1 AND first_id BETWEEN $2 AND $3 ORDER BY first_id",
                      ToMillis("completed_at"), place.batches()),
          "reading the batch map", {place.table, std::to_string(from), std::to_string(to)}));
  std::vector<BatchEntry> entries;
  entries.reserve(static_cast<size_t>(rows.size()));
  for (int row = 0; row < rows.size(); ++row) {
    ARROW_ASSIGN_OR_RAISE(BatchEntry entry, BatchEntryFrom(rows, row));
    entries.push_back(std::move(entry));
  }
  return entries;
}

Status InsertStreamRow(Connection& connection, const TablePlace& place,
                       const StoredStream& stream) {
  const StreamState& state = stream.state;
  return connection
      .Execute(
          fmt::format("INSERT INTO {} VALUES ({}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {}, {},"
                      " {}, NULL, {})",
                      place.streams(), connection.Literal(place.table),
                      connection.Literal(state.name), state.slot, kFormat, stream.table_id,
                      state.epoch, connection.Literal(state.owner), FromMillis(state.owner_since),
                      state.checkpoint.sequence, state.checkpoint.last_batch_id,
                      state.checkpoint.final_id, state.checkpoint.next_number,
                      connection.Literal(BlockRangesToText(state.checkpoint.watermark)),
                      connection.Literal(StreamStateToText(state))),
          "making the stream")
      .status();
}

Status UpdateOwner(Connection& connection, const TablePlace& place, const StreamState& state) {
  return connection
      .Execute(fmt::format("UPDATE {} SET epoch = {}, owner = {}, owner_since = {}, next_number = "
                           "{} WHERE table_name = {} AND stream = {}",
                           place.streams(), state.epoch, connection.Literal(state.owner),
                           FromMillis(state.owner_since), state.checkpoint.next_number,
                           connection.Literal(place.table), connection.Literal(state.name)),
               "taking the stream")
      .status();
}

std::string CheckpointSql(const Connection& connection, const TablePlace& place, uint32_t table_id,
                          const StreamRef& stream, const Checkpoint& checkpoint) {
  // A statement that changes no row is no error to the server, and COMMIT follows in the same
  // message: dividing by the count of rows makes it one.
  return fmt::format(
             "WITH moved AS (UPDATE {} SET sequence = {}, last_batch_id = {}, final_id = {},"
             " next_number = {}, watermark = {}, committed_at = {}"
             " WHERE table_name = {} AND stream = {} AND epoch = {} AND sequence = {}"
             " AND table_id = {} AND to_regclass({}) = table_id RETURNING 1)"
             " SELECT 1 / count(*) FROM moved",
             place.streams(), checkpoint.sequence, checkpoint.last_batch_id, checkpoint.final_id,
             checkpoint.next_number, connection.Literal(BlockRangesToText(checkpoint.watermark)),
             FromMillis(UnixMillisNow()), connection.Literal(place.table),
             connection.Literal(stream.name), stream.epoch, checkpoint.sequence - 1, table_id,
             connection.Literal(place.qualified())) +
         PutEntriesSql(connection, place, stream.slot, checkpoint.entries);
}

std::string ForgetBatchesSql(const Connection& connection, const TablePlace& place, int32_t slot,
                             int64_t batch_id) {
  const std::string table = connection.Literal(place.table);
  // Lines do not overlap: of those that start at or below the id, only the last can reach above it.
  return fmt::format(
      "DELETE FROM {0} WHERE table_name = {1} AND first_id BETWEEN coalesce((SELECT max(first_id)"
      " FROM {0} WHERE table_name = {1} AND first_id BETWEEN {2} AND {3}), {2}) AND {4}"
      " AND last_id > {3}",
      place.batches(), table, SlotBase(slot), batch_id, SlotEnd(slot));
}

std::string ForgetTableSql(const Connection& connection, const TablePlace& place) {
  const std::string table = connection.Literal(place.table);
  return fmt::format("DELETE FROM {} WHERE table_name = {}; DELETE FROM {} WHERE table_name = {}",
                     place.batches(), table, place.streams(), table);
}

}  // namespace amp::postgresql
