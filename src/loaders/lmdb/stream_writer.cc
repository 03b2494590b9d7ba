#include "loaders/lmdb/stream_writer.h"

#include "core/failpoint.h"
#include "core/stream_state.h"

namespace amp::lmdb {
StreamWriter::StreamWriter(const Txn* txn, StreamDatabases databases, MDB_dbi rows,
                           const WriteSpec& spec)
    : table_(spec.table),
      mode_(spec.mode),
      ref_(*spec.stream),
      store_(txn, databases, spec.table),
      log_(txn, {.log = databases.undo, .rows = rows, .table = spec.table, .slot = ref_.slot}) {}

Result<std::unique_ptr<StreamWriter>> StreamWriter::Make(const Txn* txn, StreamDatabases databases,
                                                         MDB_dbi rows, const WriteSpec& spec) {
  std::unique_ptr<StreamWriter> writer(new StreamWriter(txn, databases, rows, spec));
  ARROW_ASSIGN_OR_RAISE(auto stored, writer->store_.Read(writer->ref_.name));
  writer->fits_ = writer->CheckFits(stored);
  if (stored) writer->stored_ = *std::move(stored);
  return writer;
}

Status StreamWriter::CheckFits(const std::optional<StoredStream>& stored) const {
  return stored ? CheckHeld(table_, ref_, stored->state) : StreamGone(table_, ref_.name);
}

Result<UndoReport> StreamWriter::UndoAfter(int64_t batch_id) {
  ARROW_RETURN_NOT_OK(fits_);
  ARROW_RETURN_NOT_OK(Failpoint("lmdb.before_undo"));
  const int64_t after = std::max(batch_id, SlotBase(ref_.slot));
  ARROW_ASSIGN_OR_RAISE(const UndoReport report, log_.UndoAfter(after));
  ARROW_RETURN_NOT_OK(store_.DropBatchesAfter(ref_.slot, after));
  ARROW_RETURN_NOT_OK(Failpoint("lmdb.after_undo"));
  return report;
}

Status StreamWriter::Put(const Checkpoint& checkpoint) {
  ARROW_RETURN_NOT_OK(fits_);
  ARROW_RETURN_NOT_OK(Failpoint("lmdb.before_checkpoint"));
  ARROW_RETURN_NOT_OK(log_.Flush());
  ARROW_RETURN_NOT_OK(store_.PutBatches(checkpoint.entries));
  ARROW_RETURN_NOT_OK(Prune(checkpoint));
  AdvanceTo(checkpoint, &stored_.state);
  return store_.Write(stored_);
}

// Images of upserts are needed only until their batches are final. What appends did is kept: any
// of them may be undone by hand. Where the map has become coarser, so may that.
Status StreamWriter::Prune(const Checkpoint& checkpoint) {
  if (mode_ != LoadMode::kAppend) {
    return checkpoint.final_id > SlotBase(ref_.slot) ? log_.DropUpTo(checkpoint.final_id)
                                                     : Status::OK();
  }
  for (const BatchEntry& entry : checkpoint.entries) {
    if (entry.first_id == entry.last_id) continue;
    ARROW_RETURN_NOT_OK(log_.JoinRuns(entry.first_id, entry.last_id));
  }
  return Status::OK();
}

}  // namespace amp::lmdb
