// ampload show: rows of a table.

#include "cli/command.h"
#include "cli/show_rows.h"
#include "cli/target.h"
#include "cli/text_table.h"
#include "core/json_text.h"
#include "core/time_text.h"

namespace amp::cli {
namespace {

struct ShowArguments {
  std::string to, table;
  int64_t limit = 10;
  std::optional<int64_t> version;
  std::string timestamp;
};

Result<ReadOptions> MakeReadOptions(const ShowArguments& arguments) {
  ReadOptions options{.limit = arguments.limit, .version = arguments.version};
  if (arguments.timestamp.empty()) return options;
  options.timestamp_ms = ParseInstant(arguments.timestamp);
  if (options.timestamp_ms) return options;
  return MakeError(ErrorKind::kConfigInvalid,
                   fmt::format("--timestamp {}: no moment; write it as 2024-01-31T12:00:00Z or "
                               "2024-01-31T12:00:00+02:00",
                               arguments.timestamp));
}

Status PrintJson(const RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const TextColumn rows, RenderJsonRows(batch));
  for (size_t i = 0; i < rows.ends.size(); ++i) PrintLine(rows[i]);
  return Status::OK();
}

// As in JSON, but without the quotes around a text.
std::string Cell(std::string_view json) {
  if (json.size() >= 2 && json.front() == '"') json = json.substr(1, json.size() - 2);
  return std::string(json);
}

Status AddRows(const RecordBatch& batch, std::vector<std::vector<std::string>>* rows) {
  const size_t first = rows->size();
  rows->resize(first + static_cast<size_t>(batch.num_rows()));
  for (const auto& column : batch.columns()) {
    ARROW_ASSIGN_OR_RAISE(const TextColumn cells, RenderJson(*column));
    for (size_t i = 0; i < cells.ends.size(); ++i) (*rows)[first + i].push_back(Cell(cells[i]));
  }
  return Status::OK();
}

Status RunShow(const Context& context, const ShowArguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const ReadOptions options, MakeReadOptions(arguments));
  ARROW_ASSIGN_OR_RAISE(const Target target, ResolveTarget(context.common, arguments.to));
  ARROW_ASSIGN_OR_RAISE(const Session session, target.loader->Open());
  ARROW_ASSIGN_OR_RAISE(const auto reader, session->ReadTable(arguments.table, options));
  return ShowRows(reader.get(), context.common.json());
}

}  // namespace

Status ShowRows(arrow::RecordBatchReader* reader, bool json) {
  std::vector<std::vector<std::string>> rows{reader->schema()->field_names()};
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) break;
    ARROW_RETURN_NOT_OK(json ? PrintJson(*batch) : AddRows(*batch, &rows));
  }
  if (json) return Status::OK();
  for (const std::string& line : FormatTable(rows, /*widest=*/24)) PrintLine(line);
  return Status::OK();
}

void AddShow(Context* context) {
  auto arguments = std::make_shared<ShowArguments>();
  CLI::App* command =
      AddCommand(context, "show", "Rows of a table", [=] { return RunShow(*context, *arguments); });
  AddTargetOptions(command, &arguments->to, &arguments->table);
  command->add_option("--limit", arguments->limit, "Most rows to show; 10 where left out")
      ->check(CLI::NonNegativeNumber)
      ->type_name("N");
  CLI::Option* version =
      command
          ->add_option("--version", arguments->version,
                       "The table as it was at this version, where the target keeps versions")
          ->type_name("N");
  command
      ->add_option("--timestamp", arguments->timestamp,
                   "The same, by a moment such as 2024-01-31T12:00:00Z")
      ->excludes(version)
      ->type_name("T");
}

}  // namespace amp::cli
