// What a stream costs in PostgreSQL: --url URL --table NAME --mode append|upsert --rows N. Loads N
// rows in commits of 50,000, then times commits of 1,000 rows, and the undo of the newest 2,000
// rows (20 batches of 100), straight after loading. The table is dropped before and after.

#include <arrow/api.h>

#include <algorithm>

#include "amp/loader.h"
#include "core/stream_state.h"
#include "support/arguments.h"
#include "support/stopwatch.h"

namespace amp::bench {
namespace {

constexpr int64_t kBatchRows = 100;
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
  for (int64_t i = 0; i < count; ++i) {
    ARROW_RETURN_NOT_OK(ids.Append(first + i));
    ARROW_RETURN_NOT_OK(hashes.Append(std::string(32, static_cast<char>(i))));
    ARROW_RETURN_NOT_OK(data.Append(std::string(200, 'x')));
    ARROW_RETURN_NOT_OK(batches.Append(batch));
  }
  ARROW_ASSIGN_OR_RAISE(auto a, ids.Finish());
  ARROW_ASSIGN_OR_RAISE(auto b, hashes.Finish());
  ARROW_ASSIGN_OR_RAISE(auto c, data.Finish());
  ARROW_ASSIGN_OR_RAISE(auto d, batches.Finish());
  return arrow::RecordBatch::Make(RowSchema(), count, {a, b, c, d});
}

class StreamBench {
 public:
  StreamBench(Loader* loader, TableName table, LoadMode mode)
      : loader_(loader), table_(std::move(table)), mode_(mode) {}

  Status Open() {
    StreamSpec spec{.table = table_, .schema = RowSchema(), .mode = mode_, .query = "bench"};
    if (mode_ != LoadMode::kAppend) spec.key = {"id"};
    return loader_->OpenStream(spec).Value(&state_);
  }

  // A commit of `rows`, a batch each `batch_rows`.
  Status Load(int64_t rows, int64_t batch_rows) {
    ARROW_ASSIGN_OR_RAISE(auto transaction, Begin());
    std::vector<BatchEntry> entries;
    for (int64_t done = 0; done < rows; done += batch_rows) {
      ARROW_ASSIGN_OR_RAISE(const auto batch, MakeRows(next_row_, batch_rows, ++last_id_));
      ARROW_RETURN_NOT_OK(transaction->Write({.id = last_id_, .ranges = {}}, *batch));
      next_row_ += batch_rows;
      entries.push_back(
          {.first_id = last_id_, .last_id = last_id_, .ranges = {}, .rows = batch_rows});
    }
    return Commit(*transaction, std::move(entries));
  }

  // Seconds of the undo itself, without the commit.
  Result<double> Undo(int64_t batches) {
    ARROW_ASSIGN_OR_RAISE(auto transaction, Begin());
    const Stopwatch stopwatch;
    ARROW_ASSIGN_OR_RAISE(const UndoReport report, transaction->UndoAfter(last_id_ - batches));
    const double seconds = stopwatch.Elapsed().wall;
    if (report.removed != batches * kBatchRows) {
      return Status::Invalid("undo removed ", report.removed);
    }
    next_row_ -= report.removed;
    ARROW_RETURN_NOT_OK(Commit(*transaction, {}));
    return seconds;
  }

 private:
  Result<std::unique_ptr<Transaction>> Begin() {
    return loader_->BeginTransaction({.table = table_,
                                      .schema = RowSchema(),
                                      .mode = mode_,
                                      .key = state_.key,
                                      .stream = StreamRef{.name = state_.name,
                                                          .slot = state_.slot,
                                                          .epoch = state_.epoch,
                                                          .sequence = state_.checkpoint.sequence}});
  }
  Status Commit(Transaction& transaction, std::vector<BatchEntry> entries) {
    Checkpoint& checkpoint = state_.checkpoint;
    ++checkpoint.sequence;
    checkpoint.last_batch_id = last_id_;
    checkpoint.final_id = std::max(checkpoint.final_id, last_id_ - 1000);
    checkpoint.next_number = last_id_ + 1;
    checkpoint.entries = std::move(entries);
    return transaction.Commit(checkpoint);
  }

  Loader* loader_;
  TableName table_;
  LoadMode mode_;
  StreamState state_;
  int64_t next_row_ = 0;
  int64_t last_id_ = 0;
};

double Median(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values[values.size() / 2] * 1000;
}

Status Measure(StreamBench& bench, int64_t rows) {
  const Stopwatch loading;
  for (int64_t done = 0; done < rows; done += kCommitRows) {
    ARROW_RETURN_NOT_OK(bench.Load(std::min(kCommitRows, rows - done), kCommitRows));
  }
  const double seconds = loading.Elapsed().wall;
  std::vector<double> commits, undos, whole_undos;
  for (int i = 0; i < 9; ++i) {
    const Stopwatch stopwatch;
    for (int j = 0; j < 10; ++j) ARROW_RETURN_NOT_OK(bench.Load(1000, 1000));
    commits.push_back(stopwatch.Elapsed().wall / 10);
    ARROW_RETURN_NOT_OK(bench.Load(20 * kBatchRows, kBatchRows));
    const Stopwatch undoing;
    ARROW_ASSIGN_OR_RAISE(const double undo, bench.Undo(20));
    undos.push_back(undo);
    whole_undos.push_back(undoing.Elapsed().wall);
  }
  fmt::print(R"({{"rows": {}, "rows_per_s": {:.0f}, "commit_1000_ms": {:.2f}, "undo_2000_ms": )"
             R"({:.2f}, "undo_2000_and_commit_ms": {:.2f}}})"
             "\n",
             rows, static_cast<double>(rows) / seconds, Median(commits), Median(undos),
             Median(whole_undos));
  return Status::OK();
}

Status Run(const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::string url, arguments.Text("url"));
  ARROW_ASSIGN_OR_RAISE(const std::string table, arguments.Text("table"));
  ARROW_ASSIGN_OR_RAISE(const std::string mode_name, arguments.Text("mode"));
  ARROW_ASSIGN_OR_RAISE(const LoadMode mode, ParseLoadMode(mode_name));
  ARROW_ASSIGN_OR_RAISE(const int64_t rows, arguments.Count("rows"));
  ARROW_ASSIGN_OR_RAISE(const auto loader, Registry::Global().MakeFromUrl(url));
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  ARROW_RETURN_NOT_OK(loader->ResetTable(table));
  StreamBench bench(loader.get(), table, mode);
  ARROW_RETURN_NOT_OK(bench.Open());
  ARROW_RETURN_NOT_OK(Measure(bench, rows));
  return loader->ResetTable(table);
}

}  // namespace
}  // namespace amp::bench

int main(int argc, char** argv) { return amp::bench::RunProgram(argc, argv, amp::bench::Run); }
