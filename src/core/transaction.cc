#include "amp/transaction.h"

#include <fmt/format.h>

#include <algorithm>

namespace amp {

Transaction::~Transaction() = default;

Result<UndoReport> Transaction::UndoAfter(int64_t /*batch_id*/) {
  return MakeError(ErrorKind::kUnsupported, "this loader cannot undo batches of a stream");
}

Status RowErrors::Add(int64_t row, std::string_view message) {
  messages_.push_back(fmt::format("row {}: {}", row, message));
  if (messages_.size() <= kLimit) return Status::OK();
  return MakeError(
      ErrorKind::kDataInvalid,
      fmt::format("more than {} rows could not be stored; the last: {}", kLimit, messages_.back()));
}

Status RowErrors::Judge(int64_t rows_loaded) const {
  if (messages_.empty()) return Status::OK();
  const size_t shown = std::min(messages_.size(), kShown);
  std::string list =
      fmt::format("{}", fmt::join(messages_.begin(), messages_.begin() + shown, "; "));
  if (messages_.size() > shown) list += fmt::format("; … and {} more", messages_.size() - shown);
  const std::string what = rows_loaded == 0 ? std::string("no row could be stored")
                                            : fmt::format("{} rows were skipped", messages_.size());
  return MakeError(ErrorKind::kDataInvalid, fmt::format("{}: {}", what, list));
}

}  // namespace amp
