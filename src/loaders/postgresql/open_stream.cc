#include "loaders/postgresql/open_stream.h"

#include <arrow/type.h>

#include <algorithm>
#include <set>

#include "core/log.h"
#include "core/schema.h"
#include "core/stream_state.h"
#include "loaders/postgresql/key_index.h"
#include "loaders/postgresql/keyed_sql.h"
#include "loaders/postgresql/stream_errors.h"
#include "loaders/postgresql/type_map.h"

namespace amp::postgresql {
namespace {

// One opening, within its transaction.
class Opening {
 public:
  Opening(Connection& connection, const TablePlace& place, const StreamSpec& spec, bool create_key)
      : connection_(connection), place_(place), spec_(spec), create_key_(create_key) {}

  Result<StreamState> Run();
  const StreamTablePtr& table() const { return table_; }

 private:
  Status ReadStored();
  Status CheckStored() const;
  Status CheckSameKey() const;
  Status PrepareTable();
  Status MakeTable();
  Status CheckIdentity() const;
  Status AddStreamColumns();
  Status CheckColumns() const;
  Status LookAgain();
  Status PrepareKey();
  Result<StreamState> Create();
  Result<int32_t> FreeSlot();
  Result<StreamState> TakeOverStored();

  Connection& connection_;
  const TablePlace& place_;
  const StreamSpec& spec_;
  const bool create_key_;
  std::shared_ptr<arrow::Schema> plain_;
  std::vector<StoredStream> stored_;
  std::optional<StoredStream> mine_;
  StreamTablePtr table_;
};

Result<StreamState> Opening::Run() {
  ARROW_ASSIGN_OR_RAISE(plain_, PlainSchema(*spec_.schema));
  ARROW_RETURN_NOT_OK(LockTableName(connection_, place_.table));
  ARROW_RETURN_NOT_OK(ReadStored());
  ARROW_RETURN_NOT_OK(CheckStored());
  ARROW_RETURN_NOT_OK(PrepareTable());
  if (IsKeyed(spec_.mode)) ARROW_RETURN_NOT_OK(PrepareKey());
  ARROW_RETURN_NOT_OK(MakeStateTables(connection_, place_));
  return mine_ ? TakeOverStored() : Create();
}

Status Opening::ReadStored() {
  ARROW_RETURN_NOT_OK(LockStreamRow(connection_, place_, spec_.name));
  ARROW_ASSIGN_OR_RAISE(stored_, ReadStreamRows(connection_, place_));
  for (const StoredStream& stream : stored_) {
    if (stream.state.name == spec_.name) mine_ = stream;
  }
  return Status::OK();
}

Status Opening::CheckStored() const {
  if (mine_) return CheckStreamFits(spec_, mine_->state);
  ARROW_RETURN_NOT_OK(CheckSameKey());
  // A writer that comes back and finds nothing must not begin anew by itself.
  return spec_.held_epoch ? StreamGone(place_.table, spec_.name) : Status::OK();
}

// The images of all streams of a table are in one table, which goes by key too.
Status Opening::CheckSameKey() const {
  const std::set<std::string> key(spec_.key.begin(), spec_.key.end());
  for (const auto& [state, table_id] : stored_) {
    if (!IsKeyed(spec_.mode) || !IsKeyed(state.mode)) continue;
    if (key == std::set<std::string>(state.key.begin(), state.key.end())) continue;
    return MakeError(
        {.kind = ErrorKind::kConfigInvalid, .side = ErrorSide::kTarget},
        fmt::format("stream '{}' of table '{}' goes by the key ({}), and all that go by "
                    "key must have the same; choose that, or another table",
                    state.name, place_.table, fmt::join(state.key, ", ")));
  }
  return Status::OK();
}

Status Opening::PrepareTable() {
  ARROW_RETURN_NOT_OK(LookAgain());
  ARROW_RETURN_NOT_OK(CheckIdentity());
  if (table_ == nullptr) return MakeTable();
  ARROW_RETURN_NOT_OK(connection_.Execute(
      fmt::format("LOCK TABLE {} IN ROW EXCLUSIVE MODE", place_.qualified()), "locking the table"));
  ARROW_RETURN_NOT_OK(AddStreamColumns());
  ARROW_RETURN_NOT_OK(CheckColumns());
  if (table_->summaries->index().id != 0) return Status::OK();
  ARROW_RETURN_NOT_OK(MakeBatchIndex(connection_, place_.qualified()));
  return LookAgain();
}

// The batch id comes first, where it is found without looking through the columns before it: the
// index on it is kept and summarised at half the cost.
Status Opening::MakeTable() {
  arrow::FieldVector fields = plain_->fields();
  std::stable_partition(fields.begin(), fields.end(),
                        [](const auto& field) { return field->name() == kBatchIdColumn; });
  ARROW_ASSIGN_OR_RAISE(const std::string sql,
                        CreateTableSql(place_.qualified(), arrow::Schema(fields)));
  ARROW_RETURN_NOT_OK(
      connection_.Execute(sql, fmt::format("creating table '{}'", place_.table)).status());
  ARROW_RETURN_NOT_OK(MakeBatchIndex(connection_, place_.qualified()));
  return LookAgain();
}

Status Opening::LookAgain() {
  ARROW_ASSIGN_OR_RAISE(table_, LookAtStreamTable(connection_, place_));
  return Status::OK();
}

Status Opening::PrepareKey() {
  if (table_->identity.file == 0) {
    return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                     fmt::format("table '{}' is partitioned, or lies on another server: streams by "
                                 "key need an ordinary table; append, or choose another table",
                                 place_.table));
  }
  ARROW_RETURN_NOT_OK(EnsureKeyIndex(connection_, place_.qualified(), spec_.key, create_key_));
  return EnsureImages(connection_, {.place = place_,
                                    .table_id = table_->identity.id,
                                    .columns = table_->columns,
                                    .plain = plain_,
                                    .mode = spec_.mode,
                                    .key = spec_.key});
}

Status Opening::CheckIdentity() const {
  for (const StoredStream& stream : stored_) {
    if (table_ == nullptr || table_->identity.id != stream.table_id) {
      return TableReplaced(place_.table, mine_ ? spec_.name : stream.state.name);
    }
  }
  return Status::OK();
}

Status Opening::AddStreamColumns() {
  std::string sql;
  for (const auto& field : plain_->fields()) {
    if (!IsStreamColumn(field->name()) || FindColumn(table_->columns, field->name()) != nullptr) {
      continue;
    }
    if (!spec_.adopt) return NotMadeForStreams(place_.table);
    ARROW_ASSIGN_OR_RAISE(const PgType type, TypeFor(*field->type()));
    sql += fmt::format("{} ADD COLUMN {} {}", sql.empty() ? "" : ",", QuoteName(field->name()),
                       type.sql);
  }
  if (sql.empty()) return Status::OK();
  ARROW_RETURN_NOT_OK(connection_.Execute(fmt::format("ALTER TABLE {}{}", place_.qualified(), sql),
                                          "adding the columns of streams"));
  return LookAgain();
}

Status Opening::CheckColumns() const {
  ARROW_RETURN_NOT_OK(MatchTable(table_->columns, *plain_, place_.table).status());
  const TableColumn* id = FindColumn(table_->columns, kBatchIdColumn);
  if (id == nullptr) return NotMadeForStreams(place_.table);
  if (id->oid == oid::kInt8 && !id->not_null) return Status::OK();
  return MakeError(
      {.kind = ErrorKind::kSchemaMismatch, .side = ErrorSide::kTarget},
      fmt::format("column {} of table '{}' is {}{}, but must be bigint and allow NULL; "
                  "alter it, or choose another table",
                  kBatchIdColumn, place_.table, id->sql_type, id->not_null ? " NOT NULL" : ""));
}

// The lowest that no stream ever had. Ids of it may be in the table all the same, where the state
// of its streams was lost.
Result<int32_t> Opening::FreeSlot() {
  int32_t last = stored_.empty() ? -1 : stored_.back().state.slot;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const int32_t slot, SlotAfter(place_.table, last));
    ARROW_ASSIGN_OR_RAISE(
        const auto results,
        connection_.ExecuteAll(
            fmt::format("SET LOCAL enable_seqscan = off; SELECT EXISTS (SELECT FROM {} WHERE {} "
                        "BETWEEN {} AND {}); SET LOCAL enable_seqscan TO DEFAULT",
                        place_.qualified(), QuoteName(kBatchIdColumn), SlotBase(slot),
                        SlotEnd(slot)),
            "looking for a free slot"));
    if (!results[1].flag(0, 0)) return slot;
    last = slot;
  }
}

