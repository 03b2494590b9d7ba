// ampload load: files into a table.

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/source_options.h"
#include "cli/target.h"
#include "core/log.h"
#include "core/text.h"

namespace amp::cli {
namespace {

struct LoadArguments {
  std::string to, table;
  SourceArguments source;
  ModeArguments mode;
};

Result<LoadResult> Load(const Context& context, const LoadArguments& arguments) {
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
  options.on_progress = [&](const LoadProgress& so_far) { progress.Update(so_far); };
  return session->LoadStream(source.reader, arguments.table, options);
}

// Also what never came to a load has a result: one object on stdout, whatever happens.
LoadResult FailedResult(const LoadArguments& arguments, const Status& status) {
  LoadResult result;
  result.table_name = arguments.table;
  result.mode = ParseLoadMode(arguments.mode.mode).ValueOr(LoadMode::kAppend);
  result.error = status.message();
  result.status = status;
  return result;
}

void PrintSummary(const LoadResult& result) {
  PrintLine(fmt::format("Loaded {} rows into '{}' ({}, {}) in {:.2f} s: {} rows/s",
                        Grouped(result.rows_loaded), result.table_name, result.loader,
                        ToString(result.mode), result.duration_seconds,
                        Grouped(static_cast<int64_t>(result.rows_per_second))));
}

Status RunLoad(const Context& context, const LoadArguments& arguments) {
  const auto loaded = Load(context, arguments);
  const LoadResult result = loaded.ok() ? *loaded : FailedResult(arguments, loaded.status());
  if (context.common.json()) {
    PrintLine(result.ToJson());
  } else if (result.success) {
    PrintSummary(result);
  }
  return result.status;
}

}  // namespace

void AddLoad(Context* context) {
  auto arguments = std::make_shared<LoadArguments>();
  CLI::App* command = AddCommand(context, "load", "Load files into a table, all rows or none",
                                 [=] { return RunLoad(*context, *arguments); });
  AddSourceOptions(command, &arguments->source);
  AddTargetOptions(command, &arguments->to, &arguments->table);
  AddModeOptions(command, &arguments->mode);
}

}  // namespace amp::cli
