#include "cli/stream_events.h"

#include <unistd.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "cli/command.h"
#include "core/stream_state.h"
#include "core/text.h"

namespace amp::cli {
namespace {

using Json = nlohmann::ordered_json;

double Milliseconds(std::chrono::microseconds time) {
  return static_cast<double>(time.count()) / 1000;
}

Json CheckpointJson(const std::vector<BlockRange>& watermark) {
  Json json = Json::object();
  for (const BlockRange& range : watermark) {
    json[range.network] = {{"number", range.end}, {"hash", range.hash}};
  }
  return json;
}

void AddCommit(const StreamEvent& event, Json* json) {
  const auto lag = LagSeconds(event.checkpoint.watermark);
  (*json)["rows"] = event.rows;
  (*json)["sequence"] = event.checkpoint.sequence;
  (*json)["checkpoint"] = CheckpointJson(event.checkpoint.watermark);
  (*json)["lag_seconds"] = lag ? Json(*lag) : Json();
  (*json)["latency_ms"] = Milliseconds(event.latency);
}

void AddReorg(const StreamEvent& event, Json* json) {
  (*json)["orphaned"] = Json::array();
  for (const BlockRange& range : event.orphaned) {
    (*json)["orphaned"].push_back(
        {{"network", range.network}, {"start", range.start}, {"end", range.end}});
  }
  (*json)["rows_removed"] = event.undone.removed;
  (*json)["rows_restored"] = event.undone.restored;
  (*json)["rows_left"] = event.undone.left;
}

void AddRetry(const StreamEvent& event, Json* json) {
  (*json)["kind"] = ToString(KindOf(event.failure));
  (*json)["error"] = event.failure.message();
  (*json)["delay_seconds"] = static_cast<double>(event.delay.count()) / 1000;
}

std::string_view NameOf(StreamEvent::Kind kind) {
  switch (kind) {
    case StreamEvent::Kind::kCommit:
      return "commit";
    case StreamEvent::Kind::kReorg:
      return "reorg";
    case StreamEvent::Kind::kRetry:
      return "retry";
    case StreamEvent::Kind::kConnected:
      return "connected";
  }
  return "";
}

std::string Dump(const Json& json) {
  return json.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Json EventJson(const TableName& table, const StreamEvent& event) {
  Json json{{"event", NameOf(event.kind)}, {"table_name", table}, {"stream", event.stream}};
  switch (event.kind) {
    case StreamEvent::Kind::kCommit:
      AddCommit(event, &json);
      break;
    case StreamEvent::Kind::kReorg:
      AddReorg(event, &json);
      break;
    case StreamEvent::Kind::kRetry:
      AddRetry(event, &json);
      break;
    case StreamEvent::Kind::kConnected:
      break;
  }
  return json;
}

// Lines of several streams must not be torn.
void PrintJson(const Json& json) {
  static std::mutex mutex;
  const std::lock_guard lock(mutex);
  PrintLine(Dump(json));
  std::fflush(stdout);
}

}  // namespace

StreamReport::StreamReport(std::string name, bool json, bool quiet)
    : name_(std::move(name)),
      json_(json),
      quiet_(quiet),
      terminal_(isatty(STDERR_FILENO) == 1 && name_.empty()) {}

StreamReport::~StreamReport() {
  if (drawn_ && terminal_) std::fputs("\r\033[K", stderr);
}

void StreamReport::Tell(const TableName& table, const StreamEvent& event) {
  rows_ += event.rows;
  bytes_ += event.bytes;
  undone_ += event.undone.removed + event.undone.restored;
  reorgs_ += event.kind == StreamEvent::Kind::kReorg ? 1 : 0;
  if (json_) PrintJson(EventJson(table, event));
  if (event.kind == StreamEvent::Kind::kCommit) DrawProgress(event);
}

void StreamReport::Done(const LoadResult& result) {
  if (json_) {
    Json json = Json::parse(result.ToJson());
    json["event"] = "done";
    PrintJson(json);
    return;
  }
  if (!result.success) return;
  PrintLine(fmt::format("{}Committed {} rows into '{}' ({}, {}) in {:.2f} s{}",
                        name_.empty() ? "" : name_ + ": ", Grouped(result.rows_loaded),
                        result.table_name, result.loader, ToString(result.mode),
                        result.duration_seconds, ReorgsText()));
}

std::string StreamReport::ReorgsText() const {
  if (reorgs_ == 0) return "";
  return fmt::format("; {} {} undid {} rows", Grouped(reorgs_), reorgs_ == 1 ? "reorg" : "reorgs",
                     Grouped(undone_));
}

void StreamReport::DrawProgress(const StreamEvent& event) {
  if (quiet_) return;
  const Clock::time_point now = Clock::now();
  const auto pause = terminal_ ? std::chrono::milliseconds(100) : std::chrono::seconds(10);
  if (now - last_ < pause) return;
  last_ = now;
  drawn_ = true;
  std::fprintf(stderr, terminal_ ? "\r\033[K%s" : "%s\n", ProgressLine(event).c_str());
  std::fflush(stderr);
}

std::string StreamReport::ProgressLine(const StreamEvent& event) const {
  const double seconds = std::chrono::duration<double>(Clock::now() - start_).count();
  std::string line = fmt::format(
      "{}{} rows, {} rows/s, {:.1f} MB/s", name_.empty() ? "" : name_ + ": ", Grouped(rows_),
      Grouped(static_cast<int64_t>(static_cast<double>(rows_) / seconds)),
      static_cast<double>(bytes_) / 1e6 / seconds);
  for (const BlockRange& range : event.checkpoint.watermark) {
    line += fmt::format(", {} block {}", range.network, range.end);
  }
  if (const auto lag = LagSeconds(event.checkpoint.watermark)) {
    line += fmt::format(", lag {:.0f} s", *lag);
  }
  return line + ReorgsText();
}

}  // namespace amp::cli
