#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "amp/loader.h"

namespace amp {

/// The transactions in which one stream comes into its target, one after another: what streams and
/// jobs have in common. Belongs to one thread.
///
/// After an error from the target (side kTarget) it is of no more use: what is in the target is
/// known only when the stream is opened there again.
class StreamTransactions {
 public:
  using Clock = std::chrono::steady_clock;

  /// `schema` is the source's; `spec` has that schema with the stream's columns, and `state` is
  /// what opening the stream gave.
  StreamTransactions(Loader* loader, std::shared_ptr<arrow::Schema> schema, WriteSpec spec,
                     const StreamState& state);

  /// Begins a transaction where there is none. The first one takes back what an earlier writer left
  /// above its last checkpoint.
  Status Begin();
  /// Begins, and writes a batch of the source's schema.
  Status Write(const BatchRecord& record, const arrow::RecordBatch& batch);
  Result<UndoReport> UndoAfter(int64_t id);
  /// How long the commit itself took. What was written counts until Clear.
  Result<Clock::duration> Commit(const Checkpoint& checkpoint);
  Status Rollback();

  const StreamRef& ref() const { return ref_; }
  /// Rows and Arrow bytes in the transaction.
  int64_t rows() const { return rows_; }
  int64_t bytes() const { return bytes_; }
  /// Has rows of a batch above `id`.
  bool HasAbove(int64_t id) const { return !written_.empty() && written_.back().id > id; }
  void Clear();

 private:
  /// What a batch has brought into the transaction.
  struct Written {
    int64_t id;
    int64_t rows;
    int64_t bytes;
  };

  void Note(int64_t id, const arrow::RecordBatch& batch);
  void Forget(int64_t after_id);

  Loader* loader_;
  std::shared_ptr<arrow::Schema> source_schema_;
  WriteSpec spec_;
  StreamRef ref_;
  std::unique_ptr<Transaction> transaction_;
  int64_t found_id_;        ///< the last one of the checkpoint that was found
  bool recovered_ = false;  ///< what an earlier writer left above it is gone
  std::vector<Written> written_;
  int64_t rows_ = 0, bytes_ = 0;  ///< their sums
};

}  // namespace amp
