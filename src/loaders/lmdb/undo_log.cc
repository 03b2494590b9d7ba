#include "loaders/lmdb/undo_log.h"

#include "core/cell_encoder.h"
#include "core/log.h"

namespace amp::lmdb {
namespace {

// A line of puts is written when it is about as large as eight pages: longer ones would need as
// many pages side by side, shorter ones more keys.
constexpr size_t kLineBytes = 32 << 10;
// Runs in a line that is not joined with others any more.
constexpr size_t kFullRuns = 512;

std::string RowKey(uint64_t number) {
  std::string key(sizeof(number), '\0');
  Put(number, reinterpret_cast<uint8_t*>(key.data()));
  return key;
}

// Neighbours become one.
std::vector<RowRun> Joined(std::vector<RowRun> runs) {
  std::sort(runs.begin(), runs.end(),
            [](const RowRun& a, const RowRun& b) { return a.first < b.first; });
  std::vector<RowRun> joined;
  for (const RowRun& run : runs) {
    if (!joined.empty() && joined.back().last + 1 == run.first) {
      joined.back().last = run.last;
    } else {
      joined.push_back(run);
    }
  }
  return joined;
}

}  // namespace

Status UndoLog::AddRun(int64_t batch_id, RowRun run) {
  ARROW_RETURN_NOT_OK(Turn(batch_id));
  if (open_.has_run && open_.run.last + 1 == run.first) {
    --open_.next_line;
    run.first = open_.run.first;
  }
  ARROW_RETURN_NOT_OK(WriteLine(RunsToLine({run})));
  open_.run = run;
  open_.has_run = true;
  return Status::OK();
}

Status UndoLog::AddPut(int64_t batch_id, const PutRecord& put) {
  ARROW_RETURN_NOT_OK(Turn(batch_id));
  AppendPut(put, &open_.puts);
  return open_.puts.size() < kLineBytes ? Status::OK() : Flush();
}

Status UndoLog::Flush() {
  if (open_.puts.empty()) return Status::OK();
  ARROW_RETURN_NOT_OK(WriteLine(open_.puts));
  open_.puts.clear();
  return Status::OK();
}

Status UndoLog::Turn(int64_t batch_id) {
  if (open_.batch_id == batch_id) return Status::OK();
  ARROW_RETURN_NOT_OK(Flush());
  open_ = Open{.batch_id = batch_id, .next_line = 0, .run = {}, .has_run = false, .puts = {}};
  return NextLine(static_cast<uint64_t>(batch_id)).Value(&open_.next_line);
}

Status UndoLog::WriteLine(const std::string& line) {
  const auto id = static_cast<uint64_t>(open_.batch_id);
  return PutEntry(*txn_, place_.log, ChunkKey(place_.table, id, open_.next_line++), line);
}

Result<uint32_t> UndoLog::NextLine(uint64_t batch_id) const {
  ARROW_ASSIGN_OR_RAISE(const auto last,
                        LastEntry(*txn_, place_.log, BatchKey(place_.table, batch_id),
                                  BatchKey(place_.table, batch_id + 1)));
  if (!last) return 0;
  const auto* end = reinterpret_cast<const uint8_t*>(last->key.data()) + last->key.size();
  return Get<uint32_t>(end - sizeof(uint32_t)) + 1;
}

Result<UndoReport> UndoLog::UndoAfter(int64_t batch_id) {
  ARROW_RETURN_NOT_OK(Flush());
  const std::string from = BatchKey(place_.table, static_cast<uint64_t>(batch_id) + 1);
  const std::string end = BatchKey(place_.table, SlotLimit(place_.slot));
  Outcome outcome;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto last, LastEntry(*txn_, place_.log, from, end));
    if (!last) break;
    // Copied: what follows writes.
    const std::string key(last->key);
    const std::string line(last->value);
    ARROW_RETURN_NOT_OK(UndoLine(line, &outcome));
    ARROW_RETURN_NOT_OK(EraseEntry(*txn_, place_.log, key).status());
  }
  open_ = Open{};
  outcome.report.restored = static_cast<int64_t>(outcome.restored.size());
  outcome.report.left = static_cast<int64_t>(outcome.left.size());
  if (outcome.report.left > 0) {
    Log().warn("table '{}': {} rows of undone batches were changed by someone else since, and stay",
               place_.table, outcome.report.left);
  }
  return outcome.report;
}

