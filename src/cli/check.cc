// ampload check: what a load would do; writes nothing.

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/source_options.h"
#include "cli/target.h"
#include "cli/text_table.h"

namespace amp::cli {
namespace {

struct CheckArguments {
  std::string to, table;
  SourceArguments source;
  ModeArguments mode;
};

void PrintPlanJson(const std::string& table, const TablePlan& plan) {
  nlohmann::ordered_json json{{"table_name", table}, {"exists", plan.exists}};
  json["columns"] = nlohmann::ordered_json::array();
  for (const ColumnPlan& column : plan.columns) {
    json["columns"].push_back({{"name", column.name},
                               {"source_type", column.source_type},
                               {"target_type", column.target_type},
                               {"note", column.note}});
  }
  json["statements"] = plan.statements;
  PrintLine(json.dump());
}

void PrintPlan(const std::string& table, const TablePlan& plan) {
  PrintLine(fmt::format("Table '{}' {}.", table,
                        plan.exists ? "exists and takes these columns" : "would be made"));
  std::vector<std::vector<std::string>> rows{{"column", "source type", "target type", "note"}};
  for (const ColumnPlan& column : plan.columns) {
    rows.push_back({column.name, column.source_type, column.target_type, column.note});
  }
  for (const std::string& line : FormatTable(rows)) PrintLine(line);
  for (const std::string& statement : plan.statements) PrintLine("\n" + statement + ";");
}

Status RunCheck(const Context& context, const CheckArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const LoadOptions options, MakeLoadOptions(arguments.mode));
  ARROW_ASSIGN_OR_RAISE(const Target target, ResolveTarget(context.common, arguments.to));
  ARROW_ASSIGN_OR_RAISE(const FileSource source,
                        OpenSource(arguments.source, target.pipeline, context.stop));
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  const WriteSpec spec{.table = arguments.table,
                       .schema = source.reader->schema(),
                       .mode = options.mode,
                       .key = options.key};
  ARROW_ASSIGN_OR_RAISE(const TablePlan plan, session->PlanTable(spec));
  context.common.json() ? PrintPlanJson(arguments.table, plan) : PrintPlan(arguments.table, plan);
  return Status::OK();
}

}  // namespace

void AddCheck(Context* context) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command =
      AddCommand(context, "check", "Say what a load would do: types, statements; writes nothing",
                 [=] { return RunCheck(*context, *arguments); });
  AddSourceOptions(command, &arguments->source);
  AddTargetOptions(command, &arguments->to, &arguments->table);
  AddModeOptions(command, &arguments->mode);
}

}  // namespace amp::cli
