#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "amp/loader.h"
#include "amp/stream_source.h"
#include "amp/testing/asserts.h"
#include "amp/testing/loader_test_config.h"
#include "amp/testing/scripted_source.h"

/// What the streaming tests share.
namespace amp::testing {

/// One writer of a stream, driven step by step.
struct StreamHand {
  Loader* loader = nullptr;
  StreamSpec spec = {};
  StreamState state = {};

  /// The id of the stream's n-th unused number, from 0.
  int64_t NewId(int64_t n = 0) const {
    return SlotBase(state.slot) + state.checkpoint.next_number + n;
  }
  Result<std::unique_ptr<Transaction>> Begin() const;
  static Status Write(Transaction* transaction, int64_t id, const StreamRows& rows);
  /// The checkpoint after a commit that ends with batch `last_id`.
  Checkpoint Next(int64_t last_id, std::vector<BatchEntry> entries = {}) const;
  static BatchEntry Entry(int64_t id, int64_t rows);
  /// Begin, write one batch, commit; moves the state on. Returns the batch's id.
  Result<int64_t> Store(const StreamRows& rows);
  /// Begin, undo, commit; moves the state on.
  Result<UndoReport> Undo(int64_t after_id);
};

/// A connected loader and an empty place for its table.
class StreamingCase : public ::testing::Test {
 public:
  using Body = void (*)(StreamingCase&);
  StreamingCase(std::shared_ptr<LoaderTestConfig> config, Body body)
      : config_(std::move(config)), body_(body) {}

  void SetUp() override;
  void TearDown() override;
  void TestBody() override { body_(*this); }

  LoaderTestConfig& config() { return *config_; }
  Loader& loader() { return *loaders_.front(); }
  const TableName& table() const { return table_; }
  /// Another loader, connected: what a second process would have.
  Result<Loader*> Another();
  /// As after the end of the process: all loaders are gone, a new one is there.
  void Restart();
  /// Disconnects all loaders, for clients that need the target for themselves.
  void Disconnect();

  /// A stream that does not end by itself is ended after a minute: the test fails, and does not
  /// hang. `loader`: null for the first one.
  LoadResult Run(StreamSource* source, StreamOptions options = {}, Loader* loader = nullptr);
  /// A connection that gives `messages`, until the block `last`.
  LoadResult RunTo(uint64_t last, std::vector<StreamMessage> messages, StreamOptions options = {});
  /// A program's events.
  LoadResult RunEvents(std::vector<StreamMessage> events, const StreamOptions& options = {});

  Result<StreamHand> Open(Loader* loader, const std::string& stream = "main",
                          LoadMode mode = LoadMode::kAppend, bool adopt = false);
  Result<StreamState> State(const std::string& stream = "main");
  /// Rows of no stream.
  Status LoadRows(const StreamRows& rows, LoadMode mode);

  /// The table holds just these rows, whatever their order.
  void ExpectRows(StreamRows rows);
  /// The batch ids of rows, in the order of the rows' ids.
  Result<std::vector<std::optional<std::string>>> BatchIds();

 private:
  std::shared_ptr<LoaderTestConfig> config_;
  Body body_;
  std::vector<std::unique_ptr<Loader>> loaders_;
  const TableName table_ = "amp streaming test";
};

/// a, then b.
StreamRows operator+(StreamRows a, const StreamRows& b);

struct StreamingTest {
  const char* name;
  StreamingCase::Body body;
  bool LoaderTestConfig::*needs = nullptr;  ///< a flag, besides supports_streaming
  LoadMode mode = LoadMode::kAppend;        ///< which its streams have
};

std::span<const StreamingTest> StreamRecoveryTests();
std::span<const StreamingTest> StreamFaultTests();
std::span<const StreamingTest> StreamTableTests();
std::span<const StreamingTest> StreamUndoTests();

}  // namespace amp::testing

/// Says with every failure of the scope which promise was broken, and what the loader must do.
#define AMP_PROMISE(promise, duty) SCOPED_TRACE("promise: " promise "\nthe loader must " duty)
