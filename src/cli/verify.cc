// ampload verify: is in the target what the source has?

#include "pipeline/verify.h"

#include "cli/command.h"
#include "cli/progress.h"
#include "cli/source_options.h"
#include "cli/stream_options.h"
#include "cli/target.h"
#include "core/text.h"
#include "ledger/block_ranges.h"

namespace amp::cli {
namespace {

struct VerifyArguments {
  std::string to, table;
  SourceArguments source;
  StreamArguments stream;
};

Result<VerifyResult> Verify(const Context& context, const VerifyArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(Target target, ResolveTarget(context.common, arguments.to));
  VerifyOptions options{.stream = arguments.stream.stream,
                        .pipeline = target.pipeline,
                        .on_progress = {},
                        .stop = context.stop};
  Progress progress(context.common, std::nullopt);
  options.on_progress = [&](const LoadProgress& so_far) { progress.Update(so_far); };
  if (!arguments.stream.query.empty() ||
      IsStreamSource(context.common, arguments.source.from.front())) {
    ARROW_ASSIGN_OR_RAISE(const auto source,
                          OpenQuerySource(context.common, arguments.source, arguments.stream));
    ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
    return VerifyStream(target.loader.get(), source.get(), arguments.table, options);
  }
  ARROW_ASSIGN_OR_RAISE(FileSource source,
                        OpenSource(arguments.source, target.pipeline, context.stop));
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  return VerifyFiles(target.loader.get(), source.reader, arguments.table, options);
}

void PrintEqual(const VerifyResult& result) {
  std::string line = fmt::format("equal: {} rows", Grouped(result.rows_source));
  if (!result.compared.empty()) line += fmt::format(", blocks {}", RangesText(result.compared));
  PrintLine(line);
}

Status RunVerify(const Context& context, const VerifyArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const VerifyResult result, Verify(context, arguments));
  if (context.common.json()) {
    PrintLine(result.ToJson());
  } else if (result.equal()) {
    PrintEqual(result);
  }
  return result.ToStatus(arguments.table);
}

}  // namespace

void AddVerify(Context* context) {
  auto arguments = std::make_shared<VerifyArguments>();
  CLI::App* command = AddCommand(context, "verify",
                                 "Compare a table with its source; exit code 1 where they differ",
                                 [=] { return RunVerify(*context, *arguments); });
  AddSourceOptions(command, &arguments->source);
  AddTargetOptions(command, &arguments->to, &arguments->table);
  AddQueryOptions(command, &arguments->stream);
  command->add_option("--stream", arguments->stream.stream, "Stream within the table (main)")
      ->type_name("NAME");
}

}  // namespace amp::cli
