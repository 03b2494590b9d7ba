#pragma once

#include <algorithm>
#include <memory>
#include <utility>
#include <vector>

#include "amp/loader.h"
#include "core/stream_state.h"

namespace amp::bench {

/// A stream into a table, written as the pipeline does it, without a source.
class BenchStream {
 public:
  static Result<BenchStream> Open(Loader* loader, StreamSpec spec) {
    BenchStream stream(loader, std::move(spec));
    ARROW_RETURN_NOT_OK(loader->OpenStream(stream.spec_).Value(&stream.state_));
    return stream;
  }

  Result<std::unique_ptr<Transaction>> Begin() {
    return loader_->BeginTransaction({.table = spec_.table,
                                      .schema = spec_.schema,
                                      .mode = spec_.mode,
                                      .key = state_.key,
                                      .stream = StreamRef{.name = state_.name,
                                                          .slot = state_.slot,
                                                          .epoch = state_.epoch,
                                                          .sequence = state_.checkpoint.sequence}});
  }

  /// Of the next batch.
  int64_t NextId() { return ++last_id_; }
  int64_t last_id() const { return last_id_; }

  Status Commit(Transaction* transaction, std::vector<BatchEntry> entries) {
    Checkpoint& checkpoint = state_.checkpoint;
    ++checkpoint.sequence;
    checkpoint.last_batch_id = last_id_;
    // As with the usual retention of 128 blocks, the newest batches can be undone.
    checkpoint.final_id = std::max(checkpoint.final_id, last_id_ - 128);
    checkpoint.next_number = last_id_ + 1;
    checkpoint.entries = std::move(entries);
    return transaction->Commit(checkpoint);
  }

 private:
  BenchStream(Loader* loader, StreamSpec spec) : loader_(loader), spec_(std::move(spec)) {}

  Loader* loader_;
  StreamSpec spec_;
  StreamState state_;
  int64_t last_id_ = 0;
};

}  // namespace amp::bench
