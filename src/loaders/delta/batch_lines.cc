#include "loaders/delta/batch_lines.h"

#include <algorithm>

namespace amp::delta {
namespace {

// A state of this many final lines is some 50 KiB.
constexpr size_t kManyLines = 256;
// Final lines are merged into coarser ones, many into one: the last of them may still grow.
constexpr size_t kStillGrowing = 2;

}  // namespace

Status BatchLines::TakeBack(int64_t batch_id, const ReadFile& read) {
  while (!older_.empty() && older_.back().last_id > batch_id) {
    ARROW_ASSIGN_OR_RAISE(std::vector<BatchEntry> lines, read(older_.back()));
    lines.insert(lines.end(), newest_.begin(), newest_.end());
    newest_ = std::move(lines);
    older_.pop_back();
  }
  return Status::OK();
}

Status BatchLines::Put(const std::vector<BatchEntry>& entries, const ReadFile& read) {
  for (const BatchEntry& entry : entries) {
    ARROW_RETURN_NOT_OK(TakeBack(entry.first_id - 1, read));
    const auto first =
        std::lower_bound(newest_.begin(), newest_.end(), entry.first_id,
                         [](const BatchEntry& line, int64_t id) { return line.first_id < id; });
    auto end = first;
    while (end != newest_.end() && end->last_id <= entry.last_id) ++end;
    newest_.insert(newest_.erase(first, end), entry);
  }
  return Status::OK();
}

Status BatchLines::DropAfter(int64_t batch_id, const ReadFile& read) {
  while (!older_.empty() && older_.back().first_id > batch_id) {
    older_.pop_back();
    newest_.clear();
  }
  ARROW_RETURN_NOT_OK(TakeBack(batch_id, read));
  while (!newest_.empty() && newest_.back().last_id > batch_id) newest_.pop_back();
  return Status::OK();
}

Result<std::vector<BatchEntry>> BatchLines::ReadAll(const ReadFile& read) const {
  std::vector<BatchEntry> all;
  for (const LinesFile& file : older_) {
    ARROW_ASSIGN_OR_RAISE(const std::vector<BatchEntry> lines, read(file));
    all.insert(all.end(), lines.begin(), lines.end());
  }
  all.insert(all.end(), newest_.begin(), newest_.end());
  return all;
}

size_t BatchLines::CountToMove(int64_t final_id) const {
  const auto unfinal = std::find_if(newest_.begin(), newest_.end(), [&](const BatchEntry& line) {
    return line.last_id > final_id;
  });
  const auto count = static_cast<size_t>(unfinal - newest_.begin());
  return count < kManyLines ? 0 : count - kStillGrowing;
}

void BatchLines::Moved(size_t count, std::string name) {
  const auto end = newest_.begin() + static_cast<std::ptrdiff_t>(count);
  older_.push_back({.name = std::move(name),
                    .first_id = newest_.front().first_id,
                    .last_id = std::prev(end)->last_id});
  newest_.erase(newest_.begin(), end);
}

}  // namespace amp::delta
