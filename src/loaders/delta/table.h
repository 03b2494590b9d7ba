#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "amp/transaction.h"
#include "loaders/delta/log_reader.h"
#include "loaders/delta/protocol/conflict.h"
#include "loaders/delta/protocol/snapshot.h"
#include "loaders/delta/stream_files.h"
#include "storage/object_store.h"

namespace amp::delta {

/// The tag that names the batch of a file that a stream has written; "none" for rows that a load
/// has put beside those of streams.
inline constexpr const char* kBatchTag = "ampload.batch";
inline constexpr const char* kNoBatch = "none";

/// A commit that is to be made.
struct CommitDraft {
  std::string operation;        ///< "WRITE", as other writers call it
  StringMap parameters = {};    ///< name → JSON text
  int64_t rows = 0;             ///< that it adds
  std::vector<Action> actions;  ///< all but the commitInfo
  ReadScope read = ReadScope::kNothing;
  /// Another's opening of a stream is a conflict: both would take the same slot.
  bool opens_stream = false;
};

/// A table's log as one process knows it: its newest version, and what of it an undo may need.
/// Whoever uses it holds its mutex.
class DeltaTable {
 public:
  DeltaTable(std::shared_ptr<storage::ObjectStore> store, TableName name, int commit_tries);

  std::mutex& mutex() { return mutex_; }
  const TableName& name() const { return name_; }
  storage::ObjectStore& store() { return *store_; }
  const std::shared_ptr<storage::ObjectStore>& shared_store() const { return store_; }

  /// Reads what is new in the log; work in proportion to that.
  Status Refresh();
  /// Reads the log where an error or a reset has left nothing known; else nothing.
  Status EnsureKnown();
  /// The table is gone, or another one.
  void Forget();
  bool exists() const { return snapshot_.has_value(); }
  const Snapshot& snapshot() const { return *snapshot_; }

  /// The table's streams, as the newest version has them; without their batch maps.
  const std::map<std::string, StoredStream>& streams() const { return streams_; }
  /// Of this slot, files of batches up to this id may be missing in the snapshot.
  int64_t forgotten_up_to(int32_t slot) const;
  StreamFiles files() { return StreamFiles(store_.get()); }

  /// All files of the newest version, also those that are not kept in memory.
  Status ForEachFile(const std::function<Status(const Add&)>& each);

  /// Makes the draft the next version, after those that others make meanwhile, unless one of them
  /// forbids it: then that conflict comes back, and the snapshot is up to date. CommitUnknown where
  /// no answer came.
  Result<std::optional<Conflict>> Commit(const CommitDraft& draft);
  /// Takes the state of a stream that `Commit` has just stored.
  void Stored(StoredStream stream);

 private:
  enum class Outcome {
    kCommitted,
    kTaken,    ///< the version is somebody else's
    kNothing,  ///< the answer was lost, and the version is not there: it may still come
  };

  /// A commit as it is in the log.
  struct LogEntry {
    std::string text;
    std::vector<Action> actions;
  };

  Status Load();
  Result<bool> IsStillThere();
  Status FollowLog();
  Result<std::optional<LogEntry>> ReadEntry(int64_t version) const;
  Status Follow(int64_t version, LogEntry entry);
  void FollowOwn(int64_t version, LogEntry entry);
  Result<std::optional<Conflict>> FollowWinners(const CommitDraft& draft);
  Result<std::map<std::string, StoredStream>> ReadStreamsOf(const Snapshot& snapshot);
  Status UpdateStreams();
  void NoteFinalIds();

  int64_t next_version() const { return snapshot_ ? snapshot_->version() + 1 : 0; }
  LogEntry EntryOf(const CommitDraft& draft, const std::string& txn_id, int64_t version) const;
  Result<Outcome> Put(int64_t version, const std::string& text, const std::string& txn_id);
  Result<Outcome> LookFor(int64_t version, const std::string& txn_id, bool answer_lost);
  Status CheckNotDropped(int64_t version);
  std::optional<Conflict> ConflictWith(const CommitDraft& draft, int64_t version,
                                       std::span<const Action> winner) const;

  const std::shared_ptr<storage::ObjectStore> store_;
  const TableName name_;
  const int commit_tries_;
  std::mutex mutex_;
  LogReader log_;
  std::optional<Snapshot> snapshot_;
  std::map<std::string, StoredStream> streams_;
  int64_t streams_at_ = -1;               ///< the version that `streams_` is of
  std::map<int32_t, int64_t> forgotten_;  ///< slot → the highest final id so far
  /// The text of the newest version's commit, by which the table is known again.
  std::string newest_commit_;
};

/// Is the file perhaps to be undone: is it of a batch that is not final, or of nobody knows which?
bool MayBeUndone(const Add& add, const std::map<std::string, StoredStream>& streams);
/// The batch of a file that a stream wrote.
std::optional<int64_t> BatchOf(const Add& add);
/// Is it of a load that put rows beside those of streams?
bool HasNoBatch(const Add& add);
/// The largest batch id that statistics show; none where they do not say. Nulls are no ids: -1.
std::optional<int64_t> LargestId(const Add& add);

}  // namespace amp::delta
