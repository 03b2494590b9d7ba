// LoadStreamContinuous: a stream's events as results.

#include <chrono>

#include "amp/stream_source.h"
#include "core/log.h"
#include "pipeline/final_source.h"
#include "pipeline/result_facts.h"
#include "pipeline/stream_run.h"

namespace amp {
namespace {

Metadata CommitFacts(const StreamEvent& event) {
  return {{"operation", std::string("commit")},
          {"stream", event.stream},
          {"sequence", event.checkpoint.sequence},
          {"batches", static_cast<int64_t>(event.checkpoint.entries.size())},
          {"latency_ms", RoundedTo2(static_cast<double>(event.latency.count()) / 1000)}};
}

Metadata ReorgFacts(const StreamEvent& event) {
  return {{"operation", std::string("reorg")},
          {"stream", event.stream},
          {"rows_removed", event.undone.removed},
          {"rows_restored", event.undone.restored},
          {"rows_left", event.undone.left}};
}

LoadResult ResultOf(const StreamEvent& event, LoadResult result) {
  const double seconds = static_cast<double>(event.latency.count()) / 1e6;
  const bool reorg = event.kind == StreamEvent::Kind::kReorg;
  result.rows_loaded = event.rows;
  result.is_reorg = reorg;
  result.invalidation_ranges = event.orphaned;
  result.metadata = reorg ? ReorgFacts(event) : CommitFacts(event);
  SetOutcome(Status::OK(), seconds, &result);
  return result;
}

Metadata StreamFacts(const StreamRun& run, const StreamOptions& options, double seconds) {
  return {{"operation", std::string("load_stream")},
          {"stream", options.stream},
          {"batch_count", run.commits()},
          {"total_rows", run.rows_committed()},
          {"throughput_rows_per_sec", RowsPerSecond(run.rows_committed(), seconds)}};
}

Status CheckStreamOptions(const StreamSource& source, const StreamOptions& options) {
  const bool by_key = options.mode == LoadMode::kUpsert || options.mode == LoadMode::kMerge;
  if (by_key && options.max_undo.value_or(0) > options.pipeline.retention) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "--max-undo is larger than retention: what upserts replaced is kept for that "
                     "many blocks only; raise retention (--set retention=N)");
  }
  if (options.finality < 0 || options.max_undo.value_or(0) < 0) {
    return MakeError(ErrorKind::kConfigInvalid, "--finality and --max-undo must not be negative");
  }
  if (options.finality > 0 && !source.endless()) {
    return MakeError(ErrorKind::kUnsupported,
                     "finality is for servers' streams: the depth of a program's events is not "
                     "known; leave finality at 0, and undo what the program says");
  }
  return Status::OK();
}

}  // namespace

LoadResult Loader::LoadStreamContinuous(StreamSource* source, const TableName& table,
                                        const StreamOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  LoadResult result;
  result.table_name = table;
  result.loader = traits().name;
  result.mode = options.mode;
  if (const Status status = CheckStreamOptions(*source, options); !status.ok()) {
    SetOutcome(status, 0, &result);
    return result;
  }
  std::unique_ptr<StreamSource> final_source;
  if (options.finality > 0) {
    final_source = MakeFinalSource(source, options.finality, options.pipeline.memory.bytes);
    source = final_source.get();
  }
  StreamOptions with_results = options;
  StreamRun run(this, source, table, with_results);
  with_results.on_event = [&](StreamEvent event) {
    event.queued_bytes = run.queued_bytes();
    if (options.on_event) options.on_event(event);
    const bool has_result =
        event.kind == StreamEvent::Kind::kCommit || event.kind == StreamEvent::Kind::kReorg;
    if (!options.on_result || !has_result) return;
    if (!options.on_result(ResultOf(event, result))) run.EndAfterCommit();
  };
  const Status status = WithSide(run.Run(), ErrorSide::kTarget);
  result.rows_loaded = run.rows_committed();
  if (const auto refused = run.too_deep()) {
    result.is_reorg = true;
    result.invalidation_ranges = {{.network = refused->network,
                                   .start = refused->first_block,
                                   .end = refused->first_block,
                                   .hash = {},
                                   .prev_hash = {}}};
  }
  const double seconds = SecondsSince(start);
  result.metadata = StreamFacts(run, options, seconds);
  SetOutcome(status, seconds, &result);
  return result;
}

}  // namespace amp
