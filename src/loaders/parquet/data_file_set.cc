#include "loaders/parquet/data_file_set.h"

#include <algorithm>
#include <utility>

#include "core/batch_bytes.h"
#include "loaders/parquet/recycling_pool.h"
#include "loaders/parquet/small_file.h"

namespace amp::parquet_files {
namespace {

// Rows wait until so many are handed to the encoding threads at a time.
constexpr int64_t kPieceBytes = int64_t{4} << 20;
constexpr int64_t kLeastPieceBytes = int64_t{32} << 10;
constexpr int64_t kPieceRows = int64_t{1} << 16;
// A group that ends with so little is encoded by one thread, as a whole.
constexpr int64_t kSmallBytes = int64_t{1} << 20;
// A file or row group ends by a guess of its size only if so much of it is encoded: what a row
// group begins with compresses otherwise than the rest.
constexpr double kTrustedShare = 0.8;

// What the open row groups of several files may keep in memory, about: what is encoded of them, and
// of each column a page, its dictionary and what compresses it.
constexpr int64_t kMostOpenBytes = int64_t{128} << 20;
constexpr int64_t kColumnBytes = int64_t{2} << 20;
// Systems give a process some thousand.
constexpr int64_t kMostOpenFiles = 256;

// Memory that stays for the next commit.
constexpr int64_t kKeptBytes = int64_t{16} << 20;

// Small enough that files and queues are cut about where they should be.
int64_t PieceBytes(const WriteOptions& options) {
  const int64_t limit =
      std::min({options.target_file_bytes, options.row_group_bytes, options.queue_bytes}) / 8;
  return std::clamp(limit, kLeastPieceBytes, kPieceBytes);
}

Status Mismatch(const std::string& message) {
  return MakeError({.kind = ErrorKind::kSchemaMismatch}, message);
}

bool Fits(const arrow::DataType& type, const arrow::DataType& planned) {
  if (type.Equals(planned)) return true;
  return type.id() == arrow::Type::DICTIONARY &&
         static_cast<const arrow::DictionaryType&>(type).value_type()->Equals(planned);
}

Status CheckSchema(const arrow::Schema& schema, const arrow::Schema& planned) {
  if (schema.num_fields() != planned.num_fields()) {
    return Mismatch("a batch of " + std::to_string(schema.num_fields()) + " columns for files of " +
                    std::to_string(planned.num_fields()));
  }
  for (int i = 0; i < schema.num_fields(); ++i) {
    const auto& have = *schema.field(i);
    const auto& want = *planned.field(i);
    if (have.name() == want.name() && Fits(*have.type(), *want.type())) continue;
    return Mismatch("column " + std::to_string(i + 1) + " of a batch is " + have.ToString() +
                    ", of the files " + want.ToString());
  }
  return Status::OK();
}

}  // namespace

DataFileSet::DataFileSet(std::shared_ptr<const FilePlan> plan, storage::ObjectStore* store,
                         WorkerPool* pool, NextPath next_path)
    : plan_(std::move(plan)),
      store_(store),
      next_path_(std::move(next_path)),
      progress_(std::make_shared<Progress>(pool, plan_->options.queue_bytes)),
      piece_bytes_(PieceBytes(plan_->options)) {}

DataFileSet::~DataFileSet() {
  // Who wants to know whether everything could be removed calls it before.
  if (!finished_) static_cast<void>(Abort());
  RecyclingPool::Instance()->Trim(kKeptBytes);
}

Status DataFileSet::Write(const std::string& group,
                          const std::shared_ptr<arrow::RecordBatch>& batch) {
  ARROW_RETURN_NOT_OK(progress_->status());
  if (batch->num_rows() == 0) return Status::OK();
  ARROW_RETURN_NOT_OK(CheckBatch(*batch));
  return Add(GroupOf(group), batch);
}

Status DataFileSet::CheckBatch(const arrow::RecordBatch& batch) {
  if (batch.schema() != checked_) {
    ARROW_RETURN_NOT_OK(CheckSchema(*batch.schema(), *plan_->schema));
    checked_ = batch.schema();
  }
  for (int i = 0; i < batch.num_columns(); ++i) {
    const auto& field = *plan_->schema->field(i);
    if (field.nullable() || batch.column_data(i)->GetNullCount() == 0) continue;
    return MakeError({.kind = ErrorKind::kDataInvalid},
                     "column '" + field.name() + "' has nulls, but is declared without them");
  }
  return Status::OK();
}

DataFileSet::Group* DataFileSet::GroupOf(const std::string& name) {
  const auto found = groups_.find(name);
  if (found != groups_.end()) return &found->second;
  Group group{.name = name, .order = groups_made_++};
  return &groups_.emplace(name, std::move(group)).first->second;
}

int64_t DataFileSet::RowsPerPiece(const arrow::RecordBatch& batch, int64_t bytes) const {
  const double row_bytes = static_cast<double>(bytes) / static_cast<double>(batch.num_rows());
  const double rows = static_cast<double>(piece_bytes_) / std::max(row_bytes, 1.0);
  return std::clamp(static_cast<int64_t>(rows), int64_t{1}, kPieceRows);
}

Status DataFileSet::Add(Group* group, const std::shared_ptr<arrow::RecordBatch>& batch) {
  const int64_t bytes = BytesOf(*batch);
  const int64_t rows = batch->num_rows();
  const int64_t step = RowsPerPiece(*batch, bytes);
  for (int64_t start = 0; start < rows;) {
    const int64_t in_group = group->file == nullptr ? 0 : group->file->rows_in_group();
    const int64_t space = plan_->options.row_group_rows - in_group - group->pending_rows;
    const int64_t length = std::min({step, rows - start, space});
    const int64_t part = bytes * length / rows;
    group->pending.push_back(length == rows ? batch : batch->Slice(start, length));
    group->pending_rows += length;
    group->pending_bytes += part;
    pending_bytes_ += part;
    start += length;
    ARROW_RETURN_NOT_OK(DispatchWhenDue(group));
  }
  return Status::OK();
}

Status DataFileSet::DispatchWhenDue(Group* group) {
  const int64_t in_group = group->file == nullptr ? 0 : group->file->rows_in_group();
  if (group->pending_bytes >= piece_bytes_ || group->pending_rows >= kPieceRows ||
      in_group + group->pending_rows >= plan_->options.row_group_rows) {
    return Dispatch(group);
  }
  // What waits here for many groups is part of what may wait.
  if (pending_bytes_ <= plan_->options.queue_bytes / 2) return Status::OK();
  const auto largest = std::max_element(groups_.begin(), groups_.end(), [](auto& a, auto& b) {
    return a.second.pending_bytes < b.second.pending_bytes;
  });
  return Dispatch(&largest->second);
}

Status DataFileSet::Dispatch(Group* group) {
  if (group->pending_rows == 0) return Status::OK();
  if (group->file == nullptr) ARROW_RETURN_NOT_OK(OpenFile(group));
  Piece piece;
  piece.rows = group->pending_rows;
  group->last_use = ++uses_;
  int64_t bytes = 0;
  for (int i = 0; i < plan_->schema->num_fields(); ++i) {
    arrow::ArrayVector arrays;
    int64_t column_bytes = 0;
    for (const auto& batch : group->pending) {
      arrays.push_back(batch->column(i));
      column_bytes += BytesOf(*batch->column_data(i));
    }
    piece.columns.push_back(std::move(arrays));
    piece.bytes.push_back(column_bytes);
    bytes += column_bytes;
  }
  group->pending.clear();
  group->pending_rows = 0;
  pending_bytes_ -= std::exchange(group->pending_bytes, 0);
  ARROW_RETURN_NOT_OK(progress_->Reserve(bytes));
  group->group_bytes += bytes;
  group->file->Append(std::move(piece));
  return EndParts(group);
}

// Ends the row group or the file where that has grown large enough.
Status DataFileSet::EndParts(Group* group) {
  const WriteOptions& options = plan_->options;
  FileEncoder::Prediction size;
  const auto decided = [&] {
    size = group->file->Predict();
    return size.encoded >= kTrustedShare || (size.most_file_bytes < options.target_file_bytes &&
                                             size.most_group_bytes < options.row_group_bytes);
  };
  ARROW_RETURN_NOT_OK(progress_->WaitUntil(decided));
  if (size.file_bytes >= options.target_file_bytes) return EndFile(group);
  if (size.group_bytes >= options.row_group_bytes ||
      group->file->rows_in_group() >= options.row_group_rows) {
    EndRowGroup(group);
    return Status::OK();
  }
  const auto columns = static_cast<int64_t>(plan_->leaves.size());
  SetOpenBytes(group, std::min(group->group_bytes, columns * kColumnBytes) + size.group_bytes);
  BoundOpen();
  return Status::OK();
}

void DataFileSet::SetOpenBytes(Group* group, int64_t bytes) {
  open_bytes_ += bytes - std::exchange(group->open_bytes, bytes);
}

void DataFileSet::EndRowGroup(Group* group) {
  group->file->EndRowGroup();
  group->group_bytes = 0;
  SetOpenBytes(group, 0);
}

// One file alone ends its row groups by their size.
void DataFileSet::BoundOpen() {
  while (open_files_ > 1 && open_bytes_ > kMostOpenBytes) {
    const auto largest = std::max_element(groups_.begin(), groups_.end(), [](auto& a, auto& b) {
      return a.second.open_bytes < b.second.open_bytes;
    });
    EndRowGroup(&largest->second);
  }
}

// The file that was not written to for the longest ends.
Status DataFileSet::MakeRoom() {
  if (open_files_ < kMostOpenFiles) return Status::OK();
  Group* oldest = nullptr;
  for (auto& [name, group] : groups_) {
    if (group.file == nullptr) continue;
    if (oldest == nullptr || group.last_use < oldest->last_use) oldest = &group;
  }
  return EndFile(oldest);
}

Result<DataFileSet::NewFile> DataFileSet::CreateFile(Group* group) {
  NewFile file;
  file.place = {group->order, group->next_file++};
  file.path = next_path_(group->name);
  paths_.push_back(file.path);
  ARROW_ASSIGN_OR_RAISE(file.object, store_->Create(file.path));
  return file;
}

Status DataFileSet::OpenFile(Group* group) {
  ARROW_RETURN_NOT_OK(MakeRoom());
  ARROW_ASSIGN_OR_RAISE(NewFile file, CreateFile(group));
  ARROW_ASSIGN_OR_RAISE(group->file,
                        FileEncoder::Open(plan_, std::move(file.object), progress_, ratios_));
  ++open_files_;
  group->path = std::move(file.path);
  encoders_.push_back(group->file);
  return Status::OK();
}

Status DataFileSet::EndFile(Group* group) {
  ratios_ = group->file->ratios();
  const Place place{group->order, group->next_file - 1};
  group->file->End([this, place, name = group->name, path = group->path](DataFile file) {
    file.group = name;
    file.path = path;
    AddFile(place, std::move(file));
  });
  group->file = nullptr;
  group->group_bytes = 0;
  SetOpenBytes(group, 0);
  --open_files_;
  return Status::OK();
}

void DataFileSet::AddFile(const Place& place, DataFile file) {
  const std::lock_guard lock(mutex_);
  files_.emplace(place, std::move(file));
}

Status DataFileSet::EndGroup(const std::string& group) {
  ARROW_RETURN_NOT_OK(progress_->status());
  const auto found = groups_.find(group);
  if (found == groups_.end()) return Status::OK();
  ARROW_RETURN_NOT_OK(EndRows(&found->second, /*here=*/false));
  groups_.erase(found);
  return Status::OK();
}

Status DataFileSet::EndRows(Group* group, bool here) {
  if (group->file == nullptr && group->pending_bytes <= kSmallBytes) {
    return group->pending_rows == 0 ? Status::OK() : WriteWhole(group, here);
  }
  ARROW_RETURN_NOT_OK(Dispatch(group));
  return group->file == nullptr ? Status::OK() : EndFile(group);
}

Status DataFileSet::WriteWhole(Group* group, bool here) {
  ARROW_ASSIGN_OR_RAISE(NewFile made, CreateFile(group));
  struct Job {
    NewFile target;
    std::string group;
    arrow::RecordBatchVector batches;
    SmallFile small = {};
  };
  auto job =
      std::make_shared<Job>(Job{std::move(made), group->name, std::exchange(group->pending, {})});
  group->pending_rows = 0;
  const int64_t bytes = std::exchange(group->pending_bytes, 0);
  pending_bytes_ -= bytes;
  const auto encode = [this, job] {
    ARROW_ASSIGN_OR_RAISE(job->small, EncodeSmallFile(*plan_, job->batches));
    job->batches.clear();
    return Status::OK();
  };
  const auto store = [this, job] {
    ARROW_RETURN_NOT_OK(job->target.object->Write(std::move(job->small.bytes)));
    ARROW_RETURN_NOT_OK(job->target.object->Close());
    job->small.file.group = job->group;
    job->small.file.path = job->target.path;
    AddFile(job->target.place, std::move(job->small.file));
    return Status::OK();
  };
  if (here) {
    ARROW_RETURN_NOT_OK(encode());
    return store();
  }
  ARROW_RETURN_NOT_OK(progress_->Reserve(bytes));
  progress_->Encode([this, bytes, encode, store]() -> Status {
    const Status status = encode();
    progress_->Release(bytes);
    ARROW_RETURN_NOT_OK(status);
    progress_->Store(store);
    return Status::OK();
  });
  return Status::OK();
}

Status DataFileSet::Collect() {
  size_t left = groups_.size();
  // The last group is encoded here where it is small: nothing is left to do beside it.
  for (auto& [name, group] : groups_) ARROW_RETURN_NOT_OK(EndRows(&group, --left == 0));
  return progress_->WaitForTasks();
}

Result<std::vector<DataFile>> DataFileSet::Finish() {
  const Status status = Collect();
  if (!status.ok()) {
    progress_->Fail(status);
    // The first error says why, not what followed it.
    const Status first = progress_->status();
    static_cast<void>(Abort());
    return first;
  }
  finished_ = true;
  groups_.clear();
  encoders_.clear();
  std::vector<DataFile> files;
  for (auto& [place, file] : files_) files.push_back(std::move(file));
  files_.clear();
  return files;
}

Status DataFileSet::Abort() {
  progress_->Fail(MakeError(ErrorKind::kCancelled, "the files were aborted"));
  static_cast<void>(progress_->WaitForTasks());
  groups_.clear();
  for (const auto& encoder : encoders_) encoder->Abort();
  encoders_.clear();
  files_.clear();
  finished_ = true;
  return store_->Delete(std::exchange(paths_, {}));
}

}  // namespace amp::parquet_files
