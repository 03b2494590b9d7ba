// ampload info: rows, columns, size and streams of a table.

#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "cli/facts.h"
#include "cli/target.h"
#include "cli/text_table.h"
#include "core/stream_state.h"
#include "core/text.h"
#include "core/time_text.h"

namespace amp::cli {
namespace {

struct InfoArguments {
  std::string to, table;
};

// 75 → "1 min 15 s"; old chains are days behind.
std::string LagText(std::optional<double> lag) {
  if (!lag) return "-";
  const auto seconds = static_cast<int64_t>(std::max(*lag, 0.0));
  if (seconds < 60) return fmt::format("{} s", seconds);
  if (seconds < 3600) return fmt::format("{} min {} s", seconds / 60, seconds % 60);
  if (seconds < 86'400) return fmt::format("{} h {} min", seconds / 3600, seconds / 60 % 60);
  return fmt::format("{} days", Grouped(seconds / 86'400));
}

// 2026-11-24 01:40:23 UTC
std::string CommitTimeText(int64_t unix_millis) {
  if (unix_millis == 0) return "none yet";
  std::string text;
  AppendTimestamp(unix_millis / 1000, arrow::TimeUnit::SECOND, /*utc=*/false, &text);
  return text.replace(text.find('T'), 1, " ") + " UTC";
}

std::string BlocksText(const std::vector<BlockRange>& watermark) {
  std::vector<std::string> blocks;
  for (const BlockRange& range : watermark) {
    blocks.push_back(fmt::format("{} {}", range.network, range.end));
  }
  return blocks.empty() ? "-" : fmt::format("{}", fmt::join(blocks, ", "));
}

void PrintStreams(const std::vector<StreamState>& streams) {
  std::vector<std::vector<std::string>> rows{
      {"stream", "mode", "up to block", "lag", "commits", "epoch", "last commit", "query"}};
  for (const StreamState& stream : streams) {
    const Checkpoint& checkpoint = stream.checkpoint;
    rows.push_back({stream.name, std::string(ToString(stream.mode)),
                    BlocksText(checkpoint.watermark), LagText(LagSeconds(checkpoint.watermark)),
                    Grouped(checkpoint.sequence), Grouped(stream.epoch),
                    CommitTimeText(stream.committed_at), stream.query});
  }
  PrintLine("");
  for (const std::string& line : FormatTable(rows)) PrintLine(line);
}

void PrintInfo(const TableInfo& info) {
  PrintLine(fmt::format("Table '{}': {} rows, {}", info.table_name, Grouped(info.row_count),
                        HumanBytes(info.size_bytes)));
  std::vector<std::vector<std::string>> rows{{"column", "type", "null"}};
  for (const ColumnInfo& column : info.columns) {
    rows.push_back({column.name, column.type, column.nullable ? "yes" : "no"});
  }
  for (const std::string& line : FormatTable(rows)) PrintLine(line);
  if (!info.extra.entries().empty()) {
    PrintLine("");
    PrintFacts(info.extra);
  }
  if (!info.streams.empty()) PrintStreams(info.streams);
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
  CLI::App* command = AddCommand(context, "info", "Rows, columns, size and streams of a table",
                                 [=] { return RunInfo(*context, *arguments); });
  AddTargetOptions(command, &arguments->to, &arguments->table);
}

}  // namespace amp::cli
