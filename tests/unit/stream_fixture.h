#pragma once

#include <arrow/api.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "amp/loader.h"
#include "amp/testing/asserts.h"
#include "amp/testing/scripted_source.h"
#include "amp/testing/servers.h"

namespace amp::unit {

using std::chrono::milliseconds;
using testing::ReorgOf;
using testing::ScriptedChain;
using testing::ScriptedSource;
using testing::StreamBatch;
using testing::StreamRowSchema;

/// Streams into a fresh LMDB folder.
class StreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const ConfigMap config{{"path", {.value = folder_.file("db")}}};
    AMP_ASSERT_OK_AND_ASSIGN(loader_, Registry::Global().Make("lmdb", config));
    AMP_ASSERT_OK(loader_->Connect());
  }

  LoadResult Run(ScriptedSource* source, StreamOptions options = {}) {
    options.pipeline.retry_delay = milliseconds(1);
    auto on_event = std::move(options.on_event);
    options.on_event = [this, on_event](const StreamEvent& event) {
      events_.push_back(event);
      if (on_event) on_event(event);
    };
    return loader_->LoadStreamContinuous(source, "t", options);
  }
  int64_t Rows() {
    const auto info = loader_->GetTableInfo("t");
    return info.ok() && *info ? (*info)->row_count : -1;
  }
  /// The rows of each commit.
  std::vector<int64_t> Commits() const {
    std::vector<int64_t> rows;
    for (const StreamEvent& event : events_) {
      if (event.kind == StreamEvent::Kind::kCommit) rows.push_back(event.rows);
    }
    return rows;
  }
  int Count(StreamEvent::Kind kind) const {
    return static_cast<int>(std::count_if(events_.begin(), events_.end(),
                                          [&](const auto& event) { return event.kind == kind; }));
  }
  static Status Unavailable() {
    return MakeError({.kind = ErrorKind::kUnavailable, .retryable = true}, "not now");
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<Loader> loader_;
  std::vector<StreamEvent> events_;
};

}  // namespace amp::unit
