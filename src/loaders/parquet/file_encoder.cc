#include "loaders/parquet/file_encoder.h"

#include <parquet/exception.h>

#include <utility>

#include "loaders/parquet/statistics.h"

namespace amp::parquet_files {

FileEncoder::FileEncoder(std::shared_ptr<const FilePlan> plan,
                         std::unique_ptr<storage::OutputObject> object,
                         std::shared_ptr<Progress> progress)
    : plan_(std::move(plan)),
      progress_(std::move(progress)),
      sink_(std::make_shared<ObjectSink>(std::move(object),
                                         [shared = progress_.get()](std::function<Status()> task) {
                                           shared->StoreAlways(std::move(task));
                                         })) {}

FileEncoder::~FileEncoder() { Abort(); }

Result<std::shared_ptr<FileEncoder>> FileEncoder::Open(
    std::shared_ptr<const FilePlan> plan, std::unique_ptr<storage::OutputObject> object,
    std::shared_ptr<Progress> progress, const Ratios& ratios) {
  std::shared_ptr<FileEncoder> encoder(
      new FileEncoder(std::move(plan), std::move(object), std::move(progress)));
  ARROW_RETURN_NOT_OK(encoder->OpenWriter(ratios));
  return encoder;
}

Status FileEncoder::OpenWriter(const Ratios& ratios) {
  PARQUET_CATCH_NOT_OK(writer_ = parquet::ParquetFileWriter::Open(
                           sink_, plan_->parquet_schema, plan_->properties, plan_->metadata));
  lanes_.resize(plan_->columns.size());
  for (size_t i = 0; i < lanes_.size(); ++i) {
    ARROW_ASSIGN_OR_RAISE(lanes_[i].writer, ColumnLane::Make(*plan_, static_cast<int>(i)));
    if (i < ratios.size()) lanes_[i].ratio = ratios[i];
  }
  return Status::OK();
}

void FileEncoder::Append(Piece piece) {
  const std::lock_guard lock(mutex_);
  RowGroup* group = LastRowGroup();
  rows_in_group_ += piece.rows;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    group->queues[i].parts.push_back({std::move(piece.columns[i]), piece.bytes[i]});
    group->queues[i].bytes += piece.bytes[i];
    group->bytes[i] += piece.bytes[i];
  }
  if (row_groups_.size() == 1) ScheduleAll();
}

void FileEncoder::EndRowGroup() {
  const std::lock_guard lock(mutex_);
  if (group_ended_) return;
  group_ended_ = true;
  rows_in_group_ = 0;
  row_groups_.back().ended = true;
  ScheduleEnd();
}

void FileEncoder::End(Done done) {
  EndRowGroup();
  const std::lock_guard lock(mutex_);
  done_ = std::move(done);
  if (row_groups_.empty()) {
    progress_->Store([self = shared_from_this()] { return self->Finish(); });
  }
}

void FileEncoder::Abort() {
  sink_->Drop();
  lanes_.clear();
  writer_.reset();
  // What cannot be removed is not part of any table; its path is in nobody's list.
  static_cast<void>(sink_->Abort());
}

FileEncoder::Prediction FileEncoder::Predict() const {
  const std::lock_guard lock(mutex_);
  Prediction prediction;
  prediction.file_bytes = closed_bytes_;
  prediction.most_file_bytes = closed_bytes_;
  std::vector<double> appended(lanes_.size());
  for (size_t group = 0; group < row_groups_.size(); ++group) {
    double bytes = 0;
    double most = 0;
    for (size_t i = 0; i < lanes_.size(); ++i) {
      const Lane& lane = lanes_[i];
      const int64_t all = row_groups_[group].bytes[i];
      const int64_t waiting = group == 0 ? all - lane.encoded_bytes : all;
      bytes += static_cast<double>(all) * lane.ratio;
      most += static_cast<double>(all - waiting) * lane.ratio +
              static_cast<double>(waiting) * std::max(lane.ratio, 1.0);
      appended[i] += static_cast<double>(row_groups_[group].bytes[i]);
    }
    prediction.file_bytes += static_cast<int64_t>(bytes);
    prediction.group_bytes = static_cast<int64_t>(bytes);
    prediction.most_file_bytes += static_cast<int64_t>(most);
    prediction.most_group_bytes = static_cast<int64_t>(most);
  }
  if (group_ended_) prediction.group_bytes = 0;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (appended[i] == 0) continue;
    const double encoded = static_cast<double>(lanes_[i].encoded_bytes) / appended[i];
    prediction.encoded = std::min(prediction.encoded, encoded);
  }
  return prediction;
}

Ratios FileEncoder::ratios() const {
  const std::lock_guard lock(mutex_);
  Ratios ratios;
  for (const Lane& lane : lanes_) ratios.push_back(lane.ratio);
  return ratios;
}

// From here on to Schedule: with the lock held.

