#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <string>

#include "amp/loader.h"
#include "amp/stream_source.h"
#include "ledger/ledger.h"
#include "pipeline/stream_transactions.h"

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
  /// Another stream's batch begins: commits, with an open batch where the stream's rules end it so.
  Status MakeWay();

  /// When what is complete is due to be committed; never, where nothing waits or a batch is open.
  Clock::time_point commit_due() const;
  /// Commits what is complete; nothing happens where there is nothing, or while a batch is open.
  Status Commit();

  const Ledger& ledger() const { return ledger_; }
  int64_t epoch() const { return transactions_.ref().epoch; }
  const UndoReport& undone() const { return undone_; }
  int64_t rows_committed() const { return rows_committed_; }
  int64_t commits() const { return commits_; }

 private:
  StreamWriter(Loader* loader, const StreamOptions& options, std::shared_ptr<arrow::Schema> schema,
               WriteSpec spec, const StreamState& state, bool strict);

  Result<Effect> Apply(const LedgerStep& step, const arrow::RecordBatch* batch);
  Status Undo(int64_t id, const ReorgReport* report);
  bool full() const;
  void TellReorg(const ReorgReport& report, const UndoReport& undone);
  void TellCommit(const Checkpoint& checkpoint, Clock::duration latency);

  Loader* loader_;
  const StreamOptions& options_;
  Ledger ledger_;
  StreamTransactions transactions_;
  bool unflushed_undo_ = false;
  UndoReport undone_;               ///< by the last undo
  Clock::time_point first_wait_{};  ///< since when something complete waits
  int64_t rows_committed_ = 0, commits_ = 0;
};

}  // namespace amp
