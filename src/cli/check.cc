// ampload check: what a load or a stream would do; writes nothing.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/source_options.h"
#include "cli/stream_options.h"
#include "cli/target.h"
#include "cli/text_table.h"
#include "core/stream_state.h"
#include "pipeline/stream_columns.h"

namespace amp::cli {
namespace {

struct CheckArguments {
  std::string to, table;
  SourceArguments source;
  StreamArguments stream;
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
  for (const std::string& statement : plan.statements) {
    // SQL ends with a semicolon, JSON does not.
    PrintLine("\n" + statement + (statement.ends_with('}') ? "" : ";"));
  }
}

bool IsStream(const Context& context, const CheckArguments& arguments) {
  return !arguments.stream.query.empty() ||
         IsStreamSource(context.common, arguments.source.from.front());
}

// The query's columns, and those that a stream adds.
Result<std::shared_ptr<arrow::Schema>> StreamSchema(const Context& context,
                                                    const CheckArguments& arguments,
                                                    const PipelineOptions& pipeline) {
  ARROW_ASSIGN_OR_RAISE(const auto source,
                        OpenQuerySource(context.common, arguments.source, arguments.stream));
  const auto connection = source->Connect({});
  ARROW_RETURN_NOT_OK(connection.status());
  return WithStreamColumns(*(*connection)->schema(), pipeline.block_ranges);
}

Result<std::shared_ptr<arrow::Schema>> SourceSchema(const Context& context,
                                                    const CheckArguments& arguments,
                                                    const PipelineOptions& pipeline) {
  if (IsStream(context, arguments)) return StreamSchema(context, arguments, pipeline);
  ARROW_ASSIGN_OR_RAISE(const FileSource source,
                        OpenSource(arguments.source, pipeline, context.stop));
  return source.reader->schema();
}

// A table with rows of its own takes a stream only with --adopt.
Status CheckTakesStreams(Loader* loader, const TableName& table) {
  ARROW_ASSIGN_OR_RAISE(const auto info, loader->GetTableInfo(table));
  if (!info) return Status::OK();
  const bool made_for_streams =
      std::any_of(info->columns.begin(), info->columns.end(),
                  [](const ColumnInfo& column) { return column.name == kBatchIdColumn; });
  return made_for_streams ? Status::OK() : NotMadeForStreams(table);
}

Status RunCheck(const Context& context, const CheckArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const LoadOptions options, MakeLoadOptions(arguments.mode));
  ARROW_ASSIGN_OR_RAISE(const Target target, ResolveTarget(context.common, arguments.to));
  ARROW_ASSIGN_OR_RAISE(const auto schema, SourceSchema(context, arguments, target.pipeline));
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  if (IsStream(context, arguments)) {
    ARROW_RETURN_NOT_OK(CheckTakesStreams(target.loader.get(), arguments.table));
  }
  const WriteSpec spec{
      .table = arguments.table, .schema = schema, .mode = options.mode, .key = options.key};
  ARROW_ASSIGN_OR_RAISE(const TablePlan plan, session->PlanTable(spec));
  context.common.json() ? PrintPlanJson(arguments.table, plan) : PrintPlan(arguments.table, plan);
  return Status::OK();
}

}  // namespace

void AddCheck(Context* context) {
  auto arguments = std::make_shared<CheckArguments>();
  CLI::App* command = AddCommand(
      context, "check", "Say what a load or stream would do: types, statements; writes nothing",
      [=] { return RunCheck(*context, *arguments); });
  AddSourceOptions(command, &arguments->source);
  AddQueryOptions(command, &arguments->stream);
  AddTargetOptions(command, &arguments->to, &arguments->table);
  AddModeOptions(command, &arguments->mode);
}

}  // namespace amp::cli
