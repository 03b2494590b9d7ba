#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <vector>

#include "amp/job.h"
#include "ledger/job_ledger.h"
#include "pipeline/backoff.h"
#include "pipeline/stream_transactions.h"
#include "pipeline/unit_reader.h"

namespace amp {

/// One run of a job: opens its stream, writes what is missing, commits in time, and begins anew
/// from what is in the target where that fails in a way that may pass.
class JobRun {
 public:
  JobRun(Loader* loader, JobSource* source, TableName table, const JobOptions& options);

  /// Until nothing is missing, or a failure that stays: units that are complete are kept then.
  Status Run();

  struct Counts {
    int64_t units = 0;         ///< of the source, each once
    int64_t units_before = 0;  ///< of these: were there already
    int64_t units_loaded = 0;  ///< by this run
    int64_t rows_loaded = 0;   ///< by this run
    int64_t commits = 0;
  };
  Counts counts() const;

 private:
  using Clock = std::chrono::steady_clock;

  Status CheckFits();
  Status Open();
  Status Load();
  Status Take(const UnitReader::Item& item);
  Status Write(const UnitReader::Item& item);
  Status CompleteUnit();
  bool CommitIsDue() const;
  Status Commit();
  /// Commits the units that are complete, without the open one.
  Status KeepComplete();
  /// OK when a new try is to be made; else the failure that stays.
  Status Recover(const Status& failure);
  void DropTarget();
  bool stopping() const { return options_.stop != nullptr && options_.stop->load(); }
  Status Stopped() const;

  Loader* loader_;
  JobSource* source_;
  TableName table_;
  const JobOptions& options_;
  Backoff backoff_;
  std::optional<int64_t> held_epoch_;
  std::optional<JobLedger> ledger_;
  std::unique_ptr<StreamTransactions> transactions_;
  std::vector<size_t> missing_;
  std::optional<size_t> open_unit_;
  Clock::time_point first_wait_{};  ///< since when a complete unit waits
  Counts counts_;                   ///< units_loaded and rows_loaded: see counts()
  int64_t all_units_before_ = 0, all_rows_before_ = 0;  ///< of the job, also of files now gone
  JobProgress progress_;
};

}  // namespace amp
