// ampload stream: follows an Amp server into a table.

#include <csignal>

#include "cli/command.h"
#include "cli/metrics.h"
#include "cli/stream_job.h"
#include "cli/target.h"
#include "core/log.h"

namespace amp::cli {
namespace {

std::string ShellQuoted(const std::string& text) {
  std::string quoted = "'";
  for (const char c : text) quoted += c == '\'' ? std::string("'\\''") : std::string(1, c);
  return quoted + "'";
}

// How to go on after a reorg that is deeper than may be undone.
Status WithUndoCommand(const Status& status, const LoadResult& result, const StreamJob& job) {
  if (KindOf(status) != ErrorKind::kReorgTooDeep || result.invalidation_ranges.empty()) {
    return status;
  }
  const BlockRange& range = result.invalidation_ranges[0];
  const std::string to =
      job.to.empty() ? "" : fmt::format(" --to {}", ShellQuoted(RedactUrl(job.to)));
  return MakeError(
      ErrorInfoOf(status),
      fmt::format("{}. To undo them and go on: ampload undo{} --table {} --stream {} --network {} "
                  "--from-block {}",
                  status.message(), to, ShellQuoted(job.table), ShellQuoted(job.stream.stream),
                  ShellQuoted(range.network), range.start));
}

}  // namespace

Result<LoadResult> FollowStream(const Context& context, const StreamJob& job,
                                StreamReport* report) {
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenStreamSource(context.common, job.stream));
  ARROW_ASSIGN_OR_RAISE(const Target target, ResolveTarget(context.common, job.to));
  ARROW_ASSIGN_OR_RAISE(StreamOptions options, MakeStreamOptions(job.stream, target.pipeline));
  Log().info("{}; target {} {}", source->Describe(), target.loader->traits().name,
             target.loader->DescribeConfig());
  options.stop = context.stop;
  EventMetrics metrics(context, job.table, job.stream.stream);
  options.on_event = [&](const StreamEvent& event) {
    report->Tell(job.table, event);
    metrics.Count(event);
  };
  LoadResult result = target.loader->LoadStreamContinuous(source.get(), job.table, options);
  result.status = WithUndoCommand(result.status, result, job);
  result.error = result.status.message();
  const Status closed = target.loader->Disconnect();
  if (!closed.ok()) Log().warn("disconnecting: {}", closed.message());
  return result;
}

namespace {

Status RunStream(const Context& context, const StreamJob& job) {
  StreamReport report("", context.common.json(), context.common.quiet);
  auto streamed = FollowStream(context, job, &report);
  LoadResult result = streamed.ok() ? *streamed : LoadResult{};
  if (!streamed.ok()) {
    result.table_name = job.table;
    result.status = streamed.status();
    result.error = result.status.message();
  }
  report.Done(result);
  if (result.status.ok() && context.interrupted()) {
    return MakeError(ErrorKind::kCancelled, "stopped on request; all that was complete is stored");
  }
  return result.status;
}

}  // namespace

void AddStream(Context* context) {
  auto arguments = std::make_shared<StreamJob>();
  CLI::App* command =
      AddCommand(context, "stream", "Follow an Amp server into a table, exactly once",
                 [=] { return RunStream(*context, *arguments); });
  AddStreamOptions(command, &arguments->stream);
  AddTargetOptions(command, &arguments->to, &arguments->table);
}

}  // namespace amp::cli
