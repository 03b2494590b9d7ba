// Writes rows that are in memory into a table of PostgreSQL: --url URL --data FILE --table NAME
// --run NAME, which is
//   load     one load; the table is made where it is not there
//   stream   a stream: microbatches of 5,000 rows, commits of 50,000
//   upsert   one load by --key A,B
//   loads    --commits N loads of 1,000 rows each
//   commits  the same as so many commits of a stream
// Reading the data does not count; connecting does, but for the many commits.

#include <arrow/array/util.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <fmt/ranges.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "amp/loader.h"
#include "support/arguments.h"
#include "support/bench_stream.h"
#include "support/rows.h"
#include "support/stopwatch.h"

namespace amp::bench {
namespace {

constexpr int64_t kCommitRows = 50'000;
constexpr int64_t kBatchRows = 5'000;
constexpr int64_t kSmallCommitRows = 1'000;

struct Job {
  std::shared_ptr<arrow::Table> rows;
  std::string url;
  TableName table;
  std::string who;

  Result<std::unique_ptr<Loader>> MakeLoader() const { return Registry::Global().MakeFromUrl(url); }
};

Status Check(const LoadResult& result, int64_t rows) {
  ARROW_RETURN_NOT_OK(result.status);
  return result.rows_loaded == rows ? Status::OK()
                                    : Status::Invalid(result.rows_loaded, " rows were loaded");
}

Status RunLoad(const Job& job, const LoadOptions& options) {
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const auto loader, job.MakeLoader());
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  const LoadResult result = session->LoadTable(*job.rows, job.table, options);
  const Cost cost = stopwatch.Elapsed();
  ARROW_RETURN_NOT_OK(Check(result, job.rows->num_rows()));
  PrintRun(job.who, result.rows_loaded, cost, /*only_run=*/true);
  return Status::OK();
}

Result<std::shared_ptr<arrow::RecordBatch>> Part(const arrow::Table& rows, int64_t start,
                                                 int64_t count) {
  return rows.Slice(start, count)->CombineChunksToBatch();
}

std::shared_ptr<arrow::Schema> WithBatchId(const arrow::Schema& schema) {
  arrow::FieldVector fields = schema.fields();
  fields.push_back(arrow::field(std::string(kBatchIdColumn), arrow::int64()));
  return arrow::schema(std::move(fields));
}

/// Rows of a table as a stream's batches.
class StreamWriter {
 public:
  static Result<StreamWriter> Open(Loader* loader, const Job& job) {
    auto schema = WithBatchId(*job.rows->schema());
    ARROW_ASSIGN_OR_RAISE(
        BenchStream stream,
        BenchStream::Open(loader, {.table = job.table, .schema = schema, .query = "bench"}));
    return StreamWriter(std::move(stream), std::move(schema));
  }

  /// One commit.
  Status Write(const arrow::RecordBatch& rows) {
    ARROW_ASSIGN_OR_RAISE(const auto transaction, stream_.Begin());
    std::vector<BatchEntry> entries;
    for (int64_t start = 0; start < rows.num_rows(); start += kBatchRows) {
      ARROW_RETURN_NOT_OK(WriteBatch(transaction.get(), *rows.Slice(start, kBatchRows), &entries));
    }
    return stream_.Commit(transaction.get(), std::move(entries));
  }

 private:
  StreamWriter(BenchStream stream, std::shared_ptr<arrow::Schema> schema)
      : stream_(std::move(stream)), schema_(std::move(schema)) {}

  Status WriteBatch(Transaction* transaction, const arrow::RecordBatch& rows,
                    std::vector<BatchEntry>* entries) {
    const int64_t id = stream_.NextId();
    ARROW_ASSIGN_OR_RAISE(const auto ids,
                          arrow::MakeArrayFromScalar(arrow::Int64Scalar(id), rows.num_rows()));
    arrow::ArrayVector columns = rows.columns();
    columns.push_back(ids);
    const auto batch = arrow::RecordBatch::Make(schema_, rows.num_rows(), std::move(columns));
    entries->push_back(
        {.first_id = id, .last_id = id, .ranges = {}, .rows = rows.num_rows(), .batches = 1});
    return transaction->Write({.id = id, .ranges = {}}, *batch).status();
  }

