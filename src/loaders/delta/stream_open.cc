#include "loaders/delta/stream_open.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/stream_state.h"
#include "core/uuid.h"
#include "loaders/delta/protocol/log_files.h"
#include "loaders/delta/protocol/schema_json.h"

namespace amp::delta {
namespace {

constexpr int kPlans = 20;

/// One opening, on the newest version of the table.
class Opening {
 public:
  Opening(DeltaTable* table, const DeltaLakeStorageConfig& config, const StreamSpec& spec)
      : table_(*table), config_(config), spec_(spec) {}

  /// Everything is checked before anything is written. None where someone else was first.
  Result<std::optional<StreamState>> Run() {
    ARROW_RETURN_NOT_OK(table_.Refresh());
    ARROW_ASSIGN_OR_RAISE(StoredStream stream, FindOrMake());
    ARROW_RETURN_NOT_OK(FitTable());
    TakeOver(spec_, &stream.state);
    stream.table_id = table_id_;
    ARROW_RETURN_NOT_OK(table_.files().Write(&stream));
    draft_.actions.emplace_back(TxnOf(stream));
    ARROW_ASSIGN_OR_RAISE(const auto conflict, table_.Commit(draft_));
    if (conflict) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(StreamState state, table_.files().ReadWhole(stream));
    table_.Stored(std::move(stream));
    return state;
  }

 private:
  Result<StoredStream> FindOrMake() {
    const auto& streams = table_.streams();
    const auto found = streams.find(spec_.name);
    if (found == streams.end()) return MakeStream();
    StoredStream stream = found->second;
    if (stream.table_id != table_.snapshot().metadata().id) {
      return TableReplaced(spec_.table, spec_.name);
    }
    ARROW_RETURN_NOT_OK(CheckStreamFits(spec_, stream.state));
    if (spec_.accept_query) stream.state.query = spec_.query;
    return stream;
  }

  Result<StoredStream> MakeStream() {
    if (spec_.held_epoch) return StreamGone(spec_.table, spec_.name);
    int32_t last = -1;
    for (const auto& [name, stream] : table_.streams()) last = std::max(last, stream.state.slot);
    ARROW_ASSIGN_OR_RAISE(const int32_t slot, SlotAfter(spec_.table, last));
    draft_.opens_stream = true;
    StoredStream stream;
    stream.state = NewStreamState(spec_, slot);
    return stream;
  }

  Status FitTable() {
    if (table_.exists()) {
      table_id_ = table_.snapshot().metadata().id;
      ARROW_RETURN_NOT_OK(AdoptWhereWanted());
    }
    if (!draft_.actions.empty()) return Status::OK();
    ARROW_ASSIGN_OR_RAISE(WritePlan plan, PlanWrite(table_, config_, *spec_.schema));
    if (!plan.new_table) return Status::OK();
    table_id_ = plan.new_table->id;
    draft_.actions = {*plan.new_protocol, *plan.new_table};
    return Status::OK();
  }

  /// A table that has no column for batch ids gets it, with nulls in the rows that are there.
  Status AdoptWhereWanted() {
    const Metadata& metadata = table_.snapshot().metadata();
    ARROW_ASSIGN_OR_RAISE(const auto columns, SchemaFromJson(metadata.schema_string));
    if (columns->GetFieldIndex(std::string(kBatchIdColumn)) >= 0) return Status::OK();
    if (!spec_.adopt) return NotMadeForStreams(spec_.table);
    ARROW_RETURN_NOT_OK(CheckMayWrite(table_));
    arrow::FieldVector fields = columns->fields();
    for (const auto& field : spec_.schema->fields()) {
      if (IsStreamColumn(field->name())) fields.push_back(field->WithNullable(true));
    }
    const arrow::Schema adopted(fields);
    ARROW_RETURN_NOT_OK(PlanColumnsFor(adopted, *spec_.schema, TypeOptionsOf(config_)).status());
    Metadata changed = metadata;
    ARROW_ASSIGN_OR_RAISE(changed.schema_string, SchemaToJson(adopted));
    draft_.actions.emplace_back(std::move(changed));
    return Status::OK();
  }

  DeltaTable& table_;
  const DeltaLakeStorageConfig& config_;
  const StreamSpec& spec_;
  CommitDraft draft_{.operation = "OPEN STREAM", .actions = {}};
  std::string table_id_;
};

bool IsLog(const storage::ObjectInfo& object) { return object.path.starts_with(kLogFolder); }

Result<std::vector<std::string>> Paths(DeltaTable* table, bool log) {
  ARROW_ASSIGN_OR_RAISE(const auto objects, table->store().List("", {.recursive = true}));
  std::vector<std::string> paths;
  for (const storage::ObjectInfo& object : objects) {
    if (IsLog(object) == log) paths.push_back(object.path);
  }
  return paths;
}

}  // namespace

Result<StreamState> OpenStream(const WriteContext& context, const StreamSpec& spec) {
  const std::lock_guard lock(context.table->mutex());
  for (int plans = 0; plans < kPlans; ++plans) {
    ARROW_ASSIGN_OR_RAISE(auto state, Opening(context.table.get(), *context.config, spec).Run());
    if (state) return *std::move(state);
  }
  return MakeError({.kind = ErrorKind::kConflict, .side = ErrorSide::kTarget},
                   fmt::format("table '{}': others opened streams of it {} times in between; try "
                               "again",
                               spec.table, kPlans));
}

Result<std::vector<StreamState>> ReadStreams(DeltaTable* table) {
  const std::lock_guard lock(table->mutex());
  ARROW_RETURN_NOT_OK(table->Refresh());
  std::vector<StreamState> states;
  if (!table->exists()) return states;
  for (const auto& [name, stream] : table->streams()) {
    ARROW_ASSIGN_OR_RAISE(states.emplace_back(), table->files().ReadWhole(stream));
  }
  std::sort(states.begin(), states.end(),
            [](const StreamState& a, const StreamState& b) { return a.slot < b.slot; });
  return states;
}

// A writer that is at work meanwhile must not commit into what is being deleted: it finds its
// version taken by a commit that makes the table another one. That commit goes last.
Status ResetTable(DeltaTable* table) {
  const std::lock_guard lock(table->mutex());
  ARROW_RETURN_NOT_OK(table->Refresh());
  if (!table->exists()) return Status::OK();
  Metadata another = table->snapshot().metadata();
  another.id = NewUuid();
  ARROW_ASSIGN_OR_RAISE(
      const auto conflict,
      table->Commit({.operation = "DROP TABLE", .actions = {Action(std::move(another))}}));
  if (conflict) return ToStatus(*conflict, table->name());
  ARROW_ASSIGN_OR_RAISE(const auto data, Paths(table, /*log=*/false));
  ARROW_RETURN_NOT_OK(table->store().Delete(data));
  ARROW_ASSIGN_OR_RAISE(auto log, Paths(table, /*log=*/true));
  const std::string last =
      fmt::format("{}/{}", kLogFolder, CommitName(table->snapshot().version()));
  std::erase(log, last);
  ARROW_RETURN_NOT_OK(table->store().Delete(log));
  ARROW_RETURN_NOT_OK(table->store().Delete({last}));
  return table->Refresh();
}

}  // namespace amp::delta
