#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "pipeline/backoff.h"
#include "pipeline/stream_reader.h"
#include "pipeline/stream_writer.h"

namespace amp {

/// Follows a stream until it is told to end: connects both sides, brings messages to the writers,
/// commits in time, and begins anew where a side fails in a way that may pass.
///
/// After any failure the connection of the source is dropped; after one of the target its state is
/// read again too, and the source resumed where that says: the target may be at an earlier moment,
/// and whether a commit whose answer was lost took place is seen there.
class StreamRun {
 public:
  StreamRun(Loader* loader, StreamSource* source, TableName table, const StreamOptions& options);
  ~StreamRun();

  /// Until the end that the options ask for (OK), or a failure that stays.
  Status Run();
  /// Ends Run after a commit of what is complete.
  void EndAfterCommit() { done_ = true; }
  int64_t rows_committed() const;
  int64_t commits() const;
  int64_t queued_bytes() const { return reader_.queued_bytes(); }
  /// The reorg that was refused, after ReorgTooDeep.
  std::optional<ReorgNotice> too_deep() const;

 private:
  using Clock = std::chrono::steady_clock;

  bool stopping() const;
  Status Step();
  Status Connect();
  Status FinishConnecting(const std::shared_ptr<arrow::Schema>& schema);
  Status OpenWriters(const std::shared_ptr<arrow::Schema>& schema);
  Status OpenWriter(const std::string& name, const std::shared_ptr<arrow::Schema>& schema);
  Status HandleItem(const StreamReader::Item& item);
  Status HandleMessage(const StreamMessage& message);
  Status HandleEffect(const StreamWriter::Effect& effect);
  Status HandleQuiet();
  Status HandleSourceEnd();
  Status MakeWayFor(const std::string& name);
  Result<StreamWriter*> WriterFor(const StreamMessage& message);
  Status CommitDue();
  Status CommitAll();
  Status InterruptAll();
  bool CaughtUp() const;
  bool CameToTheBlock() const;
  Clock::time_point NextWake() const;
  /// OK when a new try is to be made; else the failure that stays.
  Status Recover(const Status& failure);
  void TellRetry(const Status& failure, std::chrono::milliseconds pause) const;
  Status Finish(const Status& why);
  BlockRanges ResumePoint() const;
  void DropTarget();

  Loader* loader_;
  StreamSource* source_;
  TableName table_;
  const StreamOptions& options_;
  StreamReader reader_;
  Backoff backoff_;
  /// By name; an endless source has just one.
  std::map<std::string, std::unique_ptr<StreamWriter>> writers_;
  std::map<std::string, int64_t> held_epochs_;
  std::shared_ptr<arrow::Schema> schema_;
  BlockRanges resumed_from_;
  bool connected_ = false;  ///< the schema has come
  bool news_since_connected_ = false;
  bool done_ = false;
  int reconnects_ = 0;  ///< that the ledger asked for, since a batch was complete
  Clock::time_point last_news_{}, connected_at_{};
  int64_t rows_before_ = 0, commits_before_ = 0;  ///< of writers that are gone
};

}  // namespace amp
