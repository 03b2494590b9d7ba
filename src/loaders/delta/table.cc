#include "loaders/delta/table.h"

#include <arrow/buffer.h>
#include <fmt/format.h>

#include <charconv>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

#include "core/log.h"
#include "core/stream_state.h"
#include "core/uuid.h"
#include "loaders/delta/protocol/action_json.h"
#include "loaders/delta/protocol/log_files.h"
#include "loaders/delta/protocol/table_properties.h"
#include "version.h"

namespace amp::delta {
namespace {

constexpr const char* kEngine = "ampload/" AMPLOAD_VERSION;

// Each is the outcome of several tries of the store.
constexpr int kLostAnswers = 4;

std::string CommitPath(int64_t version) {
  return fmt::format("{}/{}", kLogFolder, CommitName(version));
}

/// Those who lost a race do not all try again at once.
void WaitALittle(int lost) {
  thread_local std::mt19937 random{std::random_device{}()};
  const uint64_t most_ms = std::min(1U << std::min(lost, 8), 200U);
  std::this_thread::sleep_for(std::chrono::microseconds(random() % (most_ms * 1000)));
}

Status TooManyOthers(const TableName& table, int tries) {
  return MakeError(
      {.kind = ErrorKind::kConflict, .side = ErrorSide::kTarget, .operation = "commit"},
      fmt::format("table '{}': other writers were faster {} times, and nothing was stored. Try "
                  "again, or let them pause; option 'commit_tries' allows more",
                  table, tries));
}

Status TableVanished(const TableName& table) {
  return MakeError(
      {.kind = ErrorKind::kConflict, .side = ErrorSide::kTarget, .operation = "commit"},
      fmt::format("table '{}' was dropped by someone else while it was written; nothing is stored",
                  table));
}

Status AnswerLost(const TableName& table, const Status& why) {
  return MakeError(
      {.kind = ErrorKind::kCommitUnknown, .side = ErrorSide::kTarget, .operation = "commit"},
      fmt::format("table '{}': it is not known whether the commit was done{}{}; read the "
                  "checkpoint again",
                  table, why.ok() ? "" : ": ", why.ok() ? "" : why.message()));
}

// Of somebody else's entry: ours is never broken.
bool IsBroken(const Status& entry) {
  const ErrorKind kind = KindOf(entry);
  return kind == ErrorKind::kProtocol || kind == ErrorKind::kDataInvalid ||
         kind == ErrorKind::kUnsupported;
}

bool StoresStream(std::span<const Action> actions) {
  return std::any_of(actions.begin(), actions.end(), [](const Action& action) {
    const auto* txn = std::get_if<Txn>(&action);
    return txn != nullptr && StreamOfAppId(txn->app_id);
  });
}

bool Removes(const std::vector<Action>& actions) {
  return std::any_of(actions.begin(), actions.end(),
                     [](const Action& action) { return std::holds_alternative<Remove>(action); });
}

}  // namespace

std::optional<int64_t> LargestId(const Add& add) {
  const auto json = nlohmann::json::parse(add.stats, nullptr, /*allow_exceptions=*/false);
  if (!json.is_object()) return std::nullopt;
  const std::string column(kBatchIdColumn);
  const auto member = [&](const char* map) -> const nlohmann::json* {
    const auto values = json.find(map);
    if (values == json.end() || !values->is_object()) return nullptr;
    const auto value = values->find(column);
    return value == values->end() || !value->is_number_integer() ? nullptr : &*value;
  };
  if (const auto* most = member("maxValues"); most != nullptr) return most->get<int64_t>();
  const auto* nulls = member("nullCount");
  const auto rows = json.find("numRecords");
  const bool all_null = nulls != nullptr && rows != json.end() && *nulls == *rows;
  return all_null ? std::optional<int64_t>(-1) : std::nullopt;
}

bool HasNoBatch(const Add& add) {
  const auto tag = add.tags.find(kBatchTag);
  return tag != add.tags.end() && tag->second == kNoBatch;
}

std::optional<int64_t> BatchOf(const Add& add) {
  const auto tag = add.tags.find(kBatchTag);
  if (tag == add.tags.end() || !tag->second) return std::nullopt;
  int64_t id = 0;
  const std::string& text = *tag->second;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  return error == std::errc() && end == text.data() + text.size() ? std::optional(id)
                                                                  : std::nullopt;
}

bool MayBeUndone(const Add& add, const std::map<std::string, StoredStream>& streams) {
  if (streams.empty()) return false;
  if (const auto batch = BatchOf(add); batch) {
    const auto slot = static_cast<int32_t>(*batch >> kSlotShift);
    for (const auto& [name, stream] : streams) {
      if (stream.state.slot == slot) return *batch > stream.state.checkpoint.final_id;
    }
    return true;
  }
  if (HasNoBatch(add)) return false;
  // Another writer's: perhaps it has put rows of several batches into one file.
  const auto largest = LargestId(add);
  if (!largest) return true;
  return std::any_of(streams.begin(), streams.end(), [&](const auto& entry) {
    return *largest > entry.second.state.checkpoint.final_id;
  });
}

DeltaTable::DeltaTable(std::shared_ptr<storage::ObjectStore> store, TableName name,
                       int commit_tries)
    : store_(std::move(store)),
      name_(std::move(name)),
      commit_tries_(commit_tries),
      log_(LogStore(store_, "")) {}

Status DeltaTable::Refresh() {
  if (snapshot_) {
    ARROW_ASSIGN_OR_RAISE(const bool still_there, IsStillThere());
    if (still_there) return FollowLog();
  }
  return Load();
}

Status DeltaTable::EnsureKnown() {
  return snapshot_ && streams_at_ == snapshot_->version() ? Status::OK() : Refresh();
}

void DeltaTable::Forget() {
  snapshot_.reset();
  streams_.clear();
  streams_at_ = -1;
  forgotten_.clear();
  newest_commit_.clear();
}

int64_t DeltaTable::forgotten_up_to(int32_t slot) const {
  const auto found = forgotten_.find(slot);
  return found == forgotten_.end() ? SlotBase(slot) : found->second;
}

// Someone may have dropped the table and made another one in its place.
Result<bool> DeltaTable::IsStillThere() {
  ARROW_ASSIGN_OR_RAISE(const auto text, log_.log().ReadText(CommitName(snapshot_->version())));
  return text == newest_commit_;
}

// Which files an undo may need is known only once the streams are: a table that has some is read
// twice.
Status DeltaTable::Load() {
  Forget();
  const auto keep = [this](const Add& add) { return MayBeUndone(add, streams_); };
  ARROW_ASSIGN_OR_RAISE(auto loaded, log_.Load(keep));
  if (!loaded) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(streams_, ReadStreamsOf(*loaded));
  NoteFinalIds();
  if (!streams_.empty()) {
    ARROW_ASSIGN_OR_RAISE(loaded, log_.Load(keep));
    if (!loaded) return Status::OK();
  }
  snapshot_ = *std::move(loaded);
  // Without the text of the newest commit the table is read anew next time.
  ARROW_ASSIGN_OR_RAISE(const auto text, log_.log().ReadText(CommitName(snapshot_->version())));
  newest_commit_ = text.value_or("");
  return UpdateStreams();
}

Result<std::map<std::string, StoredStream>> DeltaTable::ReadStreamsOf(const Snapshot& snapshot) {
  std::map<std::string, StoredStream> streams;
  for (const auto& [app_id, txn] : snapshot.txns()) {
    const auto name = StreamOfAppId(app_id);
    if (!name) continue;
    const auto known = streams_.find(*name);
    if (known != streams_.end() && known->second.number == txn.version) {
      streams.emplace(*name, known->second);
      continue;
    }
    ARROW_ASSIGN_OR_RAISE(StoredStream stream, files().Read(*name, txn.version));
    streams.emplace(*name, std::move(stream));
  }
  return streams;
}

// Where an error has kept it from being done, it is done the next time: a snapshot that is newer
// than its streams would hide that someone has taken one over.
Status DeltaTable::UpdateStreams() {
  if (streams_at_ == snapshot_->version()) return Status::OK();
  const bool had_streams = !streams_.empty();
  ARROW_ASSIGN_OR_RAISE(auto streams, ReadStreamsOf(*snapshot_));
  // As long as there were none, no file was kept.
  if (!had_streams && !streams.empty() && streams_at_ >= 0) return Load();
  streams_ = std::move(streams);
  streams_at_ = snapshot_->version();
  NoteFinalIds();
  return Status::OK();
}

// A stream that is undone far back has a lower final id then, but what was forgotten stays so.
void DeltaTable::NoteFinalIds() {
  for (const auto& [name, stream] : streams_) {
    int64_t& id = forgotten_[stream.state.slot];
    id = std::max(id, stream.state.checkpoint.final_id);
  }
}

Status DeltaTable::FollowLog() {
  while (true) {
    const int64_t next = snapshot_->version() + 1;
    ARROW_ASSIGN_OR_RAISE(auto entry, ReadEntry(next));
    if (!entry) break;
    ARROW_RETURN_NOT_OK(Follow(next, *std::move(entry)));
  }
  return UpdateStreams();
}

Result<std::optional<DeltaTable::LogEntry>> DeltaTable::ReadEntry(int64_t version) const {
  const std::string name = CommitName(version);
  ARROW_ASSIGN_OR_RAISE(auto text, log_.log().ReadText(name));
  if (!text) return std::nullopt;
  ARROW_ASSIGN_OR_RAISE(auto actions, ParseActions(*text, store_->Describe(CommitPath(version))));
  return LogEntry{.text = *std::move(text), .actions = std::move(actions)};
}

Status DeltaTable::Follow(int64_t version, LogEntry entry) {
  ARROW_RETURN_NOT_OK(snapshot_->Advance(version, entry.actions));
  newest_commit_ = std::move(entry.text);
  return Status::OK();
}

Status DeltaTable::ForEachFile(const std::function<Status(const Add&)>& each) {
  ARROW_ASSIGN_OR_RAISE(FileStream files, log_.Files(snapshot_->version()));
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto add, files.Next());
    if (!add) return Status::OK();
    ARROW_RETURN_NOT_OK(each(*add));
  }
}

