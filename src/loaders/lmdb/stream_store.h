#pragma once

#include <optional>
#include <string>
#include <vector>

#include "amp/stream.h"
#include "loaders/lmdb/entries.h"

namespace amp::lmdb {

/// Keys: table, 00, stream → the stream's state as JSON, with `table_id`.
inline constexpr const char* kStreamsDatabase = "_amp_streams";
/// Keys: table, 00, last id of the entry → a line of the batch map as JSON.
inline constexpr const char* kBatchesDatabase = "_amp_batches";

/// The named databases in which streams are kept.
struct StreamDatabases {
  MDB_dbi streams = 0;
  MDB_dbi batches = 0;
  MDB_dbi undo = 0;

  /// None where they are not there and not to be made.
  static Result<std::optional<StreamDatabases>> Find(Environment* environment, bool create);
};

/// A stream's row.
struct StoredStream {
  StreamState state;     ///< without its batch map
  std::string table_id;  ///< of the table that it was opened on
};

/// The streams of one table, within one transaction.
class StreamStore {
 public:
  StreamStore(const Txn* txn, StreamDatabases databases, std::string table)
      : txn_(txn), databases_(databases), table_(std::move(table)) {}

  Result<std::optional<StoredStream>> Read(const std::string& stream) const;
  /// In the order of their slots.
  Result<std::vector<StoredStream>> ReadAll() const;
  Result<bool> Any() const;
  Status Write(const StoredStream& stream) const;

  Result<std::vector<BatchEntry>> ReadBatches(int32_t slot) const;
  /// Each in place of those whose ids lie within its own.
  Status PutBatches(const std::vector<BatchEntry>& entries) const;
  Status DropBatchesAfter(int32_t slot, int64_t batch_id) const;

  /// Drops everything about the table's streams. Epochs of streams to come go on above theirs, so
  /// that a writer from before never finds its own.
  Status Clear() const;
  /// The largest epoch that a dropped stream had.
  Result<int64_t> EpochFloor() const;

 private:
  const Txn* txn_;
  StreamDatabases databases_;
  std::string table_;
};

/// All streams of a table, with their batch maps.
Result<std::vector<StreamState>> ReadStates(const StreamStore& store);

}  // namespace amp::lmdb
