#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "amp/stream.h"
#include "scenario/model_chain.h"

/// A target that stores what the ledger says, and finds fault with what it must not say.
namespace amp::testing {

class ModelTarget {
 public:
  /// `atomic`: what is not committed is gone after a crash. Otherwise its rows are there.
  ModelTarget(StreamState state, bool atomic) : state_(std::move(state)), atomic_(atomic) {}

  /// As a new process opens the stream: skips `skipped` numbers.
  const StreamState& Open(int64_t skipped);
  void Write(const BatchRecord& record, const std::vector<RowKey>& rows);
  void UndoAfter(int64_t id);
  void Commit(const Checkpoint& checkpoint);
  void Crash();

  /// All rows, sorted: those written, or those of the last commit.
  std::vector<RowKey> rows() const { return Sorted(rows_); }
  std::vector<RowKey> committed_rows() const { return Sorted(committed_rows_); }
  const StreamState& state() const { return state_; }
  const std::map<int64_t, std::vector<RowKey>>& batches() const { return rows_; }
  /// The first fault that was found.
  const std::optional<std::string>& fault() const { return fault_; }

 private:
  using Batches = std::map<int64_t, std::vector<RowKey>>;
  static std::vector<RowKey> Sorted(const Batches& batches);
  void Fault(std::string what);
  void PutLine(const BatchEntry& line);

  StreamState state_;
  bool atomic_;
  Batches rows_;
  Batches committed_rows_;
  std::optional<int64_t> undone_to_;     ///< the least id that was undone to since the last commit
  std::map<int64_t, BlockRanges> used_;  ///< every id that ever came
  std::set<int64_t> closed_;             ///< ids that must not come again
  std::optional<std::string> fault_;
};

/// A fault of a stream's batch map, if there is one: in order, without overlaps, each line going on
/// where the one before ends, from the origin to the watermark.
std::optional<std::string> FaultOfMap(const StreamState& state, const ModelChain& chain);

}  // namespace amp::testing
