// What undoing the newest rows costs in a small and in a large table: --url URL --mode
// append|upsert --small ROWS --large ROWS --pairs N. Each table is loaded anew for each pair, and
// the undo of its newest 2,000 rows (20 batches of 100) comes straight after that. Prints a line of
// JSON an undo; the tables are dropped in the end.

#include <arrow/api.h>

#include <algorithm>
#include <optional>

#include "amp/loader.h"
#include "support/arguments.h"
#include "support/bench_stream.h"
#include "support/stopwatch.h"

namespace amp::bench {
namespace {

constexpr int64_t kUndoneBatches = 20;
constexpr int64_t kUndoneBatchRows = 100;
constexpr int64_t kBatchRows = 10'000;
constexpr int64_t kCommitRows = 50'000;

std::shared_ptr<arrow::Schema> RowSchema() {
  return arrow::schema({arrow::field("id", arrow::int64(), false),
                        arrow::field("hash", arrow::binary()), arrow::field("data", arrow::utf8()),
                        arrow::field(std::string(kBatchIdColumn), arrow::int64())});
}

Result<std::shared_ptr<arrow::RecordBatch>> MakeRows(int64_t first, int64_t count, int64_t batch) {
  arrow::Int64Builder ids, batches;
  arrow::BinaryBuilder hashes;
  arrow::StringBuilder data;
  const std::string text(200, 'x');
  for (int64_t i = 0; i < count; ++i) {
    ARROW_RETURN_NOT_OK(ids.Append(first + i));
    ARROW_RETURN_NOT_OK(hashes.Append(std::string(32, static_cast<char>(i))));
    ARROW_RETURN_NOT_OK(data.Append(text));
    ARROW_RETURN_NOT_OK(batches.Append(batch));
  }
  ARROW_ASSIGN_OR_RAISE(auto a, ids.Finish());
  ARROW_ASSIGN_OR_RAISE(auto b, hashes.Finish());
  ARROW_ASSIGN_OR_RAISE(auto c, data.Finish());
  ARROW_ASSIGN_OR_RAISE(auto d, batches.Finish());
  return arrow::RecordBatch::Make(RowSchema(), count, {a, b, c, d});
}

/// Milliseconds.
struct UndoTimes {
  double undo = 0;  ///< without the beginning and the commit of its transaction
  double whole = 0;
};

/// A stream into a table of its own, as the pipeline writes it.
class StreamTable {
 public:
  StreamTable(Loader* loader, TableName table, LoadMode mode)
      : loader_(loader), table_(std::move(table)), mode_(mode) {}

  Status LoadAnew(int64_t rows) {
    ARROW_RETURN_NOT_OK(loader_->ResetTable(table_));
    StreamSpec spec{.table = table_, .schema = RowSchema(), .mode = mode_, .query = "bench"};
    if (mode_ != LoadMode::kAppend) spec.key = {"id"};
    ARROW_ASSIGN_OR_RAISE(stream_, BenchStream::Open(loader_, std::move(spec)));
    next_row_ = 0;
    const int64_t early = rows - kUndoneBatches * kUndoneBatchRows;
    while (next_row_ < early) {
      ARROW_RETURN_NOT_OK(Load(std::min(kCommitRows, early - next_row_), kBatchRows));
    }
    return Load(kUndoneBatches * kUndoneBatchRows, kUndoneBatchRows);
  }

  Result<UndoTimes> UndoNewest() {
    const Stopwatch whole;
    ARROW_ASSIGN_OR_RAISE(auto transaction, stream_->Begin());
    const Stopwatch undo;
    ARROW_ASSIGN_OR_RAISE(const UndoReport report,
                          transaction->UndoAfter(stream_->last_id() - kUndoneBatches));
    UndoTimes times{.undo = undo.Elapsed().wall * 1000};
    if (report.removed != kUndoneBatches * kUndoneBatchRows) {
      return Status::Invalid("undo removed ", report.removed, " rows");
    }
    ARROW_RETURN_NOT_OK(stream_->Commit(transaction.get(), {}));
    times.whole = whole.Elapsed().wall * 1000;
    return times;
  }

 private:
  Status Load(int64_t rows, int64_t batch_rows) {
    ARROW_ASSIGN_OR_RAISE(auto transaction, stream_->Begin());
    std::vector<BatchEntry> entries;
    for (int64_t end = next_row_ + rows; next_row_ < end;) {
      const int64_t count = std::min(batch_rows, end - next_row_);
      const int64_t id = stream_->NextId();
      ARROW_ASSIGN_OR_RAISE(const auto batch, MakeRows(next_row_, count, id));
      ARROW_RETURN_NOT_OK(transaction->Write({.id = id, .ranges = {}}, *batch));
      next_row_ += count;
      entries.push_back({.first_id = id, .last_id = id, .ranges = {}, .rows = count});
    }
    return stream_->Commit(transaction.get(), std::move(entries));
  }

  Loader* loader_;
  TableName table_;
  LoadMode mode_;
  std::optional<BenchStream> stream_;
  int64_t next_row_ = 0;
};

Status MeasureUndo(StreamTable* table, int64_t rows) {
  ARROW_ASSIGN_OR_RAISE(const UndoTimes times, table->UndoNewest());
  fmt::print(R"({{"who": "{}", "undo_ms": {:.3f}, "whole_ms": {:.3f}}})"
             "\n",
             rows, times.undo, times.whole);
  std::fflush(stdout);
  return Status::OK();
}

Status MeasurePairs(Loader* loader, const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::string mode_name, arguments.Text("mode"));
  ARROW_ASSIGN_OR_RAISE(const LoadMode mode, ParseLoadMode(mode_name));
  ARROW_ASSIGN_OR_RAISE(const int64_t small_rows, arguments.Count("small"));
  ARROW_ASSIGN_OR_RAISE(const int64_t large_rows, arguments.Count("large"));
  ARROW_ASSIGN_OR_RAISE(const int64_t pairs, arguments.Count("pairs"));
  StreamTable small(loader, "ampload_bench_small", mode);
  StreamTable large(loader, "ampload_bench_large", mode);
  for (int64_t i = 0; i < pairs; ++i) {
    ARROW_RETURN_NOT_OK(small.LoadAnew(small_rows));
    ARROW_RETURN_NOT_OK(MeasureUndo(&small, small_rows));
    ARROW_RETURN_NOT_OK(large.LoadAnew(large_rows));
    ARROW_RETURN_NOT_OK(MeasureUndo(&large, large_rows));
  }
  ARROW_RETURN_NOT_OK(loader->ResetTable("ampload_bench_small"));
  return loader->ResetTable("ampload_bench_large");
}

Status Run(const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::string url, arguments.Text("url"));
  ARROW_ASSIGN_OR_RAISE(const auto loader, Registry::Global().MakeFromUrl(url));
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  return MeasurePairs(loader.get(), arguments);
}

}  // namespace
}  // namespace amp::bench

int main(int argc, char** argv) { return amp::bench::RunProgram(argc, argv, amp::bench::Run); }
