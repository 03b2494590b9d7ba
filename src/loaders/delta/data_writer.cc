#include "loaders/delta/data_writer.h"

#include <arrow/record_batch.h>
#include <fmt/format.h>

#include <set>

#include "core/log.h"
#include "core/stream_state.h"
#include "core/uuid.h"
#include "loaders/delta/protocol/convert.h"
#include "loaders/delta/protocol/partition_values.h"
#include "loaders/delta/protocol/paths.h"
#include "loaders/delta/stats_json.h"
#include "loaders/parquet/recycling_pool.h"

namespace amp::delta {
namespace {

std::string ExtensionOf(const std::string& compression) {
  const std::string codec = compression.substr(0, compression.find(':'));
  if (codec == "none") return ".parquet";
  return fmt::format(".{}.parquet", codec == "gzip" ? "gz" : codec);
}

// The part before the first '\n' is the batch, the rest the partition's folder.
std::string GroupName(std::optional<int64_t> batch_id, const std::string& folder) {
  return fmt::format("{}\n{}", batch_id ? std::to_string(*batch_id) : "", folder);
}

std::string FolderOf(const std::string& path) {
  const size_t slash = path.rfind('/');
  return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

}  // namespace

DataWriter::DataWriter(std::shared_ptr<const WritePlan> plan,
                       std::shared_ptr<storage::ObjectStore> store, parquet_files::WorkerPool* pool)
    : plan_(std::move(plan)),
      store_(std::move(store)),
      files_(plan_->files, store_.get(), pool, [this](const std::string& group) {
        return fmt::format("{}part-{}{}", groups_.at(group).folder, NewUuid(),
                           ExtensionOf(plan_->files->options.compression));
      }) {}

Status DataWriter::Write(std::optional<int64_t> batch_id, const arrow::RecordBatch& batch) {
  if (batch_id != open_batch_) ARROW_RETURN_NOT_OK(EndBatch());
  open_batch_ = batch_id;
  if (batch.num_rows() == 0) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(
      const auto converted,
      ConvertBatch(batch, plan_->columns, parquet_files::RecyclingPool::Instance()));
  ARROW_ASSIGN_OR_RAISE(auto pieces, SplitByPartition(converted, plan_->partition_columns));
  for (PartitionPiece& piece : pieces) {
    ARROW_RETURN_NOT_OK(AddPiece(batch_id, std::move(piece.values), piece.rows));
  }
  rows_ += batch.num_rows();
  return Status::OK();
}

Status DataWriter::AddPiece(std::optional<int64_t> batch_id, NullableMap partition,
                            const std::shared_ptr<arrow::RecordBatch>& rows) {
  std::string folder = PartitionFolder(plan_->partition_columns, partition);
  if (!folder.empty()) folder += '/';
  const std::string name = GroupName(batch_id, folder);
  Group& group = groups_[name];
  if (group.rows == 0) {
    group.batch_id = batch_id;
    group.partition = std::move(partition);
    group.folder = std::move(folder);
  }
  group.rows += rows->num_rows();
  return files_.Write(name, rows);
}

// No more rows come for a batch once another one has begun.
Status DataWriter::EndBatch() {
  if (!open_batch_) return Status::OK();
  const std::string prefix = GroupName(open_batch_, "");
  for (auto at = groups_.lower_bound(prefix); at != groups_.end(); ++at) {
    if (!at->first.starts_with(prefix)) break;
    ARROW_RETURN_NOT_OK(files_.EndGroup(at->first));
  }
  return Status::OK();
}

int64_t DataWriter::DropAfter(int64_t batch_id) {
  int64_t dropped = 0;
  for (auto& [name, group] : groups_) {
    if (group.dropped || !group.batch_id || *group.batch_id <= batch_id) continue;
    group.dropped = true;
    dropped += group.rows;
  }
  rows_ -= dropped;
  return dropped;
}

Result<std::vector<Add>> DataWriter::Finish() {
  ARROW_ASSIGN_OR_RAISE(const auto files, files_.Finish());
  std::vector<Add> adds;
  std::vector<std::string> dropped;
  std::vector<parquet_files::DataFile> kept;
  for (const parquet_files::DataFile& file : files) {
    const Group& group = groups_.at(file.group);
    if (group.dropped) {
      dropped.push_back(file.path);
    } else {
      adds.push_back(AddOf(file, group));
      kept.push_back(file);
    }
  }
  ARROW_RETURN_NOT_OK(MakeDurable(kept));
  // Nobody names them: what cannot be deleted now is left to a vacuum.
  const Status deleted = dropped.empty() ? Status::OK() : store_->Delete(dropped);
  if (!deleted.ok()) Log().debug("deleting files that were undone: {}", deleted.message());
  return adds;
}

Status DataWriter::MakeDurable(const std::vector<parquet_files::DataFile>& files) {
  std::set<std::string> folders;
  for (const parquet_files::DataFile& file : files) folders.insert(FolderOf(file.path));
  return folders.empty() ? Status::OK() : store_->SyncFolders({folders.begin(), folders.end()});
}

Add DataWriter::AddOf(const parquet_files::DataFile& file, const Group& group) const {
  Add add{.file = {.path = file.path},
          .partition_values = group.partition,
          .size = file.bytes,
          .modification_time = UnixMillisNow(),
          .stats = StatsJson(file, plan_->stats)};
  if (group.batch_id) {
    add.tags.emplace(kBatchTag, std::to_string(*group.batch_id));
  }
  return add;
}

Status DataWriter::Abort() { return files_.Abort(); }

}  // namespace amp::delta