FileEncoder::RowGroup* FileEncoder::LastRowGroup() {
  if (group_ended_) {
    group_ended_ = false;
    row_groups_.emplace_back();
    row_groups_.back().queues.resize(lanes_.size());
    row_groups_.back().bytes.resize(lanes_.size());
  }
  return &row_groups_.back();
}

void FileEncoder::ScheduleAll() {
  if (row_group_ == nullptr) {
    const Status status = BeginRowGroup();
    if (!status.ok()) progress_->Fail(status);
  }
  for (size_t i = 0; i < lanes_.size(); ++i) Schedule(i);
}

Status FileEncoder::BeginRowGroup() {
  PARQUET_CATCH_NOT_OK(row_group_ = writer_->AppendBufferedRowGroup());
  for (Lane& lane : lanes_) {
    lane.writer->Attach(row_group_);
    lane.encoded_bytes = 0;
    lane.written_bytes = 0;
  }
  return Status::OK();
}

void FileEncoder::Schedule(size_t lane) {
  if (lanes_[lane].busy || row_groups_.front().queues[lane].parts.empty()) return;
  lanes_[lane].busy = true;
  progress_->Encode([self = shared_from_this()] { return self->RunLane(); });
}

// There is a task for each lane that waits, and what has the most to do goes first: at the end of a
// row group the others would wait for it.
size_t FileEncoder::FullestLane() const {
  size_t fullest = lanes_.size();
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (!lanes_[i].busy || lanes_[i].running) continue;
    const auto& queues = row_groups_.front().queues;
    if (fullest == lanes_.size() || queues[i].bytes > queues[fullest].bytes) fullest = i;
  }
  return fullest;
}

bool FileEncoder::RowGroupIsEncoded() const {
  if (!row_groups_.front().ended || writing_) return false;
  for (size_t i = 0; i < lanes_.size(); ++i) {
    if (lanes_[i].busy || !row_groups_.front().queues[i].parts.empty()) return false;
  }
  return true;
}

void FileEncoder::ScheduleEnd() {
  if (!RowGroupIsEncoded()) return;
  writing_ = true;
  progress_->Encode([self = shared_from_this()] { return self->WriteRowGroup(); });
}

// From here on: tasks.

Status FileEncoder::RunLane() {
  size_t index = 0;
  Queue queue;
  {
    const std::lock_guard lock(mutex_);
    index = FullestLane();
    lanes_[index].running = true;
    queue = std::exchange(row_groups_.front().queues[index], {});
  }
  Lane* lane = &lanes_[index];
  const int64_t bytes = queue.bytes;
  const Status status = WriteParts(lane, &queue.parts);
  const int64_t written = status.ok() ? lane->writer->EstimatedBytes() : 0;
  {
    const std::lock_guard lock(mutex_);
    lane->busy = lane->running = false;
    lane->encoded_bytes += bytes;
    lane->written_bytes = written;
    if (lane->encoded_bytes > 0) {
      lane->ratio = static_cast<double>(written) / static_cast<double>(lane->encoded_bytes);
    }
    Schedule(index);
    ScheduleEnd();
  }
  progress_->Release(bytes);
  return status;
}

Status FileEncoder::WriteParts(Lane* lane, std::deque<Part>* parts) {
  arrow::ArrayVector arrays;
  for (Part& part : *parts) {
    arrays.insert(arrays.end(), part.arrays.begin(), part.arrays.end());
    part.arrays.clear();
  }
  return lane->writer->Write(std::move(arrays));
}

// Its columns are closed one after the other: each holds but a page that is not compressed yet.
Status FileEncoder::WriteRowGroup() {
  PARQUET_CATCH_NOT_OK(row_group_->Close());
  ARROW_ASSIGN_OR_RAISE(const int64_t position, sink_->Tell());
  const std::lock_guard lock(mutex_);
  closed_bytes_ = position;
  row_groups_.pop_front();
  row_group_ = nullptr;
  writing_ = false;
  if (!row_groups_.empty()) {
    ScheduleAll();
    ScheduleEnd();
  } else if (done_) {
    progress_->Store([self = shared_from_this()] { return self->Finish(); });
  }
  return Status::OK();
}

Status FileEncoder::Finish() {
  ARROW_ASSIGN_OR_RAISE(DataFile file, FinishFile());
  lanes_.clear();
  writer_.reset();
  done_(std::move(file));
  return Status::OK();
}

Result<DataFile> FileEncoder::FinishFile() {
  PARQUET_CATCH_NOT_OK(writer_->Close());
  ARROW_ASSIGN_OR_RAISE(const int64_t bytes, sink_->Tell());
  ARROW_RETURN_NOT_OK(sink_->Close());
  std::vector<int64_t> nan_counts;
  for (const Lane& lane : lanes_) {
    const auto& counts = lane.writer->nan_counts();
    nan_counts.insert(nan_counts.end(), counts.begin(), counts.end());
  }
  ARROW_ASSIGN_OR_RAISE(DataFile file, Describe(*plan_, *writer_->metadata(), nan_counts));
  file.bytes = bytes;
  return file;
}

}  // namespace amp::parquet_files
