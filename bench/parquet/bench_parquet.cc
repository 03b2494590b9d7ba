// Writes rows that are in memory as Parquet files by Ampload, and in turn with it by Arrow alone on
// one thread: --data FILE --dir FOLDER --pairs N --compression CODEC [--row-group-rows N]. Every
// run brings its files to the disk; reading the data does not count. With --commits N instead of
// --pairs: so many sets of 1,000 rows, one after the other.

#include <arrow/io/file.h>
#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fcntl.h>
#include <parquet/arrow/writer.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>
#include <utility>

#include "amp/source.h"
#include "loaders/parquet/data_file_set.h"
#include "parquet/folder_store.h"
#include "support/arguments.h"
#include "support/stopwatch.h"

namespace amp::bench {
namespace {

namespace fs = std::filesystem;
using parquet_files::DataFileSet;
using parquet_files::FilePlan;
using parquet_files::WorkerPool;
using parquet_files::WriteOptions;
using parquet_tests::FolderStore;

constexpr int64_t kCommitRows = 1000;

struct Rows {
  std::shared_ptr<arrow::Schema> schema;
  arrow::RecordBatchVector batches;
  int64_t count = 0;
};

Result<Rows> ReadRows(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const FileSource source, OpenFiles({.paths = {path}}));
  ARROW_ASSIGN_OR_RAISE(auto batches, source.reader->ToRecordBatches());
  Rows rows{source.reader->schema(), std::move(batches)};
  for (const auto& batch : rows.batches) rows.count += batch->num_rows();
  return rows;
}

/// An empty folder; what earlier runs have written is on the disk.
Result<std::string> FreshFolder(const std::string& parent) {
  const std::string path = parent + "/run";
  fs::remove_all(path);
  fs::create_directories(path);
  sync();
  return path;
}

Status RunAmpload(const Rows& rows, const std::string& folder, const WriteOptions& options,
                  WorkerPool* pool) {
  FolderStore store(folder);
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const auto plan, FilePlan::Make(rows.schema, options));
  int files = 0;
  DataFileSet set(plan, &store, pool,
                  [&](const std::string&) { return std::to_string(files++) + ".parquet"; });
  for (const auto& batch : rows.batches) ARROW_RETURN_NOT_OK(set.Write("", batch));
  ARROW_ASSIGN_OR_RAISE(const auto written, set.Finish());
  const Cost cost = stopwatch.Elapsed();
  int64_t count = 0;
  int64_t bytes = 0;
  for (const auto& file : written) {
    count += file.rows;
    bytes += file.bytes;
  }
  if (count != rows.count) return Status::Invalid(count, " rows were written");
  fmt::print(stderr, "ampload: {} files, {} bytes\n", written.size(), bytes);
  PrintRun("ampload", rows.count, cost, /*only_run=*/false);
  return Status::OK();
}

Status RunArrow(const Rows& rows, const std::string& folder, const std::string& who,
                std::shared_ptr<parquet::WriterProperties> properties) {
  const std::string path = folder + "/0.parquet";
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const auto file, arrow::io::FileOutputStream::Open(path));
  ARROW_ASSIGN_OR_RAISE(const auto table,
                        arrow::Table::FromRecordBatches(rows.schema, rows.batches));
  ARROW_RETURN_NOT_OK(parquet::arrow::WriteTable(*table, arrow::default_memory_pool(), file,
                                                 int64_t{1} << 20, std::move(properties)));
  const int64_t bytes = file->Tell().ValueOr(0);
  if (fsync(file->file_descriptor()) != 0) return Status::IOError("cannot sync ", path);
  ARROW_RETURN_NOT_OK(file->Close());
  PrintRun(who, rows.count, stopwatch.Elapsed(), /*only_run=*/false);
  fmt::print(stderr, "{}: {} bytes\n", who, bytes);
  return Status::OK();
}

/// Arrow's defaults but for the codec and the row groups.
std::shared_ptr<parquet::WriterProperties> ArrowDefaults(const FilePlan& plan) {
  const auto& ours = plan.properties->default_column_properties();
  parquet::WriterProperties::Builder builder;
  return builder.compression(ours.compression())
      ->compression_level(ours.compression_level())
      ->build();
}

Status Compare(const Rows& rows, const std::string& parent, const WriteOptions& options,
               int64_t pairs) {
  WorkerPool pool;
  ARROW_ASSIGN_OR_RAISE(const auto plan, FilePlan::Make(rows.schema, options));
  for (int64_t i = 0; i < pairs; ++i) {
    ARROW_ASSIGN_OR_RAISE(std::string folder, FreshFolder(parent));
    ARROW_RETURN_NOT_OK(RunAmpload(rows, folder, options, &pool));
    ARROW_ASSIGN_OR_RAISE(folder, FreshFolder(parent));
    ARROW_RETURN_NOT_OK(RunArrow(rows, folder, "arrow, 1 thread", ArrowDefaults(*plan)));
    ARROW_ASSIGN_OR_RAISE(folder, FreshFolder(parent));
    ARROW_RETURN_NOT_OK(RunArrow(rows, folder, "arrow, 1 thread, our settings", plan->properties));
  }
  fs::remove_all(parent + "/run");
  return Status::OK();
}

Status RunCommits(const Rows& rows, const std::string& parent, const WriteOptions& options,
                  int64_t commits) {
  WorkerPool pool;
  ARROW_ASSIGN_OR_RAISE(const std::string folder, FreshFolder(parent));
  FolderStore store(folder);
  ARROW_ASSIGN_OR_RAISE(const auto plan, FilePlan::Make(rows.schema, options));
  int64_t files = 0;
  const Stopwatch stopwatch;
  for (int64_t i = 0; i < commits; ++i) {
    const auto& batch = rows.batches[static_cast<size_t>(i) % rows.batches.size()];
    DataFileSet set(plan, &store, &pool,
                    [&](const std::string&) { return std::to_string(files++) + ".parquet"; });
    ARROW_RETURN_NOT_OK(set.Write("", batch->Slice(0, kCommitRows)));
    ARROW_RETURN_NOT_OK(set.Finish().status());
  }
  const Cost cost = stopwatch.Elapsed();
  PrintRun("ampload, commits", commits, cost, /*only_run=*/true);
  fmt::print("{:.3f} ms of CPU a commit\n", cost.cpu / static_cast<double>(commits) * 1000);
  fs::remove_all(folder);
  return Status::OK();
}

Status Run(const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, arguments.Text("data"));
  ARROW_ASSIGN_OR_RAISE(const std::string parent, arguments.Text("dir"));
  WriteOptions options;
  ARROW_ASSIGN_OR_RAISE(options.compression, arguments.Text("compression"));
  options.row_group_rows = arguments.Count("row-group-rows").ValueOr(options.row_group_rows);
  ARROW_ASSIGN_OR_RAISE(const Rows rows, ReadRows(path));
  const auto commits = arguments.Count("commits");
  if (commits.ok()) return RunCommits(rows, parent, options, *commits);
  ARROW_ASSIGN_OR_RAISE(const int64_t pairs, arguments.Count("pairs"));
  return Compare(rows, parent, options, pairs);
}

}  // namespace
}  // namespace amp::bench

int main(int argc, char** argv) { return amp::bench::RunProgram(argc, argv, amp::bench::Run); }
