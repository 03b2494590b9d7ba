#pragma once

#include <string>
#include <unordered_set>

#include "amp/stream.h"
#include "loaders/lmdb/entries.h"
#include "loaders/lmdb/undo_lines.h"

namespace amp::lmdb {

/// The named database of what is needed to undo; keys: table, 00, batch id, number of the line.
inline constexpr const char* kUndoDatabase = "_amp_undo";

/// Writes down what the batches of one stream do to its table, and takes them back. Lives within
/// one write transaction.
class UndoLog {
 public:
  struct Place {
    MDB_dbi log = 0;
    MDB_dbi rows = 0;
    std::string table;
    int32_t slot = 0;
  };
  UndoLog(const Txn* txn, Place place) : txn_(txn), place_(std::move(place)) {}

  /// Rows of the batch were added under these numbers.
  Status AddRun(int64_t batch_id, RowRun run);
  /// A row of the batch was put; `put.before` is what lay under its key.
  Status AddPut(int64_t batch_id, const PutRecord& put);
  /// Writes what AddPut has gathered. To be called before a commit.
  Status Flush();

  /// Takes back all batches above `batch_id`, the newest row first, so that a key gets what it had
  /// before the earliest of them. A row that is not as its batch left it stays.
  Result<UndoReport> UndoAfter(int64_t batch_id);

  /// Joins the runs of the batches from one id to another, which are undone together from now on.
  Status JoinRuns(int64_t first_id, int64_t last_id);
  /// Drops the lines of batches up to this id.
  Status DropUpTo(int64_t batch_id);

 private:
  /// The batch that is being written.
  struct Open {
    int64_t batch_id = -1;
    uint32_t next_line = 0;
    RowRun run;  ///< of the line before `next_line`, where `has_run`
    bool has_run = false;
    std::string puts;
  };
  struct Outcome {
    UndoReport report;
    std::unordered_set<std::string> restored;  ///< keys
    std::unordered_set<std::string> left;
  };

  Status Turn(int64_t batch_id);
  Status WriteLine(const std::string& line);
  Result<uint32_t> NextLine(uint64_t batch_id) const;
  Status UndoLine(std::string_view line, Outcome* outcome);
  Status UndoRun(const RowRun& run, Outcome* outcome);
  Status UndoPut(const PutRecord& put, Outcome* outcome);
  Result<std::vector<RowRun>> TakeRuns(uint64_t first_id, uint64_t last_id);

  const Txn* txn_;
  Place place_;
  Open open_;
};

}  // namespace amp::lmdb
