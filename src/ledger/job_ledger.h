#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/job.h"
#include "amp/stream.h"

namespace amp {

/// The history of a job: which units are loaded, and what the next commit says. Pure, as Ledger.
///
/// Each unit is one batch, with one line in the batch map: its network is the file, its block the
/// part, its hash the fingerprint. Lines are never merged: they say what is there.
class AMP_EXPORT JobLedger {
 public:
  /// A job as its target has it.
  explicit JobLedger(const StreamState& state);

  /// The units that are not loaded yet, as places in `units`; one that is there twice comes once.
  /// DataInvalid for a file of which something was loaded when its content was another.
  Result<std::vector<size_t>> Missing(const std::vector<JobUnit>& units) const;

  /// Begins a unit; the one before it must be complete.
  void Begin(const JobUnit& unit);
  /// Where the open unit's rows go.
  BatchRecord open_record() const { return {.id = open_->first_id, .ranges = open_->ranges}; }
  void AddRows(int64_t rows) { open_->rows += rows; }
  /// The open unit is complete; `now` in Unix milliseconds.
  void Complete(int64_t now);
  /// Gives the open unit up. What is to be taken back: all batches above this id; none where no
  /// unit is open.
  std::optional<int64_t> Interrupt();

  bool open() const { return open_.has_value(); }
  /// Completed units wait for a commit.
  bool dirty() const { return !uncommitted_.empty(); }
  int64_t last_complete_id() const { return last_id_; }
  int64_t numbers_since_commit() const { return next_number_ - committed_number_; }

  Checkpoint NextCheckpoint() const;
  /// That checkpoint is in the target.
  void Committed();

  /// In the target, by this run or earlier ones.
  int64_t units_committed() const { return units_; }
  int64_t rows_committed() const { return rows_; }

 private:
  struct LoadedFile {
    std::string fingerprint;
    std::set<uint64_t> parts;
  };
  void Add(const BatchEntry& entry);
  Status CheckUnchanged(const JobUnit& unit, const LoadedFile& file) const;

  std::string job_;
  int64_t base_;
  int64_t sequence_;
  int64_t last_id_;
  int64_t next_number_;
  int64_t committed_number_;
  std::vector<BlockRange> watermark_;
  std::map<std::string, LoadedFile, std::less<>> files_;  ///< committed units
  std::optional<BatchEntry> open_;
  std::vector<BatchEntry> uncommitted_;
  int64_t units_ = 0, rows_ = 0;
};

}  // namespace amp