DeltaTable::LogEntry DeltaTable::EntryOf(const CommitDraft& draft, const std::string& txn_id,
                                         int64_t version) const {
  const int64_t now = UnixMillisNow();
  CommitInfo info{.timestamp = now,
                  .operation = draft.operation,
                  .isolation_level = "Serializable",
                  .is_blind_append = draft.read == ReadScope::kNothing && !Removes(draft.actions),
                  .engine_info = kEngine,
                  .txn_id = txn_id};
  if (version > 0) info.read_version = version - 1;
  std::vector<std::string> parameters;
  for (const auto& [name, json] : draft.parameters) {
    parameters.push_back(fmt::format("{}:{}", nlohmann::json(name).dump(), json));
  }
  info.operation_parameters = fmt::format("{{{}}}", fmt::join(parameters, ","));
  info.operation_metrics = fmt::format(R"({{"numOutputRows":"{}"}})", draft.rows);
  if (snapshot_ && PropertiesOf(snapshot_->metadata()).enable_in_commit_timestamps) {
    info.in_commit_timestamp = std::max(now, snapshot_->in_commit_timestamp().value_or(0) + 1);
  }
  LogEntry entry;
  entry.actions.reserve(draft.actions.size() + 1);
  entry.actions.emplace_back(std::move(info));
  entry.actions.insert(entry.actions.end(), draft.actions.begin(), draft.actions.end());
  for (const Action& action : entry.actions) AppendAction(action, &entry.text);
  return entry;
}