Result<StreamState> Opening::Create() {
  ARROW_ASSIGN_OR_RAISE(const int32_t slot, FreeSlot());
  StoredStream stream{.state = NewStreamState(spec_, slot), .table_id = table_->identity.id};
  TakeOver(spec_, &stream.state);
  ARROW_RETURN_NOT_OK(InsertStreamRow(connection_, place_, stream));
  return stream.state;
}

Result<StreamState> Opening::TakeOverStored() {
  StreamState state = mine_->state;
  TakeOver(spec_, &state);
  ARROW_RETURN_NOT_OK(UpdateOwner(connection_, place_, state));
  ARROW_ASSIGN_OR_RAISE(state.checkpoint.entries, ReadBatchMap(connection_, place_, state.slot));
  return state;
}

// Runs `work` in a transaction that ends with COMMIT where it succeeds.
template <class Work>
auto InTransaction(Connection& connection, Work work) -> decltype(work()) {
  // Conditions on rows are checked against what others have committed meanwhile.
  ARROW_RETURN_NOT_OK(connection.Execute("BEGIN ISOLATION LEVEL READ COMMITTED", "begin"));
  auto result = work();
  if (result.ok()) {
    ARROW_RETURN_NOT_OK(connection.Commit());
    return result;
  }
  if (connection.usable()) {
    const auto ended = connection.Execute("ROLLBACK", "rollback");
    if (!ended.ok()) Log().debug("rolling back: {}", ended.status().message());
  }
  return result;
}

