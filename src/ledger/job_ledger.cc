#include "ledger/job_ledger.h"

#include <fmt/format.h>

namespace amp {

JobLedger::JobLedger(const StreamState& state)
    : job_(state.name),
      base_(SlotBase(state.slot)),
      sequence_(state.checkpoint.sequence),
      last_id_(state.checkpoint.last_batch_id),
      next_number_(state.checkpoint.next_number),
      committed_number_(next_number_),
      watermark_(state.checkpoint.watermark) {
  for (const BatchEntry& entry : state.checkpoint.entries) Add(entry);
}

void JobLedger::Add(const BatchEntry& entry) {
  for (const BlockRange& range : entry.ranges) {
    LoadedFile& file = files_[range.network];
    file.fingerprint = range.hash;
    file.parts.insert(range.start);
  }
  units_ += entry.batches;
  rows_ += entry.rows;
}

Status JobLedger::CheckUnchanged(const JobUnit& unit, const LoadedFile& file) const {
  if (unit.fingerprint == file.fingerprint) return Status::OK();
  return MakeError(
      {.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kSource, .target = unit.file},
      fmt::format("file '{}' has changed since job '{}' loaded {} of it; its rows cannot be told "
                  "from those that are there. Bring the old file back, give the new one another "
                  "name, or load it with another job (--job NAME) or into another table",
                  unit.file, job_,
                  file.parts.size() == 1 ? std::string("a part")
                                         : fmt::format("{} parts", file.parts.size())));
}

Result<std::vector<size_t>> JobLedger::Missing(const std::vector<JobUnit>& units) const {
  std::vector<size_t> missing;
  std::set<std::pair<std::string_view, uint64_t>> seen;
  for (size_t i = 0; i < units.size(); ++i) {
    const JobUnit& unit = units[i];
    if (!seen.emplace(unit.file, unit.part).second) continue;
    const auto file = files_.find(unit.file);
    if (file != files_.end()) {
      ARROW_RETURN_NOT_OK(CheckUnchanged(unit, file->second));
      if (file->second.parts.contains(unit.part)) continue;
    }
    missing.push_back(i);
  }
  return missing;
}

void JobLedger::Begin(const JobUnit& unit) {
  const int64_t id = base_ + next_number_++;
  open_ = BatchEntry{.first_id = id,
                     .last_id = id,
                     .ranges = {{.network = unit.file,
                                 .start = unit.part,
                                 .end = unit.part,
                                 .hash = unit.fingerprint,
                                 .prev_hash = {}}}};
}

void JobLedger::Complete(int64_t now) {
  open_->completed_at = now;
  last_id_ = open_->last_id;
  watermark_ = open_->ranges;
  uncommitted_.push_back(*std::move(open_));
  open_.reset();
}

std::optional<int64_t> JobLedger::Interrupt() {
  if (!open_) return std::nullopt;
  open_.reset();
  return last_id_;
}

// Nothing of a job is ever undone once it is committed.
Checkpoint JobLedger::NextCheckpoint() const {
  return {.sequence = sequence_ + 1,
          .last_batch_id = last_id_,
          .watermark = watermark_,
          .entries = uncommitted_,
          .final_id = last_id_,
          .next_number = next_number_};
}

void JobLedger::Committed() {
  ++sequence_;
  committed_number_ = next_number_;
  for (const BatchEntry& entry : uncommitted_) Add(entry);
  uncommitted_.clear();
}

}  // namespace amp
