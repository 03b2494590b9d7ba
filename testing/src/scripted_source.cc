#include "amp/testing/scripted_source.h"

#include <arrow/api.h>

#include <algorithm>
#include <condition_variable>
#include <cstdio>

namespace amp::testing {
namespace {

class ScriptedConnection final : public StreamConnection {
 public:
  explicit ScriptedConnection(ScriptedSource::Script script) : script_(std::move(script)) {}

  std::shared_ptr<arrow::Schema> schema() const override {
    return script_.schema != nullptr ? script_.schema : StreamRowSchema();
  }

  Result<std::optional<StreamMessage>> Next() override {
    std::unique_lock lock(mutex_);
    if (cancelled_) return Cancelled();
    if (next_ < script_.messages.size()) return script_.messages[next_++];
    ARROW_RETURN_NOT_OK(script_.error);
    if (!script_.stays_open) return std::nullopt;
    changed_.wait(lock, [this] { return cancelled_; });
    return Cancelled();
  }

  void Cancel() override {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
    changed_.notify_all();
  }

 private:
  static Status Cancelled() { return MakeError(ErrorKind::kCancelled, "the script was cancelled"); }

  ScriptedSource::Script script_;
  std::mutex mutex_;
  std::condition_variable changed_;
  size_t next_ = 0;
  bool cancelled_ = false;
};

// Only memory can be short here.
void Must(const Status& status) {
  if (!status.ok()) status.Abort();
}

}  // namespace

std::shared_ptr<arrow::Schema> StreamRowSchema() {
  return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8())});
}

std::shared_ptr<arrow::RecordBatch> StreamBatch(const StreamRows& rows,
                                                std::optional<int64_t> batch_id) {
  arrow::Int64Builder ids, batch_ids;
  arrow::StringBuilder names;
  for (const auto& [id, name] : rows) {
    Must(ids.Append(id));
    Must(names.Append(name));
    Must(batch_ids.Append(batch_id.value_or(0)));
  }
  const auto count = static_cast<int64_t>(rows.size());
  auto schema = StreamRowSchema();
  arrow::ArrayVector columns{ids.Finish().ValueOrDie(), names.Finish().ValueOrDie()};
  if (batch_id) {
    const auto field = arrow::field(std::string(kBatchIdColumn), arrow::int64());
    schema = schema->AddField(schema->num_fields(), field).ValueOrDie();
    columns.push_back(batch_ids.Finish().ValueOrDie());
  }
  return arrow::RecordBatch::Make(std::move(schema), count, std::move(columns));
}

int ScriptedChain::ForkOf(uint64_t block) const {
  for (size_t i = forks_.size(); i > 0; --i) {
    if (forks_[i - 1] <= block) return static_cast<int>(i);
  }
  return 0;
}

std::string ScriptedChain::Hash(uint64_t block) const {
  char text[67];
  std::snprintf(text, sizeof(text), "0x%032x%032llx", static_cast<unsigned>(ForkOf(block) + 1),
                static_cast<unsigned long long>(block));
  return text;
}

BlockRange ScriptedChain::Range(uint64_t start, uint64_t end) const {
  return {.network = network_,
          .start = start,
          .end = end,
          .hash = Hash(end),
          .prev_hash = start == 0 ? std::string() : Hash(start - 1)};
}

StreamRows ScriptedChain::Rows(uint64_t start, uint64_t end) const {
  StreamRows rows;
  for (uint64_t block = start; block <= end; ++block) {
    rows.emplace_back(first_id_ + static_cast<int64_t>(block),
                      network_ + " " + std::to_string(block) + "." + std::to_string(ForkOf(block)));
  }
  return rows;
}

StreamMessage ScriptedChain::Blocks(uint64_t start, uint64_t end, bool complete) const {
  return Blocks(start, end, Rows(start, end), complete);
}

StreamMessage ScriptedChain::Blocks(uint64_t start, uint64_t end, const StreamRows& rows,
                                    bool complete) const {
  return {.batch = StreamBatch(rows), .ranges = {Range(start, end)}, .ranges_complete = complete};
}

std::vector<StreamMessage> ScriptedChain::Batches(uint64_t start, uint64_t end,
                                                  uint64_t size) const {
  std::vector<StreamMessage> messages;
  for (; start <= end; start += size) {
    messages.push_back(Blocks(start, std::min(end, start + size - 1)));
  }
  return messages;
}

std::vector<StreamMessage> ScriptedChain::Answer(const std::vector<BlockRange>& resume,
                                                 uint64_t head, uint64_t size) const {
  uint64_t start = 0;
  for (const BlockRange& range : resume) {
    if (range.network != network_) continue;
    start = range.end + 1;
    // The last common ancestor is the block before the first fork that this hash does not know.
    if (range.hash != Hash(range.end)) start = std::min(start, forks_.back());
  }
  return Batches(start, head, size);
}

StreamMessage ReorgOf(std::string network, uint64_t first_block) {
  return {.reorg = ReorgNotice{.network = std::move(network), .first_block = first_block}};
}

ScriptedSource& ScriptedSource::Then(Script script) {
  return Then([script = std::move(script)](const std::vector<BlockRange>&) { return script; });
}

ScriptedSource& ScriptedSource::Then(MakeScript make) {
  const std::lock_guard lock(mutex_);
  scripts_.push_back(std::move(make));
  return *this;
}

ScriptedSource& ScriptedSource::Always(MakeScript make) {
  const std::lock_guard lock(mutex_);
  always_ = std::move(make);
  return *this;
}

std::vector<std::vector<BlockRange>> ScriptedSource::asked() const {
  const std::lock_guard lock(mutex_);
  return asked_;
}

Result<std::unique_ptr<StreamConnection>> ScriptedSource::Connect(
    const std::vector<BlockRange>& resume) {
  const std::lock_guard lock(mutex_);
  Script script{.stays_open = endless_};
  if (asked_.size() < scripts_.size()) {
    script = scripts_[asked_.size()](resume);
  } else if (always_) {
    script = always_(resume);
  }
  asked_.push_back(resume);
  ARROW_RETURN_NOT_OK(script.refusal);
  return std::make_unique<ScriptedConnection>(std::move(script));
}

}  // namespace amp::testing
