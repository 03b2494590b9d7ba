// ampload info: rows, columns and size of a table.

#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/target.h"
#include "cli/text_table.h"
#include "core/text.h"

namespace amp::cli {
namespace {

struct InfoArguments {
  std::string to, table;
};

void PrintInfo(const TableInfo& info) {
  PrintLine(fmt::format("Table '{}': {} rows, {}", info.table_name, Grouped(info.row_count),
                        HumanBytes(info.size_bytes)));
  std::vector<std::vector<std::string>> rows{{"column", "type", "null"}};
  for (const ColumnInfo& column : info.columns) {
    rows.push_back({column.name, column.type, column.nullable ? "yes" : "no"});
  }
  for (const std::string& line : FormatTable(rows)) PrintLine(line);
}

Status RunInfo(const Context& context, const InfoArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const Target target, ResolveTarget(context.common, arguments.to));
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  ARROW_ASSIGN_OR_RAISE(const auto info, session->GetTableInfo(arguments.table));
  if (!context.common.json()) {
    if (info) {
      PrintInfo(*info);
    } else {
      PrintLine(fmt::format("Table '{}' does not exist.", arguments.table));
    }
    return Status::OK();
  }
  PrintLine(
      info ? info->ToJson()
           : nlohmann::ordered_json{{"table_name", arguments.table}, {"exists", false}}.dump());
  return Status::OK();
}

}  // namespace

void AddInfo(Context* context) {
  auto arguments = std::make_shared<InfoArguments>();
  CLI::App* command = AddCommand(context, "info", "Rows, columns and size of a table",
                                 [=] { return RunInfo(*context, *arguments); });
  AddTargetOptions(command, &arguments->to, &arguments->table);
}

}  // namespace amp::cli
