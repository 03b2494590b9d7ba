#include "loaders/delta/stream_open.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/failpoint.h"
#include "core/stream_state.h"
#include "core/uuid.h"
#include "loaders/delta/protocol/action_json.h"
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
    table_.Stored(stream);
    return table_.files().ReadWhole(stream);
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

/// Drops a table, in steps that can be broken off anywhere and begun again.
///
/// First comes a commit that empties the table and makes it another one: a writer that is at work
/// meanwhile finds its version taken, and readers find nothing whose files go. The entry of that
/// commit goes last, and with it the table.
class Dropping {
 public:
  explicit Dropping(DeltaTable* table) : table_(*table) {}

  Status Run() {
    const Status known = table_.Refresh();
    if (!known.ok() && !IsBroken(known)) return known;
    if (known.ok() && table_.exists()) ARROW_RETURN_NOT_OK(Empty());
    table_.Forget();
    ARROW_ASSIGN_OR_RAISE(const auto log, List(/*of_log=*/true));
    // No table: what else may lie there is not ours.
    if (log.empty()) return Status::OK();
    // It is broken, or was dropped by half.
    if (last_.empty()) ARROW_RETURN_NOT_OK(CloseLog());
    return DeleteAll();
  }

 private:
  static bool IsBroken(const Status& log) {
    const ErrorKind kind = KindOf(log);
    return kind == ErrorKind::kProtocol || kind == ErrorKind::kDataInvalid ||
           kind == ErrorKind::kUnsupported;
  }
  static std::string EntryPath(int64_t version) {
    return fmt::format("{}/{}", kLogFolder, CommitName(version));
  }

  Status Empty() {
    for (int plans = 1;; ++plans) {
      CommitDraft draft{.operation = "DROP TABLE", .actions = {}, .read = ReadScope::kTable};
      Metadata another = table_.snapshot().metadata();
      another.id = NewUuid();
      draft.actions.emplace_back(std::move(another));
      const int64_t now = UnixMillisNow();
      ARROW_RETURN_NOT_OK(table_.ForEachFile([&](const Add& add) {
        draft.actions.emplace_back(RemoveOf(add, now));
        return Status::OK();
      }));
      ARROW_ASSIGN_OR_RAISE(const auto conflict, table_.Commit(draft));
      if (!conflict) break;
      if (plans == kPlans) return ToStatus(*conflict, table_.name());
    }
    // Where the log could not be read again, CloseLog looks for its end.
    if (table_.exists()) last_ = EntryPath(table_.snapshot().version());
    return Status::OK();
  }

  /// Takes the version after the last one, where the log itself cannot be read.
  Status CloseLog() {
    for (int tries = 0; tries < kPlans; ++tries) {
      ARROW_ASSIGN_OR_RAISE(const auto log, List(/*of_log=*/true));
      const int64_t newest = NewestVersion(log);
      if (newest < 0) return Status::OK();
      std::string text;
      AppendAction(
          Action(CommitInfo{
              .timestamp = UnixMillisNow(), .operation = "DROP TABLE", .txn_id = NewUuid()}),
          &text);
      AppendAction(
          Action(Metadata{.id = NewUuid(), .schema_string = R"({"type":"struct","fields":[]})"}),
          &text);
      ARROW_ASSIGN_OR_RAISE(const auto outcome,
                            table_.store().PutIfAbsent(EntryPath(newest + 1), text));
      if (outcome == storage::PutOutcome::kExists) continue;
      last_ = EntryPath(newest + 1);
      return Status::OK();
    }
    return StillWritten();
  }

  static int64_t NewestVersion(const std::vector<std::string>& log) {
    int64_t newest = -1;
    for (const std::string& path : log) {
      const auto file = ParseLogFileName(path.substr(path.rfind('/') + 1));
      if (file) newest = std::max(newest, file->last_version);
    }
    return newest;
  }

  Status DeleteAll() {
    ARROW_ASSIGN_OR_RAISE(const auto data, List(/*of_log=*/false));
    ARROW_RETURN_NOT_OK(table_.store().Delete(data));
    ARROW_RETURN_NOT_OK(Failpoint("delta.reset_data"));
    ARROW_RETURN_NOT_OK(DeleteLog());
    ARROW_RETURN_NOT_OK(Failpoint("delta.reset_log"));
    if (!last_.empty()) ARROW_RETURN_NOT_OK(table_.store().Delete({last_}));
    return table_.store().RemoveEmptyFolders();
  }

  /// But for the last entry. Someone may be putting a checkpoint there: who does looks afterwards
  /// whether the log is still there, and what came before that is seen by the second listing.
  Status DeleteLog() {
    for (int tries = 0; tries < kPlans; ++tries) {
      ARROW_ASSIGN_OR_RAISE(auto log, List(/*of_log=*/true));
      std::erase(log, last_);
      if (log.empty()) return Status::OK();
      ARROW_RETURN_NOT_OK(table_.store().Delete(log));
    }
    return StillWritten();
  }

  Status StillWritten() const {
    return MakeError({.kind = ErrorKind::kConflict, .side = ErrorSide::kTarget},
                     fmt::format("table '{}': others go on writing to it; stop them, and reset it "
                                 "again",
                                 table_.name()));
  }

  Result<std::vector<std::string>> List(bool of_log) {
    ARROW_ASSIGN_OR_RAISE(const auto objects,
                          table_.store().List("", {.recursive = true, .unfinished = true}));
    const std::string folder = fmt::format("{}/", kLogFolder);
    std::vector<std::string> paths;
    for (const storage::ObjectInfo& object : objects) {
      if (object.path.starts_with(folder) == of_log) paths.push_back(object.path);
    }
    return paths;
  }

  DeltaTable& table_;
  std::string last_;  ///< the entry that goes last
};

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

Status ResetTable(DeltaTable* table) {
  const std::lock_guard lock(table->mutex());
  return Dropping(table).Run();
}

}  // namespace amp::delta
