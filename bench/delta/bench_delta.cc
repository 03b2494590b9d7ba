// Writes rows that are in memory: --data FILE --dir FOLDER --compression CODEC --run NAME, which is
//   ampload  a new Delta table, by one load;
//   arrow    a Parquet file, by Arrow alone on one thread: what no table can be faster than that
//            uses one core;
//   load     a Delta table, by --commits N loads of 1,000 rows each;
//   stream   the same as so many commits of a stream.
// Reading the data does not count; bringing it to the disk does. FOLDER is to be empty.

#include <arrow/array/util.h>
#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/scalar.h>
#include <fmt/ranges.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "amp/loader.h"
#include "loaders/parquet/file_plan.h"
#include "support/arguments.h"
#include "support/bench_stream.h"
#include "support/rows.h"
#include "support/stopwatch.h"

namespace amp::bench {
namespace {

constexpr const char* kTable = "bench";
constexpr int64_t kCommitRows = 1000;
constexpr int64_t kRowGroupRows = int64_t{1} << 20;

struct Job {
  std::shared_ptr<arrow::Table> rows;
  std::string folder;
  std::string compression;

  Result<std::unique_ptr<Loader>> MakeLoader() const {
    return Registry::Global().MakeFromUrl(
        fmt::format("delta:{}?compression={}", folder, compression));
  }
};

Status Check(const LoadResult& result, int64_t rows) {
  ARROW_RETURN_NOT_OK(result.status);
  return result.rows_loaded == rows ? Status::OK()
                                    : Status::Invalid(result.rows_loaded, " rows were loaded");
}

Status RunAmpload(const Job& job) {
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const auto loader, job.MakeLoader());
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  const LoadResult result = session->LoadTable(*job.rows, kTable);
  const Cost cost = stopwatch.Elapsed();
  ARROW_RETURN_NOT_OK(Check(result, job.rows->num_rows()));
  PrintRun("ampload", result.rows_loaded, cost, /*only_run=*/true);
  return Status::OK();
}

/// Arrow's defaults but for the codec and the row groups.
Result<std::shared_ptr<parquet::WriterProperties>> PropertiesOf(const Job& job) {
  ARROW_ASSIGN_OR_RAISE(const auto plan, parquet_files::FilePlan::Make(
                                             job.rows->schema(), {.compression = job.compression}));
  const auto& ours = plan->properties->default_column_properties();
  parquet::WriterProperties::Builder builder;
  return builder.compression(ours.compression())
      ->compression_level(ours.compression_level())
      ->max_row_group_length(kRowGroupRows)
      ->build();
}

Status RunArrow(const Job& job) {
  ARROW_ASSIGN_OR_RAISE(auto properties, PropertiesOf(job));
  const std::string path = job.folder + "/rows.parquet";
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::FileOutputStream::Open(path));
  ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(*job.rows, arrow::default_memory_pool(), file,
                                                 kRowGroupRows, std::move(properties)));
  const Cost written = stopwatch.Elapsed();
  if (fsync(file->file_descriptor()) != 0) return Status::IOError("cannot sync ", path);
  ARROW_RETURN_NOT_OK(file->Close());
  const Cost synced = stopwatch.Elapsed();
  PrintRun("arrow, 1 thread, not synced", job.rows->num_rows(), written, /*only_run=*/true);
  PrintRun("arrow, 1 thread", job.rows->num_rows(), synced, /*only_run=*/true);
  return Status::OK();
}

/// The rows of the n-th commit; from the beginning again when there are no more.
Result<std::shared_ptr<arrow::RecordBatch>> RowsOfCommit(const arrow::Table& rows, int64_t n) {
  const int64_t parts = rows.num_rows() / kCommitRows;
  if (parts == 0) return Status::Invalid("the file has less than ", kCommitRows, " rows");
  const auto part = rows.Slice(n % parts * kCommitRows, kCommitRows);
  return part->CombineChunksToBatch();
}

