// ampload undo: takes a stream's blocks back, from one on.

#include "pipeline/undo.h"

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/target.h"
#include "core/text.h"

namespace amp::cli {
namespace {

struct UndoArguments {
  std::string to, table;
  std::string stream = "main";
  std::string network;
  uint64_t from_block = 0;
};

void PrintUndone(const UndoneStream& undone) {
  PrintLine(fmt::format("Undid {} {}: {} rows removed, {} restored", Grouped(undone.batches),
                        undone.batches == 1 ? "batch" : "batches", Grouped(undone.undone.removed),
                        Grouped(undone.undone.restored)));
  if (undone.undone.left > 0) {
    PrintLine(fmt::format("{} rows were left as they are: someone else has changed them since",
                          Grouped(undone.undone.left)));
  }
  for (const BlockRange& range : undone.watermark) {
    PrintLine(fmt::format("The stream goes on after block {} of {}", range.end, range.network));
  }
  if (undone.watermark.empty()) PrintLine("The stream goes on from its beginning");
}

void PrintUndoneJson(const UndoArguments& arguments, const UndoneStream& undone) {
  nlohmann::ordered_json json{{"table_name", arguments.table},
                              {"stream", arguments.stream},
                              {"batches", undone.batches},
                              {"rows_removed", undone.undone.removed},
                              {"rows_restored", undone.undone.restored},
                              {"rows_left", undone.undone.left}};
  json["checkpoint"] = nlohmann::ordered_json::object();
  for (const BlockRange& range : undone.watermark) {
    json["checkpoint"][range.network] = {{"number", range.end}, {"hash", range.hash}};
  }
  PrintLine(json.dump());
}

Status RunUndo(const Context& context, const UndoArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const Target target, ResolveTarget(context.common, arguments.to));
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  ARROW_ASSIGN_OR_RAISE(const UndoneStream undone,
                        UndoStream(target.loader.get(), arguments.table, arguments.stream,
                                   {arguments.network, arguments.from_block}));
  context.common.json() ? PrintUndoneJson(arguments, undone) : PrintUndone(undone);
  return Status::OK();
}

}  // namespace

void AddUndo(Context* context) {
  auto arguments = std::make_shared<UndoArguments>();
  CLI::App* command = AddCommand(context, "undo", "Take a stream's blocks back, from one on",
                                 [=] { return RunUndo(*context, *arguments); });
  AddTargetOptions(command, &arguments->to, &arguments->table);
  command->add_option("--stream", arguments->stream, "Name of the stream within the table (main)")
      ->type_name("NAME");
  command->add_option("--network", arguments->network, "Network whose blocks they are")
      ->required()
      ->type_name("NAME");
  command->add_option("--from-block", arguments->from_block, "First block to take back")
      ->required()
      ->type_name("BLOCK");
}

}  // namespace amp::cli
