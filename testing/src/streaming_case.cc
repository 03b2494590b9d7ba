#include "streaming_case.h"

#include <arrow/api.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>

namespace amp::testing {
namespace {

WriteSpec WriteOf(const StreamSpec& spec, const StreamState& state) {
  return {.table = spec.table,
          .schema = spec.schema,
          .mode = spec.mode,
          .key = spec.key,
          .stream = StreamRef{.name = state.name,
                              .slot = state.slot,
                              .epoch = state.epoch,
                              .sequence = state.checkpoint.sequence}};
}

int64_t Number(const std::optional<std::string>& text) {
  return text ? std::strtoll(text->c_str(), nullptr, 10) : 0;
}

std::string CellOf(const Row& row, const std::string& column) {
  const auto cell = row.find(column);
  if (cell == row.end()) return "(no column " + column + ")";
  return cell->second.value_or("NULL");
}

/// A flag that is set after a minute.
class Deadline {
 public:
  Deadline() : thread_([this] { Wait(); }) {}
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;
  ~Deadline() {
    {
      const std::lock_guard lock(mutex_);
      over_ = true;
    }
    changed_.notify_all();
    thread_.join();
  }
  const std::atomic<bool>* passed() const { return &passed_; }

 private:
  void Wait() {
    std::unique_lock lock(mutex_);
    passed_ = !changed_.wait_for(lock, std::chrono::minutes(1), [this] { return over_; });
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool over_ = false;
  std::atomic<bool> passed_ = false;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Transaction>> StreamHand::Begin() const {
  return loader->BeginTransaction(WriteOf(spec, state));
}

Status StreamHand::Write(Transaction* transaction, int64_t id, const StreamRows& rows) {
  return transaction->Write({.id = id, .ranges = {}}, *StreamBatch(rows, id)).status();
}

Checkpoint StreamHand::Next(int64_t last_id, std::vector<BatchEntry> entries) const {
  Checkpoint next = state.checkpoint;
  ++next.sequence;
  next.last_batch_id = last_id;
  next.next_number = std::max(next.next_number, last_id - SlotBase(state.slot) + 1);
  next.entries = std::move(entries);
  return next;
}

BatchEntry StreamHand::Entry(int64_t id, int64_t rows) {
  const auto block = static_cast<uint64_t>(id - SlotBase(static_cast<int32_t>(id >> kSlotShift)));
  return {.first_id = id,
          .last_id = id,
          .ranges = {ScriptedChain("eth").Range(block, block)},
          .rows = rows,
          .completed_at = 1'700'000'000'000};
}

Result<int64_t> StreamHand::Store(const StreamRows& rows) {
  const int64_t id = NewId();
  ARROW_ASSIGN_OR_RAISE(const auto transaction, Begin());
  ARROW_RETURN_NOT_OK(Write(transaction.get(), id, rows));
  const Checkpoint next = Next(id, {Entry(id, static_cast<int64_t>(rows.size()))});
  ARROW_RETURN_NOT_OK(transaction->Commit(next));
  state.checkpoint = next;
  return id;
}

Result<UndoReport> StreamHand::Undo(int64_t after_id) {
  ARROW_ASSIGN_OR_RAISE(const auto transaction, Begin());
  ARROW_ASSIGN_OR_RAISE(const UndoReport report, transaction->UndoAfter(after_id));
  const Checkpoint next = Next(after_id);
  ARROW_RETURN_NOT_OK(transaction->Commit(next));
  state.checkpoint = next;
  return report;
}

void StreamingCase::SetUp() {
  AMP_ASSERT_OK(config_->CleanupTable(table_));
  AMP_ASSERT_OK(Another());
  AMP_ASSERT_OK(loader().ResetTable(table_));
}

void StreamingCase::TearDown() {
  if (!loaders_.empty()) {
    AMP_ASSERT_OK(loader().Connect());
    AMP_ASSERT_OK(loader().ResetTable(table_));
  }
  loaders_.clear();
  AMP_ASSERT_OK(config_->CleanupTable(table_));
}

Result<Loader*> StreamingCase::Another() {
  ARROW_ASSIGN_OR_RAISE(auto made, config_->MakeLoader());
  ARROW_RETURN_NOT_OK(made->Connect());
  loaders_.push_back(std::move(made));
  return loaders_.back().get();
}

void StreamingCase::Restart() {
  loaders_.clear();
  AMP_ASSERT_OK(Another());
}

void StreamingCase::Disconnect() {
  for (const auto& loader : loaders_) AMP_ASSERT_OK(loader->Disconnect());
}

LoadResult StreamingCase::Run(StreamSource* source, StreamOptions options, Loader* loader) {
  if (loader == nullptr) loader = loaders_.front().get();
  Deadline deadline;
  options.stop = deadline.passed();
  LoadResult result = loader->LoadStreamContinuous(source, table_, options);
  EXPECT_FALSE(*options.stop) << "the stream did not come to its end";
  return result;
}

LoadResult StreamingCase::RunTo(uint64_t last, std::vector<StreamMessage> messages,
                                StreamOptions options) {
  ScriptedSource source(true);
  source.Then({.messages = std::move(messages), .stays_open = true});
  options.until_block = last;
  return Run(&source, options);
}

LoadResult StreamingCase::RunEvents(std::vector<StreamMessage> events,
                                    const StreamOptions& options) {
  ScriptedSource source(false, std::move(events));
  return Run(&source, options);
}

Result<StreamHand> StreamingCase::Open(Loader* loader, const std::string& stream, LoadMode mode,
                                       bool adopt) {
  StreamHand hand;
  hand.loader = loader;
  hand.spec = {.name = stream, .table = table_, .schema = StreamBatch({}, 0)->schema()};
  hand.spec.mode = mode;
  hand.spec.adopt = adopt;
  hand.spec.query = "SELECT * FROM blocks";
  if (mode != LoadMode::kAppend) hand.spec.key = {"id"};
  ARROW_ASSIGN_OR_RAISE(hand.state, loader->OpenStream(hand.spec));
  return hand;
}

Result<StreamState> StreamingCase::State(const std::string& stream) {
  ARROW_ASSIGN_OR_RAISE(const auto streams, loader().ReadStreams(table_));
  for (const StreamState& state : streams) {
    if (state.name == stream) return state;
  }
  return MakeError(ErrorKind::kNotFound, "ReadStreams shows no stream '" + stream + "'");
}

Status StreamingCase::LoadRows(const StreamRows& rows, LoadMode mode) {
  LoadOptions options{.mode = mode};
  if (mode != LoadMode::kAppend && mode != LoadMode::kOverwrite) options.key = {"id"};
  return loader().LoadBatch(*StreamBatch(rows), table_, options).status;
}

void StreamingCase::ExpectRows(StreamRows rows) {
  AMP_ASSERT_OK_AND_ASSIGN(const std::vector<Row> found, config_->QueryRows(table_, "", "id"));
  StreamRows have;
  for (const Row& row : found) {
    have.emplace_back(Number(CellOf(row, "id")), CellOf(row, "name"));
  }
  std::sort(have.begin(), have.end());
  std::sort(rows.begin(), rows.end());
  EXPECT_EQ(have, rows) << "rows in the target, read by its own client (left), and those that "
                           "must be there (right)";
}

Result<std::vector<std::optional<std::string>>> StreamingCase::BatchIds() {
  ARROW_ASSIGN_OR_RAISE(std::vector<Row> rows, config_->QueryRows(table_, "", "id"));
  std::stable_sort(rows.begin(), rows.end(), [](const Row& a, const Row& b) {
    return Number(a.at("id")) < Number(b.at("id"));
  });
  std::vector<std::optional<std::string>> ids;
  for (const Row& row : rows) {
    const auto cell = row.find(std::string(kBatchIdColumn));
    ids.push_back(cell == row.end() ? std::nullopt : cell->second);
  }
  return ids;
}

StreamRows operator+(StreamRows a, const StreamRows& b) {
  a.insert(a.end(), b.begin(), b.end());
  return a;
}

}  // namespace amp::testing