Status UndoLog::UndoLine(std::string_view line, Outcome* outcome) {
  if (IsRunLine(line)) {
    ARROW_ASSIGN_OR_RAISE(const auto runs, RunsFromLine(line));
    for (const RowRun& run : runs) ARROW_RETURN_NOT_OK(UndoRun(run, outcome));
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto puts, PutsFromLine(line));
  for (auto put = puts.rbegin(); put != puts.rend(); ++put) {
    ARROW_RETURN_NOT_OK(UndoPut(*put, outcome));
  }
  return Status::OK();
}

Status UndoLog::UndoRun(const RowRun& run, Outcome* outcome) {
  ARROW_ASSIGN_OR_RAISE(const int64_t erased,
                        EraseEntries(*txn_, place_.rows, RowKey(run.first), RowKey(run.last + 1)));
  outcome->report.removed += erased;
  return Status::OK();
}

// An earlier batch's put of the same key is undone after this one: it then finds the value that it
// left itself, or one of someone else, which stays.
Status UndoLog::UndoPut(const PutRecord& put, Outcome* outcome) {
  const std::string key(put.key);
  if (outcome->left.contains(key)) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto now, GetEntry(*txn_, place_.rows, key));
  if (!now || HashOf(*now) != put.hash) {
    if (!outcome->restored.contains(key)) outcome->left.insert(key);
    return Status::OK();
  }
  if (put.before) {
    outcome->restored.insert(key);
    return PutEntry(*txn_, place_.rows, key, *put.before);
  }
  outcome->restored.erase(key);
  ++outcome->report.removed;
  return EraseEntry(*txn_, place_.rows, key).status();
}

Status UndoLog::JoinRuns(int64_t first_id, int64_t last_id) {
  const auto last = static_cast<uint64_t>(last_id);
  ARROW_ASSIGN_OR_RAISE(const auto runs, TakeRuns(static_cast<uint64_t>(first_id), last));
  ARROW_ASSIGN_OR_RAISE(uint32_t line, NextLine(last));
  for (size_t at = 0; at < runs.size(); at += kFullRuns) {
    const auto part = runs.begin() + static_cast<ptrdiff_t>(at);
    const auto size = static_cast<ptrdiff_t>(std::min(kFullRuns, runs.size() - at));
    ARROW_RETURN_NOT_OK(PutEntry(*txn_, place_.log, ChunkKey(place_.table, last, line++),
                                 RunsToLine({part, part + size})));
  }
  open_ = Open{};
  return Status::OK();
}

// From the newest line back to one that is full: older ones are, too. So joining costs what is new.
Result<std::vector<RowRun>> UndoLog::TakeRuns(uint64_t first_id, uint64_t last_id) {
  const std::string from = BatchKey(place_.table, first_id);
  std::string end = BatchKey(place_.table, last_id + 1);
  std::vector<RowRun> runs;
  std::vector<std::string> keys;
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto line, LastEntry(*txn_, place_.log, from, end));
    const bool full = line && line->value.size() > kFullRuns * sizeof(RowRun);
    if (!line || full || !IsRunLine(line->value)) break;
    ARROW_ASSIGN_OR_RAISE(const auto more, RunsFromLine(line->value));
    runs.insert(runs.end(), more.begin(), more.end());
    end = line->key;
    keys.push_back(end);
  }
  if (keys.size() < 2) return std::vector<RowRun>();
  for (const std::string& key : keys) {
    ARROW_RETURN_NOT_OK(EraseEntry(*txn_, place_.log, key).status());
  }
  return Joined(std::move(runs));
}

Status UndoLog::DropUpTo(int64_t batch_id) {
  return EraseEntries(*txn_, place_.log,
                      BatchKey(place_.table, static_cast<uint64_t>(SlotBase(place_.slot))),
                      BatchKey(place_.table, static_cast<uint64_t>(batch_id) + 1))
      .status();
}

}  // namespace amp::lmdb
