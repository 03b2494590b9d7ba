#pragma once

#include <chrono>
#include <cstdint>
#include <mutex>
#include <optional>
#include <string>

#include "loaders/postgresql/connection.h"

/// The index on `_amp_batch_id`, by which an undo finds its rows.
///
/// It is a BRIN index: a summary of the ids in each range of pages. It costs next to nothing while
/// rows are copied in, where a btree doubles the time. New ranges stay without a summary, and so
/// are searched by every undo, until someone summarises them: we do, after the commits that fill
/// them.
namespace amp::postgresql {

struct BatchIndex {
  uint32_t id = 0;              ///< its oid
  int64_t pages_per_range = 0;  ///< 0 where there is nothing to summarise (a btree, partitions)
};

/// An index that finds ranges of batch ids; none where the table has none.
Result<std::optional<BatchIndex>> FindBatchIndex(Connection& connection, uint32_t table_id);
Status MakeBatchIndex(Connection& connection, const std::string& qualified);

/// Which ranges of one table were summarised by this process; may be used by several threads.
class RangeSummaries {
 public:
  explicit RangeSummaries(BatchIndex index) : index_(index) {}

  ~RangeSummaries();

  /// Summarises the ranges that were filled since the last time, now that the table has so many
  /// pages. Costs nothing where none was. Call it outside of a transaction.
  void SummariseUpTo(Connection& connection, int64_t pages);
  /// The same, but on another connection of the pool, while its caller goes on: reading the pages
  /// again takes a third of the time that it took to copy them in. Where the pool has no connection
  /// left, it is done at once on this one.
  void SummariseMeanwhile(ConnectionPool* pool, Connection& connection, int64_t pages);

  const BatchIndex& index() const { return index_; }

 private:
  int64_t FullRangesEnd(int64_t pages) const;
  bool IsDue(int64_t full) const;
  std::string SqlFor(int64_t full) const;
  void Run(Connection& connection, int64_t full);
  /// False while the other connection is still at it.
  bool TakeAnswer();
  void Judge(Connection& connection, const Status& done, int64_t full);
  void NoteFailure(const Status& status);

  const BatchIndex index_;
  std::mutex mutex_;
  int64_t next_page_ = 0;  ///< the first that may lie in a range without a summary
  std::chrono::steady_clock::time_point not_before_;
  std::optional<ConnectionPool::Lease> at_work_;  ///< is summarising up to `page_at_work_`
  int64_t page_at_work_ = 0;
};

}  // namespace amp::postgresql
