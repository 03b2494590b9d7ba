// ampload load: files into a table.

#include "amp/job.h"
#include "cli/command.h"
#include "cli/files_job.h"
#include "cli/metrics.h"
#include "cli/progress.h"
#include "cli/stream_options.h"
#include "cli/target.h"
#include "core/log.h"
#include "core/text.h"

namespace amp::cli {
namespace {

Result<LoadResult> Load(const Context& context, const FilesJob& arguments) {
  ARROW_ASSIGN_OR_RAISE(LoadOptions options, MakeLoadOptions(arguments.mode));
  ARROW_ASSIGN_OR_RAISE(Target target, ResolveTarget(context.common, arguments.to));
  ARROW_ASSIGN_OR_RAISE(FileSource source,
                        OpenSource(arguments.source, target.pipeline, context.stop));
  Log().info("{} files, {}; target {} {}", source.files, HumanBytes(source.bytes),
             target.loader->traits().name, target.loader->DescribeConfig());
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  Progress progress(context.common, source.rows);
  options.pipeline = target.pipeline;
  options.stop = context.stop;
  LoadMetrics metrics(context, arguments.table);
  options.on_progress = [&](const LoadProgress& so_far) {
    progress.Update(so_far);
    metrics.Update(so_far);
  };
  return session->LoadStream(source.reader, arguments.table, options);
}

Result<LoadResult> LoadAsJob(const Context& context, const FilesJob& arguments) {
  ARROW_ASSIGN_OR_RAISE(const LoadOptions load, MakeLoadOptions(arguments.mode));
  ARROW_ASSIGN_OR_RAISE(Target target, ResolveTarget(context.common, arguments.to));
  ARROW_ASSIGN_OR_RAISE(const FileSourceOptions files,
                        MakeSourceOptions(arguments.source, target.pipeline, context.stop));
  ARROW_ASSIGN_OR_RAISE(const auto source, OpenFileUnits(files));
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  JobOptions options{.job = *arguments.job,
                     .mode = load.mode,
                     .key = load.key,
                     .pipeline = target.pipeline,
                     .adopt = arguments.adopt,
                     .stop = context.stop};
  std::optional<Progress> progress;
  LoadMetrics metrics(context, arguments.table);
  options.on_progress = [&](const JobProgress& so_far) {
    if (!progress) progress.emplace(context.common, so_far.rows_to_load);
    progress->Update(so_far.load, fmt::format(", unit {} of {}",
                                              std::min(so_far.units + 1, so_far.units_to_load),
                                              so_far.units_to_load));
    metrics.Update(so_far.load);
  };
  return LoadJob(target.loader.get(), source.get(), arguments.table, options);
}

Status CheckArguments(const Context& context, const FilesJob& arguments) {
  for (const std::string& from : arguments.source.from) {
    if (!IsStreamSource(context.common, from)) continue;
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("--from {} is a server of streams, and load reads files; ask it "
                                 "with: ampload stream --from … --query SQL --table NAME",
                                 RedactUrl(from)));
  }
  if (!arguments.adopt || arguments.job) return Status::OK();
  return MakeError(ErrorKind::kConfigInvalid,
                   "--adopt goes with --job; a load without a job takes any table that fits");
}

Result<LoadResult> Checked(const Context& context, const FilesJob& arguments) {
  ARROW_RETURN_NOT_OK(CheckArguments(context, arguments));
  return arguments.job ? LoadAsJob(context, arguments) : Load(context, arguments);
}

// Also what never came to a load has a result: one object on stdout, whatever happens.
LoadResult FailedResult(const FilesJob& arguments, const Status& status) {
  LoadResult result;
  result.table_name = arguments.table;
  result.mode = ParseLoadMode(arguments.mode.mode).ValueOr(LoadMode::kAppend);
  result.error = status.message();
  result.status = status;
  return result;
}

int64_t Fact(const LoadResult& result, std::string_view name) {
  return std::get<int64_t>(*result.metadata.Find(name));
}

void PrintJobSummary(const LoadResult& result, const std::string& job) {
  const int64_t units = Fact(result, "units");
  const int64_t loaded = Fact(result, "units_loaded");
  if (result.success && loaded == 0) {
    return PrintLine(fmt::format("Nothing to do: '{}' has all {} units of job '{}'",
                                 result.table_name, Grouped(units), job));
  }
  PrintLine(fmt::format(
      "Loaded {} of {} units ({} were there already), {} rows, into '{}' ({}, {}, job '{}') in "
      "{:.2f} s: {} rows/s",
      Grouped(loaded), Grouped(units), Grouped(Fact(result, "units_already_loaded")),
      Grouped(result.rows_loaded), result.table_name, result.loader, ToString(result.mode), job,
      result.duration_seconds, Grouped(static_cast<int64_t>(result.rows_per_second))));
}

void PrintSummary(const LoadResult& result) {
  PrintLine(fmt::format("Loaded {} rows into '{}' ({}, {}) in {:.2f} s: {} rows/s",
                        Grouped(result.rows_loaded), result.table_name, result.loader,
                        ToString(result.mode), result.duration_seconds,
                        Grouped(static_cast<int64_t>(result.rows_per_second))));
}

}  // namespace

LoadResult LoadFiles(const Context& context, const FilesJob& arguments) {
  const auto loaded = Checked(context, arguments);
  return loaded.ok() ? *loaded : FailedResult(arguments, loaded.status());
}

void PrintLoaded(const Context& context, const FilesJob& arguments, const LoadResult& result) {
  const bool began = result.metadata.Find("units") != nullptr;
  if (context.common.json()) {
    PrintLine(result.ToJson());
  } else if (began && (result.success || result.rows_loaded > 0)) {
    PrintJobSummary(result, *arguments.job);
  } else if (result.success) {
    PrintSummary(result);
  }
}

namespace {

Status RunLoad(const Context& context, const FilesJob& arguments) {
  const LoadResult result = LoadFiles(context, arguments);
  PrintLoaded(context, arguments, result);
  return result.status;
}

}  // namespace

void AddLoad(Context* context) {
  auto arguments = std::make_shared<FilesJob>();
  CLI::App* command = AddCommand(context, "load", "Load files into a table, all rows or none",
                                 [=] { return RunLoad(*context, *arguments); });
  AddSourceOptions(command, &arguments->source);
  AddTargetOptions(command, &arguments->to, &arguments->table);
  AddModeOptions(command, &arguments->mode);
  command
      ->add_option("--job", arguments->job,
                   "Load only what a job of this name has not loaded yet: row groups of Parquet "
                   "files, other files as a whole. Each commit stays")
      ->type_name("NAME");
  command->add_flag("--adopt", arguments->adopt,
                    "With --job: take a table that was not made for streams");
}

}  // namespace amp::cli