Result<int64_t> PagesOf(Connection& connection, uint32_t table_id) {
  ARROW_ASSIGN_OR_RAISE(
      const Rows rows, connection.Query("SELECT coalesce(pg_relation_size($1::oid), 0) / "
                                        "current_setting('block_size')::int8",
                                        "looking at the table's size", {std::to_string(table_id)}));
  return rows.integer(0, 0);
}

}  // namespace

Result<StreamState> OpenStream(Connection& connection, const TablePlace& place,
                               const StreamSpec& spec, bool create_key, StreamTableCache* cache) {
  Opening opening(connection, place, spec, create_key);
  ARROW_ASSIGN_OR_RAISE(StreamState state,
                        InTransaction(connection, [&] { return opening.Run(); }));
  cache->Put(opening.table());
  // An earlier writer may have died before it summarised what it had committed.
  ARROW_ASSIGN_OR_RAISE(const int64_t pages, PagesOf(connection, opening.table()->identity.id));
  cache->Find(place.table)->summaries->SummariseUpTo(connection, pages);
  return state;
}

Result<std::vector<StreamState>> ReadStreams(Connection& connection, const TablePlace& place) {
  // One snapshot, so that checkpoint and batch map are of the same commit.
  ARROW_RETURN_NOT_OK(
      connection.Execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY", "begin"));
  std::vector<StreamState> states;
  ARROW_ASSIGN_OR_RAISE(auto streams, ReadStreamRows(connection, place));
  for (StoredStream& stream : streams) {
    ARROW_ASSIGN_OR_RAISE(stream.state.checkpoint.entries,
                          ReadBatchMap(connection, place, stream.state.slot));
    states.push_back(std::move(stream.state));
  }
  ARROW_RETURN_NOT_OK(connection.Execute("COMMIT", "commit"));
  return states;
}

Status ResetTable(Connection& connection, const TablePlace& place) {
  return InTransaction(connection, [&]() -> Status {
    ARROW_RETURN_NOT_OK(LockTableName(connection, place.table));
    // The table first: a writer that is at it has its lock, and will want its stream's row.
    ARROW_RETURN_NOT_OK(connection.Execute("DROP TABLE IF EXISTS " + place.qualified(),
                                           fmt::format("dropping table '{}'", place.table)));
    ARROW_ASSIGN_OR_RAISE(const auto streams, ReadStreamRows(connection, place));
    if (streams.empty()) return Status::OK();
    ARROW_RETURN_NOT_OK(connection.Execute(
        "DROP TABLE IF EXISTS " + QualifiedName(place.schema, ImagesName(streams[0].table_id)),
        "dropping the images"));
    return connection.ExecuteAll(ForgetTableSql(connection, place), "forgetting streams").status();
  });
}

Status CheckHasNoStreams(Connection& connection, const TablePlace& place) {
  ARROW_ASSIGN_OR_RAISE(const auto streams, ReadStreamRows(connection, place));
  return streams.empty() ? Status::OK() : HasStreams(place.table);
}

}  // namespace amp::postgresql