Result<std::optional<Conflict>> DeltaTable::Commit(const CommitDraft& draft) {
  const std::string txn_id = NewUuid();
  bool may_come = false;  // a try at this version whose answer was lost
  int lost_answers = 0;
  for (int lost = 0; lost < commit_tries_ && lost_answers < kLostAnswers;) {
    const int64_t version = next_version();
    LogEntry entry = EntryOf(draft, txn_id, version);
    const auto outcome = Put(version, entry.text, txn_id);
    if (!outcome.ok()) return may_come ? AnswerLost(name_, outcome.status()) : outcome.status();
    if (*outcome == Outcome::kCommitted) {
      ARROW_RETURN_NOT_OK(CheckNotDropped(version));
      FollowOwn(version, std::move(entry));
      return std::nullopt;
    }
    // Whoever has taken the version keeps ours from coming.
    may_come = *outcome == Outcome::kNothing;
    may_come ? ++lost_answers : ++lost;
    WaitALittle(lost + lost_answers);
    if (may_come) continue;
    ARROW_ASSIGN_OR_RAISE(const auto conflict, FollowWinners(draft));
    if (conflict) return conflict;
  }
  return may_come ? AnswerLost(name_, Status::OK()) : TooManyOthers(name_, commit_tries_);
}

// Who drops a table deletes its log: a commit that comes after that would be all there is of it.
Status DeltaTable::CheckNotDropped(int64_t version) {
  if (!snapshot_ || newest_commit_.empty()) return Status::OK();
  const auto before = log_.log().ReadText(CommitName(version - 1));
  // Where that cannot be read just now, the table is there as far as anybody knows.
  if (!before.ok() || *before) return Status::OK();
  snapshot_.reset();
  ARROW_RETURN_NOT_OK(store_->Delete({CommitPath(version)}));
  ARROW_RETURN_NOT_OK(store_->RemoveEmptyFolders());
  return TableVanished(name_);
}

