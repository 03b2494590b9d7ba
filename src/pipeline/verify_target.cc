#include "pipeline/verify_target.h"

#include <arrow/array.h>
#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/schema.h"
#include "pipeline/read_ahead.h"

namespace amp {
namespace {

Status NoIds(std::string_view why) {
  return MakeError(
      {.kind = ErrorKind::kSchemaMismatch, .side = ErrorSide::kTarget},
      fmt::format("the table {} {}, by which rows belong to a stream", why, kBatchIdColumn));
}

/// The lines of a batch map, to be found by id.
class EntryFinder {
 public:
  explicit EntryFinder(const StreamState& state)
      : entries_(state.checkpoint.entries), base_(SlotBase(state.slot)) {}

  size_t size() const { return entries_.size(); }
  /// Ids between two lines count for the later one: nothing should have them, so that one differs.
  size_t Find(int64_t id) {
    if (id <= base_ || entries_.empty() || id > entries_.back().last_id) return size();
    // Rows of a batch mostly lie together.
    if (last_ < size() && id <= entries_[last_].last_id && entries_[last_].first_id <= id) {
      return last_;
    }
    const auto found = std::lower_bound(
        entries_.begin(), entries_.end(), id,
        [](const BatchEntry& entry, int64_t value) { return entry.last_id < value; });
    last_ = static_cast<size_t>(found - entries_.begin());
    return last_;
  }

 private:
  const std::vector<BatchEntry>& entries_;
  int64_t base_;
  size_t last_ = 0;
};

Status AddRows(const arrow::RecordBatch& batch, const RowForm& form, EntryFinder* finder,
               std::vector<RowSum>* sums) {
  const auto column = batch.GetColumnByName(std::string(kBatchIdColumn));
  if (column == nullptr) return NoIds("has no column");
  if (column->type_id() != arrow::Type::INT64) return NoIds("has another type of column");
  const auto& ids = static_cast<const arrow::Int64Array&>(*column);
  ARROW_ASSIGN_OR_RAISE(const auto hashes, HashRows(batch, form));
  for (int64_t i = 0; i < batch.num_rows(); ++i) {
    if (ids.IsNull(i)) continue;
    const size_t place = finder->Find(ids.Value(i));
    if (place < sums->size()) (*sums)[place].Add(hashes[static_cast<size_t>(i)]);
  }
  return Status::OK();
}

}  // namespace

Status VerifyProgress::CheckStop() const {
  if (options_.stop == nullptr || !options_.stop->load()) return Status::OK();
  return MakeError(ErrorKind::kCancelled, "stopped on request before all rows were compared");
}

Status VerifyProgress::Count(const arrow::RecordBatch& batch) {
  ARROW_RETURN_NOT_OK(CheckStop());
  progress_.rows += batch.num_rows();
  progress_.bytes += BytesOf(batch);
  ++progress_.batches;
  if (options_.on_progress) options_.on_progress(progress_);
  return Status::OK();
}

Result<StreamState> FindStream(Loader* loader, const TableName& table, const std::string& name) {
  auto streams = loader->ReadStreams(table);
  ARROW_RETURN_NOT_OK(WithSide(streams.status(), ErrorSide::kTarget));
  std::vector<std::string> names;
  for (StreamState& stream : *streams) {
    if (stream.name == name) return std::move(stream);
    names.push_back("'" + stream.name + "'");
  }
  return MakeError(
      ErrorKind::kConfigInvalid,
      names.empty()
          ? fmt::format("table '{}' has no streams; compare it with files (--from PATH)", table)
          : fmt::format("table '{}' has no stream '{}'; choose one of {} with --stream", table,
                        name, FirstFew(names)));
}

Result<std::vector<RowSum>> SumTarget(arrow::RecordBatchReader* reader, const StreamState& state,
                                      const RowForm& form, VerifyProgress* progress) {
  EntryFinder finder(state);
  std::vector<RowSum> sums(finder.size());
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, reader->Next());
    if (batch == nullptr) return sums;
    ARROW_RETURN_NOT_OK(progress->Count(*batch));
    ARROW_RETURN_NOT_OK(AddRows(*batch, form, &finder, &sums));
  }
}

}  // namespace amp
