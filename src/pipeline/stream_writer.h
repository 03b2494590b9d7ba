#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "amp/loader.h"
#include "amp/stream_source.h"
#include "ledger/ledger.h"

namespace amp {

/// One stream on its way into its target: the ledger's steps, carried out in transactions. Belongs
/// to one thread.
///
/// After an error from the target (side kTarget) the writer is of no more use: what is in the
/// target is known only when the stream is opened there again.
class StreamWriter {
 public:
  using Clock = std::chrono::steady_clock;

  /// Opens the stream in the target. `source_schema` is what messages bring: that of the spec
  /// without the columns that streams add. `strict`: see LedgerOptions.
  static Result<std::unique_ptr<StreamWriter>> Open(Loader* loader, const StreamSpec& spec,
                                                    std::shared_ptr<arrow::Schema> source_schema,
                                                    const StreamOptions& options, bool strict);

  /// What a message changed.
  struct Effect {
    bool news = false;       ///< something was written, completed or undone
    bool completed = false;  ///< a batch is complete
    bool reconnect = false;  ///< the source is to be asked anew
  };
  Result<Effect> Take(const StreamMessage& message);
  /// The connection is gone: takes the open batch back.
  Status Interrupt();
  Status UndoFrom(const ReorgNotice& notice);

  /// When what is complete is due to be committed; never, where nothing waits or a batch is open.
  Clock::time_point commit_due() const;
  /// Commits what is complete; nothing happens where there is nothing, or while a batch is open.
  Status Commit();

  const Ledger& ledger() const { return ledger_; }
  int64_t epoch() const { return ref_.epoch; }
  const UndoReport& undone() const { return undone_; }
  int64_t rows_committed() const { return rows_committed_; }
  int64_t commits() const { return commits_; }

 private:
  /// What a batch has brought into the transaction.
  struct Written {
    int64_t id;
    int64_t rows;
    int64_t bytes;
  };

  StreamWriter(Loader* loader, const StreamOptions& options, WriteSpec spec,
               const StreamState& state, bool strict);

  Status Begin();
  Result<Effect> Apply(const LedgerStep& step, const arrow::RecordBatch* batch);
  Status Undo(int64_t id, const ReorgReport* report);
  Status Write(const BatchRecord& record, const arrow::RecordBatch& batch);
  void Forget(int64_t after_id);
  bool full() const;
  void TellReorg(const ReorgReport& report, const UndoReport& undone);
  void TellCommit(const Checkpoint& checkpoint, Clock::duration latency);

  Loader* loader_;
  const StreamOptions& options_;
  WriteSpec spec_;
  std::shared_ptr<arrow::Schema> source_schema_;
  StreamRef ref_;
  Ledger ledger_;
  std::unique_ptr<Transaction> transaction_;
  bool recovered_ = false;  ///< what an earlier run left above the checkpoint is gone
  bool unflushed_undo_ = false;
  UndoReport undone_;               ///< by the last undo
  Clock::time_point first_wait_{};  ///< since when something complete waits
  std::vector<Written> written_;    ///< in the transaction
  int64_t rows_ = 0, bytes_ = 0;    ///< their sums
  int64_t rows_committed_ = 0, commits_ = 0;
};

}  // namespace amp
