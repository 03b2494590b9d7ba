// ampload maintain: clears away what a table no longer needs.

#include "cli/command.h"
#include "cli/facts.h"
#include "cli/read_duration.h"
#include "cli/target.h"
#include "core/text.h"

namespace amp::cli {
namespace {

struct MaintainArguments {
  std::string to, table, retention;
  bool force = false, dry_run = false;
};

void PrintResult(const MaintainResult& result) {
  if (result.dry_run) {
    for (const std::string& file : result.files) PrintLine(file);
  }
  PrintLine(fmt::format(
      "Table '{}': {} {} {}, {}", result.table_name, result.dry_run ? "would delete" : "deleted",
      Grouped(static_cast<int64_t>(result.files.size())),
      result.files.size() == 1 ? "file" : "files", HumanBytes(result.bytes_deleted)));
  PrintFacts(result.extra);
}

Status RunMaintain(const Context& context, const MaintainArguments& arguments) {
  MaintainOptions options{.force = arguments.force, .dry_run = arguments.dry_run};
  if (!arguments.retention.empty()) {
    ARROW_ASSIGN_OR_RAISE(options.retention, ReadDuration("retention", arguments.retention));
  }
  ARROW_ASSIGN_OR_RAISE(const Target target, ResolveTarget(context.common, arguments.to));
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  ARROW_ASSIGN_OR_RAISE(const MaintainResult result,
                        session->MaintainTable(arguments.table, options));
  context.common.json() ? PrintLine(result.ToJson()) : PrintResult(result);
  return Status::OK();
}

}  // namespace

void AddMaintain(Context* context) {
  auto arguments = std::make_shared<MaintainArguments>();
  CLI::App* command =
      AddCommand(context, "maintain", "Clear away what a table no longer needs; its rows stay",
                 [=] { return RunMaintain(*context, *arguments); });
  AddTargetOptions(command, &arguments->to, &arguments->table);
  command
      ->add_option("--retention", arguments->retention,
                   "Keep what has been out of the table for less; left out: as the table has it")
      ->type_name("DURATION");
  command->add_flag("--force", arguments->force,
                    "Also with a retention that is shorter than the table's");
  command->add_flag("--dry-run", arguments->dry_run, "Only say what would be deleted");
}

}  // namespace amp::cli