void PrintCommits(const std::string& who, const std::vector<double>& milliseconds) {
  fmt::print(R"({{"who": "{}", "ms": [{:.4f}]}})"
             "\n",
             who, fmt::join(milliseconds, ", "));
}

Status RunLoads(const Job& job, int64_t commits) {
  ARROW_ASSIGN_OR_RAISE(const auto loader, job.MakeLoader());
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  std::vector<double> milliseconds;
  for (int64_t i = 0; i < commits; ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, RowsOfCommit(*job.rows, i));
    const Stopwatch stopwatch;
    ARROW_RETURN_NOT_OK(Check(session->LoadBatch(*batch, kTable), kCommitRows));
    milliseconds.push_back(stopwatch.Elapsed().wall * 1000);
  }
  PrintCommits("ampload, loads", milliseconds);
  return Status::OK();
}

std::shared_ptr<arrow::Schema> WithBatchId(const arrow::Schema& schema) {
  arrow::FieldVector fields = schema.fields();
  fields.push_back(arrow::field(std::string(kBatchIdColumn), arrow::int64()));
  return arrow::schema(std::move(fields));
}

Status WriteBatch(BenchStream* stream, const std::shared_ptr<arrow::Schema>& schema,
                  const arrow::RecordBatch& rows) {
  ARROW_ASSIGN_OR_RAISE(const auto transaction, stream->Begin());
  const int64_t id = stream->NextId();
  ARROW_ASSIGN_OR_RAISE(const auto ids,
                        arrow::MakeArrayFromScalar(arrow::Int64Scalar(id), rows.num_rows()));
  arrow::ArrayVector columns = rows.columns();
  columns.push_back(ids);
  const auto batch = arrow::RecordBatch::Make(schema, rows.num_rows(), std::move(columns));
  ARROW_RETURN_NOT_OK(transaction->Write({.id = id, .ranges = {}}, *batch).status());
  return stream->Commit(transaction.get(),
                        {{.first_id = id, .last_id = id, .ranges = {}, .rows = rows.num_rows()}});
}

Status RunStream(const Job& job, int64_t commits) {
  ARROW_ASSIGN_OR_RAISE(const auto loader, job.MakeLoader());
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  const auto schema = WithBatchId(*job.rows->schema());
  ARROW_ASSIGN_OR_RAISE(
      BenchStream stream,
      BenchStream::Open(loader.get(), {.table = kTable, .schema = schema, .query = "bench"}));
  std::vector<double> milliseconds;
  for (int64_t i = 0; i < commits; ++i) {
    ARROW_ASSIGN_OR_RAISE(const auto batch, RowsOfCommit(*job.rows, i));
    const Stopwatch stopwatch;
    ARROW_RETURN_NOT_OK(WriteBatch(&stream, schema, *batch));
    milliseconds.push_back(stopwatch.Elapsed().wall * 1000);
  }
  PrintCommits("ampload, stream", milliseconds);
  return Status::OK();
}

Status Run(const Arguments& arguments) {
  Job job;
  ARROW_ASSIGN_OR_RAISE(const std::string path, arguments.Text("data"));
  ARROW_ASSIGN_OR_RAISE(job.folder, arguments.Text("dir"));
  ARROW_ASSIGN_OR_RAISE(job.compression, arguments.Text("compression"));
  ARROW_ASSIGN_OR_RAISE(const std::string run, arguments.Text("run"));
  ARROW_ASSIGN_OR_RAISE(job.rows, ReadRows(path));
  sync();  // what earlier runs have written is not to be this one's burden
  if (run == "ampload") return RunAmpload(job);
  if (run == "arrow") return RunArrow(job);
  ARROW_ASSIGN_OR_RAISE(const int64_t commits, arguments.Count("commits"));
  if (run == "load") return RunLoads(job, commits);
  if (run == "stream") return RunStream(job, commits);
  return Status::Invalid("--run: there is no '", run, "'");
}

}  // namespace
}  // namespace amp::bench

int main(int argc, char** argv) { return amp::bench::RunProgram(argc, argv, amp::bench::Run); }