// It is committed: what fails from here on only means that the log is read anew next time.
void DeltaTable::FollowOwn(int64_t version, LogEntry entry) {
  const bool opens = StoresStream(entry.actions);
  const Status status = snapshot_ ? Follow(version, std::move(entry)) : Load();
  if (status.ok() && streams_at_ + 1 == version && !opens) streams_at_ = version;
  if (status.ok()) return;
  Log().debug("reading the log of '{}' again: {}", name_, status.message());
  snapshot_.reset();
}

// The snapshot is up to date afterwards: the next try is for the newest version, and what was
// planned on the old one can be planned anew.
Result<std::optional<Conflict>> DeltaTable::FollowWinners(const CommitDraft& draft) {
  const int64_t lost = next_version();
  if (!snapshot_) {
    ARROW_RETURN_NOT_OK(Load());
    return Conflict{ConflictKind::kMetadata, lost, "it made the table", ""};
  }
  std::optional<Conflict> conflict;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(auto winner, ReadEntry(next_version()));
    if (!winner) break;
    if (!conflict) conflict = ConflictWith(draft, next_version(), winner->actions);
    ARROW_RETURN_NOT_OK(Follow(next_version(), *std::move(winner)));
  }
  const int64_t next = next_version();
  if (next == lost) {
    snapshot_.reset();
    return TableVanished(name_);
  }
  ARROW_RETURN_NOT_OK(UpdateStreams());
  if (conflict || next == next_version()) return conflict;
  // It was read anew, and perhaps beyond commits that nobody has looked at here.
  return Conflict{ConflictKind::kMetadata, lost, "it began a stream", ""};
}

// An answer that was lost is looked for in the log. A commit that is still on its way finds its
// version taken, if we go on to the next one.
Result<DeltaTable::Outcome> DeltaTable::Put(int64_t version, const std::string& text,
                                            const std::string& txn_id) {
  const auto put = store_->PutIfAbsent(CommitPath(version), text);
  if (!put.ok() && KindOf(put.status()) != ErrorKind::kCommitUnknown) return put.status();
  if (put.ok() && *put == storage::PutOutcome::kWritten) return Outcome::kCommitted;
  return LookFor(version, txn_id, /*answer_lost=*/!put.ok());
}

// "Exists" may mean our own entry, too: by an earlier try, or one that a library has repeated.
Result<DeltaTable::Outcome> DeltaTable::LookFor(int64_t version, const std::string& txn_id,
                                                bool answer_lost) {
  const auto there = ReadEntry(version);
  if (!there.ok() && IsBroken(there.status())) return there.status();
  if (!there.ok()) return AnswerLost(name_, there.status());
  if (*there) return HasTxnId((*there)->actions, txn_id) ? Outcome::kCommitted : Outcome::kTaken;
  // It was there a moment ago: FollowWinners says what has become of the table.
  return answer_lost ? Outcome::kNothing : Outcome::kTaken;
}

std::optional<Conflict> DeltaTable::ConflictWith(const CommitDraft& draft, int64_t version,
                                                 std::span<const Action> winner) const {
  const bool serializable = PropertiesOf(snapshot_->metadata()).serializable;
  const CommitIntent intent{
      .read = draft.read, .serializable = serializable, .actions = draft.actions};
  if (auto conflict = FindConflict(intent, version, winner); conflict) return conflict;
  if (!draft.opens_stream) return std::nullopt;
  for (const Action& action : winner) {
    const auto* txn = std::get_if<Txn>(&action);
    const auto stream = txn == nullptr ? std::nullopt : StreamOfAppId(txn->app_id);
    // Commits of streams that are known take no slot.
    if (!stream || streams_.contains(*stream)) continue;
    return Conflict{ConflictKind::kTransaction, version, "it opened a stream", ""};
  }
  return std::nullopt;
}

void DeltaTable::Stored(StoredStream stream) {
  const std::string name = stream.state.name;
  streams_[name] = std::move(stream);
  if (!snapshot_) return;
  // The commit that stored it was the one after the version that the others are of.
  if (streams_at_ + 1 == snapshot_->version()) streams_at_ = snapshot_->version();
  NoteFinalIds();
  snapshot_->Forget([this](const Add& add) { return MayBeUndone(add, streams_); });
}

}  // namespace amp::delta
