#pragma once

#include <arrow/record_batch.h>

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "amp/error.h"
#include "loaders/parquet/data_file.h"
#include "loaders/parquet/file_encoder.h"
#include "loaders/parquet/file_plan.h"
#include "loaders/parquet/progress.h"
#include "loaders/parquet/worker_pool.h"
#include "storage/object_store.h"

namespace amp::parquet_files {

/// The Parquet files of one commit. Rows come in batches of any size, each for a group (such as a
/// partition's folder, or a microbatch), and every group has files of its own, in which its rows
/// lie in the order they came. Encoding and storing go on beside the caller; `Write` waits where
/// more than `queue_bytes` of rows wait for it. An error of theirs comes with the next call.
/// However many groups are written to in turn, memory stays bounded: the row groups of the largest
/// end early then, and the files of those that were not written to for long.
///
/// Calls come from one thread at a time. What has not been finished is aborted by the destructor.
class AMP_EXPORT DataFileSet {
 public:
  /// A path that nobody has used, for the next file of a group. Called on the caller's thread.
  using NextPath = std::function<std::string(const std::string& group)>;

  /// `store` and `pool` outlive it.
  DataFileSet(std::shared_ptr<const FilePlan> plan, storage::ObjectStore* store, WorkerPool* pool,
              NextPath next_path);
  ~DataFileSet();
  DataFileSet(const DataFileSet&) = delete;
  DataFileSet& operator=(const DataFileSet&) = delete;

  /// The batch's columns are those of the plan; in place of a type there may be a dictionary of it.
  Status Write(const std::string& group, const std::shared_ptr<arrow::RecordBatch>& batch);
  /// No more rows come for the group; its files need not wait for the others.
  Status EndGroup(const std::string& group);
  /// Every file is there and durable when this returns, by group in the order of their first rows.
  /// After an error nothing is there.
  Result<std::vector<DataFile>> Finish();
  /// Removes all files of the set. Nothing but `Abort` may follow.
  Status Abort();

 private:
  struct Group {
    std::string name;
    int64_t order = 0;
    int64_t next_file = 0;
    arrow::RecordBatchVector pending = {};  // not handed to the encoder yet
    int64_t pending_rows = 0;
    int64_t pending_bytes = 0;
    std::shared_ptr<FileEncoder> file = {};
    std::string path = {};
    int64_t group_bytes = 0;  // of Arrow, in the open row group
    int64_t open_bytes = 0;   // what that keeps in memory, about
    int64_t last_use = 0;
  };
  struct Place {
    int64_t group = 0;
    int64_t file = 0;
    auto operator<=>(const Place&) const = default;
  };
  struct NewFile {
    Place place;
    std::string path;
    std::unique_ptr<storage::OutputObject> object;
  };

  Status CheckBatch(const arrow::RecordBatch& batch);
  Group* GroupOf(const std::string& name);
  Status Add(Group* group, const std::shared_ptr<arrow::RecordBatch>& batch);
  int64_t RowsPerPiece(const arrow::RecordBatch& batch, int64_t bytes) const;
  Status DispatchWhenDue(Group* group);
  Status Dispatch(Group* group);
  Status EndParts(Group* group);
  void EndRowGroup(Group* group);
  void SetOpenBytes(Group* group, int64_t bytes);
  void BoundOpen();
  Status MakeRoom();
  Status OpenFile(Group* group);
  Status EndFile(Group* group);
  Status EndRows(Group* group, bool here);
  Status WriteWhole(Group* group, bool here);
  Result<NewFile> CreateFile(Group* group);
  void AddFile(const Place& place, DataFile file);
  Status Collect();

  const std::shared_ptr<const FilePlan> plan_;
  storage::ObjectStore* const store_;
  const NextPath next_path_;
  const std::shared_ptr<Progress> progress_;
  const int64_t piece_bytes_;

  std::shared_ptr<arrow::Schema> checked_;  // the last batch's, which is known to fit
  std::map<std::string, Group> groups_;
  int64_t groups_made_ = 0;
  int64_t pending_bytes_ = 0;  // of all groups
  int64_t open_bytes_ = 0;     // of all groups
  int64_t open_files_ = 0;
  int64_t uses_ = 0;
  Ratios ratios_;
  std::vector<std::shared_ptr<FileEncoder>> encoders_;
  std::vector<std::string> paths_;
  bool finished_ = false;

  std::mutex mutex_;
  std::map<Place, DataFile> files_;
};

}  // namespace amp::parquet_files
