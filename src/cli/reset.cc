// ampload reset: drops a table's rows and the state of its streams.

#include <unistd.h>

#include <cstdio>
#include <iostream>

#include "cli/command.h"
#include "cli/target.h"
#include "core/text.h"

namespace amp::cli {
namespace {

struct ResetArguments {
  std::string to, table;
  bool yes = false;
};

Status Confirm(const TableName& table, const std::optional<TableInfo>& info) {
  const std::string what = info ? fmt::format("table '{}' with {} rows and {} streams", table,
                                              Grouped(info->row_count), info->streams.size())
                                : fmt::format("what is left of table '{}'", table);
  if (isatty(STDIN_FILENO) != 1) {
    return MakeError(ErrorKind::kConfigInvalid,
                     fmt::format("this would drop {}; confirm it with --yes", what));
  }
  std::fprintf(stderr, "Drop %s? Type yes: ", what.c_str());
  std::string answer;
  std::getline(std::cin, answer);
  if (answer == "yes") return Status::OK();
  return MakeError(ErrorKind::kCancelled, "nothing was dropped");
}

Status RunReset(const Context& context, const ResetArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const Target target, ResolveTarget(context.common, arguments.to));
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  if (!arguments.yes) {
    ARROW_ASSIGN_OR_RAISE(const auto info, session->GetTableInfo(arguments.table));
    ARROW_RETURN_NOT_OK(Confirm(arguments.table, info));
  }
  ARROW_RETURN_NOT_OK(session->ResetTable(arguments.table));
  if (!context.common.json()) {
    PrintLine(fmt::format("Table '{}' and the state of its streams are gone.", arguments.table));
  }
  return Status::OK();
}

}  // namespace

void AddReset(Context* context) {
  auto arguments = std::make_shared<ResetArguments>();
  CLI::App* command =
      AddCommand(context, "reset", "Drop a table's rows and the state of its streams",
                 [=] { return RunReset(*context, *arguments); });
  AddTargetOptions(command, &arguments->to, &arguments->table);
  command->add_flag("--yes", arguments->yes, "Do not ask");
}

}  // namespace amp::cli
