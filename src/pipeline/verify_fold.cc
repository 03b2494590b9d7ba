#include "pipeline/verify_fold.h"

#include <arrow/array.h>
#include <arrow/compute/cast.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>

#include <algorithm>

#include "core/compute.h"
#include "pipeline/verify_blocks.h"

namespace amp {
namespace {

// Is every network's end at or before what `limits` has of it?
bool Within(const BlockRanges& ranges, const BlockRanges& limits) {
  return std::all_of(ranges.begin(), ranges.end(), [&](const BlockRange& range) {
    const BlockRange* limit = FindRange(limits, range.network);
    return limit != nullptr && range.end <= limit->end;
  });
}

}  // namespace

Result<std::vector<bool>> RowsUpTo(const arrow::RecordBatch& batch,
                                   std::optional<uint64_t> last_block) {
  std::vector<bool> wanted(static_cast<size_t>(batch.num_rows()), true);
  if (!last_block) return wanted;
  ARROW_RETURN_NOT_OK(InitializeCompute());
  const auto column = batch.GetColumnByName(std::string(kBlockNumberColumn));
  if (column == nullptr) {
    return MakeError(ErrorKind::kInternal, "rows cannot be told apart by their blocks");
  }
  ARROW_ASSIGN_OR_RAISE(const arrow::Datum cast, arrow::compute::Cast(column, arrow::uint64()));
  const auto numbers = std::static_pointer_cast<arrow::UInt64Array>(cast.make_array());
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    wanted[static_cast<size_t>(i)] = numbers->IsValid(i) && numbers->Value(i) <= *last_block;
  }
  return wanted;
}

bool HasBlockNumbers(const arrow::Schema& schema) {
  const auto field = schema.GetFieldByName(std::string(kBlockNumberColumn));
  return field != nullptr && (arrow::is_integer(field->type()->id()));
}

Status VerifyFold::Add(const arrow::RecordBatch& batch, std::optional<uint64_t> last_block) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<bool> wanted, RowsUpTo(batch, last_block));
  ARROW_ASSIGN_OR_RAISE(const auto rows, HashRows(batch, form_));
  if (key_) {
    ARROW_ASSIGN_OR_RAISE(const auto keys, HashRows(batch, *key_));
    AddKeyed(rows, keys, wanted);
    return Status::OK();
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    if (wanted[i]) open_.Add(rows[i]);
  }
  return Status::OK();
}

void VerifyFold::AddKeyed(const std::vector<Hash128>& rows, const std::vector<Hash128>& keys,
                          const std::vector<bool>& wanted) {
  for (size_t i = 0; i < rows.size(); ++i) {
    if (wanted[i]) open_rows_.emplace_back(keys[i], rows[i]);
  }
}

void VerifyFold::Complete() {
  complete_.Add(open_);
  for (const auto& [key, row] : open_rows_) newest_.insert_or_assign(key, row);
  DropOpen();
}

void VerifyFold::DropOpen() {
  open_ = {};
  open_rows_.clear();
}

RowSum VerifyFold::Take() {
  if (!key_) return std::exchange(complete_, {});
  RowSum sum;
  for (const auto& [key, row] : newest_) sum.Add(row);
  return sum;
}

bool VerifyWalk::GoesBeyond(const BlockRanges& ranges) const {
  return std::any_of(ranges.begin(), ranges.end(), [&](const BlockRange& range) {
    const BlockRange* last = FindRange(watermark_, range.network);
    return last == nullptr || range.end > last->end;
  });
}

Boundary VerifyWalk::ComeTo(const BlockRanges& ranges) {
  while (next_ < entries_.size() && Within(entries_[next_].ranges, ranges)) ++next_;
  if (next_ == first_ || !Within(ranges, entries_[next_ - 1].ranges)) return {};
  Boundary boundary = Close(Within(watermark_, ranges));
  for (const BlockRange& range : entries_[next_ - 1].ranges) {
    if (FindRange(ranges, range.network)->hash == range.hash) continue;
    const BlockRanges segment = RangesOf(boundary.first, boundary.end);
    boundary.reorg = OrphanedBlocks{range.network, FindRange(segment, range.network)->start};
    break;
  }
  return boundary;
}

Boundary VerifyWalk::ComeToTheEnd() {
  next_ = entries_.size();
  return Close(/*at_checkpoint=*/true);
}

Boundary VerifyWalk::Close(bool at_checkpoint) {
  return {.common = true,
          .at_checkpoint = at_checkpoint,
          .first = std::exchange(first_, next_),
          .end = next_};
}

BlockRanges VerifyWalk::RangesOf(size_t first, size_t end) const {
  if (first >= end) return {};
  BlockRanges ranges = entries_[first].ranges;
  for (BlockRange& range : ranges) {
    const BlockRange* last = FindRange(entries_[end - 1].ranges, range.network);
    if (last == nullptr) continue;
    range.end = last->end;
    range.hash = last->hash;
    range.timestamp = last->timestamp;
  }
  return ranges;
}

}  // namespace amp