  BenchStream stream_;
  std::shared_ptr<arrow::Schema> schema_;
};

Status RunStream(const Job& job) {
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const auto loader, job.MakeLoader());
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  ARROW_ASSIGN_OR_RAISE(StreamWriter writer, StreamWriter::Open(loader.get(), job));
  for (int64_t start = 0; start < job.rows->num_rows(); start += kCommitRows) {
    ARROW_ASSIGN_OR_RAISE(const auto rows, Part(*job.rows, start, kCommitRows));
    ARROW_RETURN_NOT_OK(writer.Write(*rows));
  }
  PrintRun(job.who, job.rows->num_rows(), stopwatch.Elapsed(), /*only_run=*/true);
  return Status::OK();
}

void PrintCommits(const std::string& who, const std::vector<double>& milliseconds) {
  fmt::print(R"({{"who": "{}", "ms": [{:.4f}]}})"
             "\n",
             who, fmt::join(milliseconds, ", "));
}

/// Times `write(rows)` for 1,000 rows after the other; from the first again when all have been.
template <class Write>
Status TimeCommits(const Job& job, int64_t commits, Write write) {
  const int64_t parts = job.rows->num_rows() / kSmallCommitRows;
  if (parts == 0) return Status::Invalid("the file has less than ", kSmallCommitRows, " rows");
  std::vector<double> milliseconds;
  for (int64_t i = 0; i < commits; ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto rows,
                          Part(*job.rows, i % parts * kSmallCommitRows, kSmallCommitRows));
    const Stopwatch stopwatch;
    ARROW_RETURN_NOT_OK(write(*rows));
    milliseconds.push_back(stopwatch.Elapsed().wall * 1000);
  }
  PrintCommits(job.who, milliseconds);
  return Status::OK();
}

Status RunCommits(const Job& job, int64_t commits, bool as_stream) {
  ARROW_ASSIGN_OR_RAISE(const auto loader, job.MakeLoader());
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  if (!as_stream) {
    return TimeCommits(job, commits, [&](const arrow::RecordBatch& rows) {
      return Check(session->LoadBatch(rows, job.table), kSmallCommitRows);
    });
  }
  ARROW_ASSIGN_OR_RAISE(StreamWriter writer, StreamWriter::Open(loader.get(), job));
  return TimeCommits(job, commits,
                     [&](const arrow::RecordBatch& rows) { return writer.Write(rows); });
}

std::vector<std::string> SplitAtCommas(const std::string& text) {
  std::vector<std::string> parts(1);
  for (const char c : text) {
    if (c == ',') {
      parts.emplace_back();
    } else {
      parts.back().push_back(c);
    }
  }
  return parts;
}

Status Run(const Arguments& arguments) {
  Job job;
  ARROW_ASSIGN_OR_RAISE(job.url, arguments.Text("url"));
  ARROW_ASSIGN_OR_RAISE(job.table, arguments.Text("table"));
  ARROW_ASSIGN_OR_RAISE(job.who, arguments.Text("who"));
  ARROW_ASSIGN_OR_RAISE(const std::string path, arguments.Text("data"));
  ARROW_ASSIGN_OR_RAISE(const std::string run, arguments.Text("run"));
  ARROW_ASSIGN_OR_RAISE(job.rows, ReadRows(path));
  if (run == "load") return RunLoad(job, {});
  if (run == "stream") return RunStream(job);
  if (run == "upsert") {
    ARROW_ASSIGN_OR_RAISE(const std::string key, arguments.Text("key"));
    return RunLoad(job, {.mode = LoadMode::kUpsert, .key = SplitAtCommas(key)});
  }
  ARROW_ASSIGN_OR_RAISE(const int64_t commits, arguments.Count("commits"));
  if (run == "loads") return RunCommits(job, commits, /*as_stream=*/false);
  if (run == "commits") return RunCommits(job, commits, /*as_stream=*/true);
  return Status::Invalid("--run: there is no '", run, "'");
}

}  // namespace
}  // namespace amp::bench

int main(int argc, char** argv) { return amp::bench::RunProgram(argc, argv, amp::bench::Run); }
