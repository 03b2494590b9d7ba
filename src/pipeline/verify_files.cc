#include <arrow/record_batch.h>

#include <future>

#include "core/row_hash.h"
#include "pipeline/read_ahead.h"
#include "pipeline/verify.h"
#include "pipeline/verify_target.h"

namespace amp {
namespace {

/// Both sides are read at once; when one fails, the other ends too.
class FilesRun {
 public:
  FilesRun(const VerifyOptions& options, RowForm form)
      : options_(options), form_(std::move(form)), progress_(options) {}

  Result<VerifyResult> Run(std::shared_ptr<arrow::RecordBatchReader> source,
                           std::shared_ptr<arrow::RecordBatchReader> target) {
    auto target_sum = std::async(std::launch::async,
                                 [&] { return EndingOther(Sum([&] { return target->Next(); })); });
    ReadAhead ahead(std::move(source), options_.pipeline);
    const auto source_sum = EndingOther(Sum([&] { return ahead.Next(); }));
    const auto other = target_sum.get();
    // The side that was ended by the other one has nothing to say.
    if (!source_sum.ok() && KindOf(source_sum.status()) != ErrorKind::kCancelled) {
      return WithSide(source_sum.status(), ErrorSide::kSource);
    }
    ARROW_RETURN_NOT_OK(WithSide(other.status(), ErrorSide::kTarget));
    ARROW_RETURN_NOT_OK(source_sum.status());
    return Compare(*source_sum, *other);
  }

 private:
  template <class Next>
  Result<RowSum> Sum(Next next) {
    RowSum sum;
    while (true) {
      ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<RecordBatch> batch, next());
      if (batch == nullptr) return sum;
      ARROW_RETURN_NOT_OK(Count(*batch));
      ARROW_ASSIGN_OR_RAISE(const auto rows, HashRows(*batch, form_));
      for (const Hash128& row : rows) sum.Add(row);
    }
  }
  Status Count(const RecordBatch& batch) {
    if (failed_) return MakeError(ErrorKind::kCancelled, "the other side has failed");
    const std::lock_guard lock(mutex_);
    return progress_.Count(batch);
  }
  Result<RowSum> EndingOther(Result<RowSum> sum) {
    if (!sum.ok()) failed_ = true;
    return sum;
  }
  static VerifyResult Compare(const RowSum& source, const RowSum& target) {
    VerifyResult result{
        .rows_source = source.rows, .rows_target = target.rows, .ranges_compared = 1};
    if (source == target) return result;
    result.ranges_different = 1;
    result.first_difference =
        RangeDifference{.source_rows = source.rows, .target_rows = target.rows};
    return result;
  }

  const VerifyOptions& options_;
  const RowForm form_;
  std::mutex mutex_;
  VerifyProgress progress_;
  std::atomic<bool> failed_ = false;
};

}  // namespace

Result<VerifyResult> VerifyFiles(Loader* loader, std::shared_ptr<arrow::RecordBatchReader> source,
                                 const TableName& table, const VerifyOptions& options) {
  auto target = loader->ReadTable(table);
  ARROW_RETURN_NOT_OK(WithSide(target.status(), ErrorSide::kTarget));
  ARROW_ASSIGN_OR_RAISE(RowForm form, MatchRows(*source->schema(), *(*target)->schema()));
  if (!form.differences.empty()) return VerifyResult{.columns = std::move(form.differences)};
  FilesRun run(options, std::move(form));
  return run.Run(std::move(source), *std::move(target));
}

}  // namespace amp
