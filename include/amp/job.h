#pragma once

#include <arrow/type_fwd.h>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "amp/loader.h"
#include "amp/source.h"

/// Jobs: loads that can be run again and load only what is missing.
namespace amp {

/// What a job loads as one: a row group of a Parquet file, or another file as a whole.
struct JobUnit {
  std::string file;               ///< the same file has the same name in every run
  uint64_t part = 0;              ///< number of the row group; 0 for a whole file
  std::string fingerprint;        ///< of the file's content
  std::optional<int64_t> rows{};  ///< where the file's own metadata says it
};

/// Units that can be opened one by one.
class AMP_EXPORT JobSource {
 public:
  virtual ~JobSource();
  /// Of every batch of every unit.
  virtual std::shared_ptr<arrow::Schema> schema() const = 0;
  virtual const std::vector<JobUnit>& units() const = 0;
  /// Reads one unit. What an earlier Open gave is of no more use then.
  virtual Result<std::shared_ptr<arrow::RecordBatchReader>> Open(size_t unit) = 0;
  /// What is read of the files, in words: a job is fixed to it.
  virtual std::string query() const = 0;
};

/// Files as units, in the order in which OpenFiles reads them, each file once. A file is known by
/// its absolute path without `.`, `..` and `//` (no links are followed), or its s3:// name.
///
/// Errors: those of OpenFiles; ConfigInvalid for standard input; DataInvalid for names that are
/// not UTF-8, which could not be stored.
AMP_EXPORT Result<std::unique_ptr<JobSource>> OpenFileUnits(const FileSourceOptions& options);

struct JobProgress {
  LoadProgress load;          ///< of this run
  int64_t units = 0;          ///< that are written
  int64_t units_to_load = 0;  ///< by this run
  std::optional<int64_t> rows_to_load{};
};

struct JobOptions {
  std::string job;
  LoadMode mode = LoadMode::kAppend;
  std::vector<std::string> key = {};
  PipelineOptions pipeline = {};
  bool adopt = false;  ///< take a table that was not made for streams
  /// Called after each batch is written, on the writing thread.
  std::function<void(const JobProgress&)> on_progress = {};
  /// Once true, the job commits the units that are complete, and reports Cancelled.
  const std::atomic<bool>* stop = nullptr;
};

/// Loads the units that the table does not have from this job yet, in their order, many a commit.
/// The job is a stream of the table: checkpoints, epochs and retries are a stream's.
///
/// Errors: ConfigInvalid for a job of another query, mode or key, and for mode overwrite;
/// DataInvalid for a file that has changed since a unit of it was loaded; and a stream's.
AMP_EXPORT LoadResult LoadJob(Loader* loader, JobSource* source, const TableName& table,
                              const JobOptions& options);

}  // namespace amp
