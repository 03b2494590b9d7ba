#pragma once

#include <parquet/arrow/writer.h>
#include <parquet/file_writer.h>

#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "loaders/parquet/column_lane.h"
#include "loaders/parquet/data_file.h"
#include "loaders/parquet/file_plan.h"
#include "loaders/parquet/object_sink.h"
#include "loaders/parquet/progress.h"

namespace amp::parquet_files {

/// Rows on their way to a file, by column.
struct Piece {
  std::vector<arrow::ArrayVector> columns;
  std::vector<int64_t> bytes;  ///< of each column
  int64_t rows = 0;
};

/// Bytes in the file per byte in Arrow of each column, from the files before: what a new file
/// begins to guess with.
using Ratios = std::vector<double>;

/// Encodes one file, its columns side by side: each has a queue, and at most one thread at a time
/// works on it. Row groups follow one another; what comes for the next waits until the one before
/// is written. One owner calls; the work is done by the pool.
class FileEncoder : public std::enable_shared_from_this<FileEncoder> {
 public:
  using Done = std::function<void(DataFile file)>;

  static Result<std::shared_ptr<FileEncoder>> Open(std::shared_ptr<const FilePlan> plan,
                                                   std::unique_ptr<storage::OutputObject> object,
                                                   std::shared_ptr<Progress> progress,
                                                   const Ratios& ratios);
  ~FileEncoder();

  /// Its bytes must be reserved; they are released as they are encoded.
  void Append(Piece piece);
  void EndRowGroup();
  /// No more comes; `done` gets the file once it is durable, on another thread.
  void End(Done done);
  /// When no task runs any more: leaves nothing behind.
  void Abort();

  int64_t rows_in_group() const { return rows_in_group_; }
  /// What the file, and its last row group, will have with all that was appended.
  struct Prediction {
    int64_t file_bytes = 0;
    int64_t group_bytes = 0;
    int64_t most_file_bytes = 0;  ///< if what is not encoded yet does not compress at all
    int64_t most_group_bytes = 0;
    double encoded = 1;  ///< share of each column, at least, that the guess comes from
  };
  Prediction Predict() const;
  Ratios ratios() const;

 private:
  struct Part {
    arrow::ArrayVector arrays;
    int64_t bytes = 0;
  };
  struct Queue {
    std::deque<Part> parts;
    int64_t bytes = 0;
  };
  struct Lane {
    std::unique_ptr<ColumnLane> writer;
    bool busy = false;          // a task will run it, or does
    bool running = false;       // a task does
    int64_t encoded_bytes = 0;  // of Arrow, in the open row group
    int64_t written_bytes = 0;  // that they became
    double ratio = 1;
  };
  struct RowGroup {
    std::vector<Queue> queues;
    std::vector<int64_t> bytes;  // of Arrow, of each column
    bool ended = false;
  };

  FileEncoder(std::shared_ptr<const FilePlan> plan, std::unique_ptr<storage::OutputObject> object,
              std::shared_ptr<Progress> progress);

  Status OpenWriter(const Ratios& ratios);
  Status BeginRowGroup();
  RowGroup* LastRowGroup();
  void Schedule(size_t lane);
  void ScheduleAll();
  void ScheduleEnd();
  size_t FullestLane() const;
  Status RunLane();
  Status WriteParts(Lane* lane, std::deque<Part>* parts);
  bool RowGroupIsEncoded() const;
  Status WriteRowGroup();
  Status Finish();
  Result<DataFile> FinishFile();

  const std::shared_ptr<const FilePlan> plan_;
  const std::shared_ptr<Progress> progress_;
  const std::shared_ptr<ObjectSink> sink_;
  std::unique_ptr<parquet::ParquetFileWriter> writer_;
  int64_t rows_in_group_ = 0;  // the owner's

  mutable std::mutex mutex_;
  std::vector<Lane> lanes_;
  std::deque<RowGroup> row_groups_;               // the first is being encoded
  parquet::RowGroupWriter* row_group_ = nullptr;  // of writer_; what the first goes to
  bool group_ended_ = true;                       // the last of them
  bool writing_ = false;
  int64_t closed_bytes_ = 0;  // of row groups that are written
  Done done_;
};

}  // namespace amp::parquet_files
