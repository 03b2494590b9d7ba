#pragma once

#include <string>

#include "amp/transaction.h"
#include "loaders/lmdb/stream_store.h"
#include "loaders/lmdb/undo_log.h"

namespace amp::lmdb {

/// The stream's side of one write transaction: what may be undone, and the checkpoint.
class StreamWriter {
 public:
  /// Reads the stream's row. `rows` are the table's.
  static Result<std::unique_ptr<StreamWriter>> Make(const Txn* txn, StreamDatabases databases,
                                                    MDB_dbi rows, const WriteSpec& spec);

  /// Conflict unless the stream is as this writer left it. Nothing can change it while the
  /// transaction is open, so that it is known from the start.
  const Status& fits() const { return fits_; }
  UndoLog& log() { return log_; }

  Result<UndoReport> UndoAfter(int64_t batch_id);
  /// Writes the checkpoint into the transaction.
  Status Put(const Checkpoint& checkpoint);

 private:
  StreamWriter(const Txn* txn, StreamDatabases databases, MDB_dbi rows, const WriteSpec& spec);
  Status CheckFits(const std::optional<StoredStream>& stored) const;
  Status Prune(const Checkpoint& checkpoint);

  std::string table_;
  LoadMode mode_;
  StreamRef ref_;
  StreamStore store_;
  UndoLog log_;
  StoredStream stored_;
  Status fits_;
};

}  // namespace amp::lmdb
