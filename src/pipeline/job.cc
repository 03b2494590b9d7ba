// LoadJob: a run of a job as a result.

#include "amp/job.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include "pipeline/job_run.h"
#include "pipeline/result_facts.h"

namespace amp {
namespace {

Status CheckOptions(const TableName& table, const JobOptions& options) {
  if (options.job.empty()) {
    return MakeError(ErrorKind::kConfigInvalid, "--job: the name is empty");
  }
  if (options.mode != LoadMode::kOverwrite) return Status::OK();
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("a job adds what is missing, so it has no mode overwrite; leave "
                               "--mode out. To begin anew: ampload reset --table '{}'",
                               table));
}

Metadata Facts(const JobRun::Counts& counts, const JobOptions& options, int fields,
               double seconds) {
  return {{"operation", std::string("load_job")},
          {"job", options.job},
          {"units", counts.units},
          {"units_loaded", counts.units_loaded},
          {"units_already_loaded", counts.units_before},
          {"commits", counts.commits},
          {"total_rows", counts.rows_loaded},
          {"schema_fields", int64_t{fields}},
          {"throughput_rows_per_sec", RowsPerSecond(counts.rows_loaded, seconds)}};
}

}  // namespace

LoadResult LoadJob(Loader* loader, JobSource* source, const TableName& table,
                   const JobOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  LoadResult result;
  result.table_name = table;
  result.loader = loader->traits().name;
  result.mode = options.mode;
  JobRun run(loader, source, table, options);
  Status status = CheckOptions(table, options);
  if (status.ok()) status = WithSide(run.Run(), ErrorSide::kTarget);
  const JobRun::Counts counts = run.counts();
  const double seconds = SecondsSince(start);
  result.rows_loaded = counts.rows_loaded;
  result.metadata = Facts(counts, options, source->schema()->num_fields(), seconds);
  SetOutcome(status, seconds, &result);
  return result;
}

}  // namespace amp
