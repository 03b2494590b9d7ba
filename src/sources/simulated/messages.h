#pragma once

#include <arrow/type_fwd.h>

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "sources/simulated/microbatches.h"
#include "sources/simulated/query.h"
#include "sources/simulated/simulation.h"
#include "sources/simulated/tables.h"

namespace amp {

/// A query as a ticket holds it.
struct SimulatedRequest {
  SimulatedQuery query;
  bool stream = false;
  std::vector<ResumePoint> resume = {};
  uint64_t tick = 0;  ///< of a bounded query: the state that it is answered from
};

/// One message of an answer: rows, and what goes along as app_metadata.
struct SimulatedMessage {
  std::shared_ptr<arrow::RecordBatch> batch;
  std::string metadata;
  bool new_schema = false;  ///< a fault: the batch's schema is announced first
};

/// {"ranges":[{"network":…,"numbers":{"start":…,"end":…},"hash":…,"prev_hash":…,"timestamp":…}],
///  "ranges_complete":…}, and a key that clients do not know.
AMP_EXPORT std::string RangesMetadata(const std::vector<BlockRange>& ranges, bool complete);

/// What all connections of a server share.
struct SimulationState {
  explicit SimulationState(SimulationOptions options)
      : simulation(std::move(options)), clock(&simulation) {}
  Simulation simulation;
  SimulationClock clock;
  std::atomic<uint64_t> streams = 0;   ///< opened so far
  std::atomic<uint64_t> messages = 0;  ///< sent so far
  std::atomic<bool> ended = false;     ///< has a stream sent everything and ended?
  std::atomic<size_t> tokens_expired = 0;
  std::atomic<uint64_t> without_tables = 0;  ///< streams that were told so
};

/// The messages of one answer, in order. Belongs to one thread.
class SimulatedMessages {
 public:
  /// `cancelled`: has the client gone?
  static Result<std::unique_ptr<SimulatedMessages>> Open(SimulationState* state,
                                                         const SimulatedRequest& request,
                                                         std::function<bool()> cancelled);

  const std::shared_ptr<arrow::Schema>& schema() const { return rows_.schema(); }

  /// None at the end. Waits for news of a stream; Unavailable for a cut connection or a server that
  /// stops, Cancelled where the client has gone, Unauthenticated for a token that has expired.
  Result<std::optional<SimulatedMessage>> Next();

 private:
  enum class Stage { kBetween, kRows, kEnded };
  using Step = Result<std::optional<SimulatedMessage>>;

  SimulatedMessages(SimulationState* state, const SimulatedRequest& request, RowMaker rows,
                    std::function<bool()> cancelled);

  const SimulationOptions& options() const { return state_->simulation.options(); }
  uint64_t Random() { return Mix(seed_ + ++draws_); }
  bool Chance(double rate) { return request_.stream && rate > 0 && Happens(Random(), rate); }

  Status Interruption();
  Step Between();
  Step BeginMicrobatch(Microbatch batch);
  Step Wait(uint64_t tick);
  Step Rows();
  Step Complete(std::shared_ptr<arrow::RecordBatch> last_rows);
  bool Interrupted();
  Status KeepLimit(std::shared_ptr<arrow::RecordBatch>* batch);
  SimulatedMessage Message(std::shared_ptr<arrow::RecordBatch> batch, bool complete);
  SimulatedMessage KeepAlive();
  Step NoTables();

  bool FaultIsDue(SimulatedFault fault) const;
  void BreakRanges(Microbatch* batch);
  void BreakMessage(SimulatedMessage* message);

  SimulationState* state_;
  SimulatedRequest request_;
  RowMaker rows_;
  std::function<bool()> cancelled_;
  uint64_t seed_;
  MicrobatchPlanner planner_;
  uint64_t draws_ = 0;
  Stage stage_ = Stage::kBetween;
  Microbatch open_;
  RowCursor cursor_;
  std::shared_ptr<arrow::RecordBatch> held_;  ///< rows that may go along with the last message
  std::shared_ptr<arrow::RecordBatch> last_rows_;
  std::optional<SimulatedMessage> repeat_;
  bool quiet_ = false;  ///< the last message was a keep-alive
  std::optional<int64_t> rows_left_;
  uint64_t sent_ = 0;
  bool cut_ = false;
  bool broken_ = false;          ///< the fault has happened on this connection
  bool another_schema_ = false;  ///< from the fault on
};

}  // namespace amp
