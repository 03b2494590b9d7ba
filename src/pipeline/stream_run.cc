#include "pipeline/stream_run.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "core/log.h"
#include "pipeline/stream_columns.h"

namespace amp {
namespace {

using std::chrono::milliseconds;

// How often a wait looks whether it is to stop.
constexpr milliseconds kLongestWait{100};
// A completed batch that nothing follows at once is committed: the stream has caught up.
constexpr milliseconds kLinger{50};
constexpr milliseconds kQuietAfterConnecting{10'000};
constexpr std::chrono::minutes kLongConnection{1};
// A reorg may need several: one for each batch that it reaches back. No honest one needs so many.
constexpr int kMostReconnects = 10'000;

Status StreamEnded() {
  return MakeError({.kind = ErrorKind::kUnavailable, .side = ErrorSide::kSource, .retryable = true},
                   "the source ended the stream");
}

// The streams of a program's events are told apart by their networks.
std::string StreamNameOf(const std::string& stream, const BlockRanges& ranges) {
  std::set<std::string> networks;
  for (const BlockRange& range : ranges) networks.insert(range.network);
  return fmt::format("{}:{}", stream, fmt::join(networks, "+"));
}

}  // namespace

StreamRun::StreamRun(Loader* loader, StreamSource* source, TableName table,
                     const StreamOptions& options)
    : loader_(loader),
      source_(source),
      table_(std::move(table)),
      options_(options),
      reader_(source, options.pipeline.memory.bytes),
      backoff_(options.pipeline) {}

StreamRun::~StreamRun() = default;

bool StreamRun::stopping() const { return options_.stop != nullptr && options_.stop->load(); }

Status StreamRun::Run() {
  while (!done_ && !stopping()) {
    const Status status = Step();
    if (status.ok()) continue;
    ARROW_RETURN_NOT_OK(Recover(status));
  }
  return Finish(Status::OK());
}

Status StreamRun::Step() {
  if (!reader_.active()) return Connect();
  StreamReader::Item item;
  const auto outcome = reader_.NextUntil(NextWake(), &item);
  ARROW_RETURN_NOT_OK(outcome.status());
  switch (*outcome) {
    case StreamReader::Outcome::kItem:
      return HandleItem(item);
    case StreamReader::Outcome::kTimeout:
      return HandleQuiet();
    case StreamReader::Outcome::kEnd:
      return HandleSourceEnd();
  }
  return Status::OK();
}

// The target is asked first where its streams stand, so that the source need not be asked twice.
Status StreamRun::Connect() {
  ARROW_RETURN_NOT_OK(loader_->Connect());
  connected_ = false;
  resumed_from_ = ResumePoint();
  if (writers_.empty() && source_->endless()) {
    auto streams = loader_->ReadStreams(table_);
    ARROW_RETURN_NOT_OK(WithSide(streams.status(), ErrorSide::kTarget));
    for (const StreamState& stream : *streams) {
      if (stream.name == options_.stream) resumed_from_ = stream.checkpoint.watermark;
    }
  }
  reader_.Connect(resumed_from_);
  return Status::OK();
}

Status StreamRun::HandleItem(const StreamReader::Item& item) {
  return item.schema != nullptr ? FinishConnecting(item.schema) : HandleMessage(item.message);
}

Status StreamRun::FinishConnecting(const std::shared_ptr<arrow::Schema>& schema) {
  if (schema_ != nullptr && !schema_->Equals(*schema, /*check_metadata=*/false)) {
    return MakeError({.kind = ErrorKind::kSchemaMismatch, .side = ErrorSide::kSource},
                     fmt::format("the source's schema has changed, from ({}) to ({})",
                                 fmt::join(schema_->field_names(), ", "),
                                 fmt::join(schema->field_names(), ", ")));
  }
  schema_ = schema;
  ARROW_RETURN_NOT_OK(OpenWriters(schema));
  connected_ = true;
  news_since_connected_ = false;
  last_news_ = connected_at_ = Clock::now();
  if (options_.on_event) {
    options_.on_event({.kind = StreamEvent::Kind::kConnected, .stream = options_.stream});
  }
  // An earlier run may have brought it there; then perhaps nothing comes any more.
  if (CameToTheBlock()) done_ = true;
  if (!SameRanges(ResumePoint(), resumed_from_)) {
    // Someone has written between our look and our taking over.
    reader_.Drop();
  }
  return Status::OK();
}

Status StreamRun::OpenWriters(const std::shared_ptr<arrow::Schema>& schema) {
  if (!writers_.empty()) return Status::OK();
  if (source_->endless()) return OpenWriter(options_.stream, schema);
  auto streams = loader_->ReadStreams(table_);
  ARROW_RETURN_NOT_OK(WithSide(streams.status(), ErrorSide::kTarget));
  for (const StreamState& stream : *streams) {
    if (!stream.name.starts_with(options_.stream + ":")) continue;
    ARROW_RETURN_NOT_OK(OpenWriter(stream.name, schema));
  }
  return Status::OK();
}

Status StreamRun::OpenWriter(const std::string& name,
                             const std::shared_ptr<arrow::Schema>& schema) {
  ARROW_ASSIGN_OR_RAISE(auto with_columns,
                        WithStreamColumns(*schema, options_.pipeline.block_ranges));
  StreamSpec spec{.name = name,
                  .table = table_,
                  .schema = std::move(with_columns),
                  .mode = options_.mode,
                  .key = options_.key,
                  .query = source_->query(),
                  .adopt = options_.adopt,
                  .accept_query = options_.accept_query};
  if (const auto held = held_epochs_.find(name); held != held_epochs_.end()) {
    spec.held_epoch = held->second;
  }
  ARROW_ASSIGN_OR_RAISE(auto writer,
                        StreamWriter::Open(loader_, spec, schema, options_, source_->endless()));
  held_epochs_[name] = writer->epoch();
  writers_[name] = std::move(writer);
  return Status::OK();
}

BlockRanges StreamRun::ResumePoint() const {
  if (writers_.empty() || !source_->endless()) return {};
  return writers_.begin()->second->ledger().resume_point();
}

Status StreamRun::HandleMessage(const StreamMessage& message) {
  if (message.reorg) {
    // It may concern several streams.
    for (const auto& [name, writer] : writers_) {
      if (!writer->ledger().HasNetwork(message.reorg->network)) continue;
      ARROW_RETURN_NOT_OK(MakeWayFor(name));
      ARROW_ASSIGN_OR_RAISE(const auto effect, writer->Take(message));
      ARROW_RETURN_NOT_OK(HandleEffect(effect));
      ARROW_RETURN_NOT_OK(writer->Commit());
    }
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(StreamWriter * writer, WriterFor(message));
  if (writer == nullptr) return Status::OK();
  ARROW_ASSIGN_OR_RAISE(const auto effect, writer->Take(message));
  return HandleEffect(effect);
}

// A target with one writer would wait for itself: so one stream's transaction ends before the next
// one's begins.
Status StreamRun::MakeWayFor(const std::string& name) {
  for (const auto& [other, writer] : writers_) {
    if (other != name) ARROW_RETURN_NOT_OK(writer->MakeWay());
  }
  return Status::OK();
}

Result<StreamWriter*> StreamRun::WriterFor(const StreamMessage& message) {
  if (source_->endless()) return writers_.begin()->second.get();
  if (message.ranges.empty()) {
    if (message.batch == nullptr || message.batch->num_rows() == 0) return nullptr;
    return ProtocolError(
        fmt::format("{} rows came without block ranges", message.batch->num_rows()));
  }
  const std::string name = StreamNameOf(options_.stream, message.ranges);
  ARROW_RETURN_NOT_OK(MakeWayFor(name));
  if (!writers_.contains(name)) ARROW_RETURN_NOT_OK(OpenWriter(name, schema_));
  return writers_.at(name).get();
}

Status StreamRun::HandleEffect(const StreamWriter::Effect& effect) {
  if (effect.news) {
    last_news_ = Clock::now();
    news_since_connected_ = true;
  }
  if (effect.completed) {
    backoff_.Reset();
    reconnects_ = 0;
  }
  if (effect.reconnect) {
    if (++reconnects_ > kMostReconnects) {
      return ProtocolError("its ranges fit nothing that it sent before, however often it is asked");
    }
    reader_.Drop();
  }
  ARROW_RETURN_NOT_OK(CommitDue());
  if (effect.completed && CameToTheBlock()) done_ = true;
  return Status::OK();
}

Status StreamRun::HandleQuiet() {
  if (connected_ && Clock::now() - last_news_ >= kLinger) ARROW_RETURN_NOT_OK(CommitAll());
  ARROW_RETURN_NOT_OK(CommitDue());
  if (options_.until_caught_up && CaughtUp()) done_ = true;
  return Status::OK();
}

Status StreamRun::HandleSourceEnd() {
  if (source_->endless()) return StreamEnded();
  for (const auto& [name, writer] : writers_) ARROW_RETURN_NOT_OK(writer->MakeWay());
  done_ = true;
  return Status::OK();
}

StreamRun::Clock::time_point StreamRun::NextWake() const {
  Clock::time_point wake = Clock::now() + kLongestWait;
  for (const auto& [name, writer] : writers_) {
    const Clock::time_point due = writer->commit_due();
    if (due == Clock::time_point::max()) continue;
    wake = std::min({wake, due, last_news_ + kLinger});
  }
  return wake;
}

Status StreamRun::CommitDue() {
  const Clock::time_point now = Clock::now();
  for (const auto& [name, writer] : writers_) {
    if (writer->commit_due() <= now) ARROW_RETURN_NOT_OK(writer->Commit());
  }
  return Status::OK();
}

Status StreamRun::CommitAll() {
  for (const auto& [name, writer] : writers_) ARROW_RETURN_NOT_OK(writer->Commit());
  return Status::OK();
}

Status StreamRun::InterruptAll() {
  for (const auto& [name, writer] : writers_) ARROW_RETURN_NOT_OK(writer->Interrupt());
  return Status::OK();
}

bool StreamRun::CaughtUp() const {
  if (!connected_) return false;
  const bool open = std::any_of(writers_.begin(), writers_.end(),
                                [](const auto& entry) { return entry.second->ledger().open(); });
  const milliseconds wait = news_since_connected_ ? options_.idle : kQuietAfterConnecting;
  return !open && Clock::now() - last_news_ >= wait;
}

bool StreamRun::CameToTheBlock() const {
  if (!options_.until_block) return false;
  const BlockRanges watermark = ResumePoint();
  return !watermark.empty() &&
         std::all_of(watermark.begin(), watermark.end(),
                     [&](const BlockRange& range) { return range.end >= *options_.until_block; });
}

Status StreamRun::Recover(const Status& failure) {
  reader_.Drop();
  // A quiet chain completes nothing for long; a connection that held is a success too.
  if (connected_ && Clock::now() - connected_at_ > kLongConnection) backoff_.Reset();
  connected_ = false;
  const bool target = ErrorInfoOf(failure).side == ErrorSide::kTarget;
  if (!IsPassing(failure)) return target ? failure : Finish(failure);
  if (target) {
    DropTarget();
  } else {
    // What is complete is safe whatever the source does next.
    const Status kept = InterruptAll();
    const Status committed = kept.ok() ? CommitAll() : kept;
    if (!committed.ok()) return IsPassing(committed) ? Recover(committed) : committed;
  }
  const auto pause = backoff_.Next();
  if (!pause) return target ? failure : Finish(failure);
  TellRetry(failure, *pause);
  SleepUnless(options_.stop, *pause);
  return Status::OK();
}

void StreamRun::DropTarget() {
  for (const auto& [name, writer] : writers_) {
    rows_before_ += writer->rows_committed();
    commits_before_ += writer->commits();
  }
  writers_.clear();
  const Status status = loader_->Disconnect();
  if (!status.ok()) Log().debug("disconnecting: {}", status.message());
}

void StreamRun::TellRetry(const Status& failure, milliseconds pause) const {
  Log().warn("{}; trying again in {:.1f} s (failure {} of at most {})", failure.message(),
             static_cast<double>(pause.count()) / 1000, backoff_.failures(),
             options_.pipeline.retry_tries);
  if (!options_.on_event) return;
  options_.on_event({.kind = StreamEvent::Kind::kRetry,
                     .stream = options_.stream,
                     .failure = failure,
                     .delay = pause});
}

// Whatever the reason for the end: batches that are complete are kept, an open one is not.
Status StreamRun::Finish(const Status& why) {
  reader_.Drop();
  Status status = InterruptAll();
  if (status.ok()) status = CommitAll();
  if (!why.ok()) {
    if (!status.ok()) Log().warn("committing what is complete: {}", status.message());
    return why;
  }
  return status;
}

int64_t StreamRun::rows_committed() const {
  int64_t rows = rows_before_;
  for (const auto& [name, writer] : writers_) rows += writer->rows_committed();
  return rows;
}

std::optional<ReorgNotice> StreamRun::too_deep() const {
  for (const auto& [name, writer] : writers_) {
    if (writer->ledger().too_deep()) return writer->ledger().too_deep();
  }
  return std::nullopt;
}

int64_t StreamRun::commits() const {
  int64_t commits = commits_before_;
  for (const auto& [name, writer] : writers_) commits += writer->commits();
  return commits;
}

}  // namespace amp
