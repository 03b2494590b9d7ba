#include "sources/simulated/messages.h"

#include <arrow/record_batch.h>

#include <nlohmann/json.hpp>

namespace amp {
namespace {

Status Unavailable(std::string message) {
  return MakeError({.kind = ErrorKind::kUnavailable, .retryable = true}, std::move(message));
}

nlohmann::ordered_json RangeJson(const BlockRange& range) {
  nlohmann::ordered_json json{{"network", range.network},
                              {"numbers", {{"start", range.start}, {"end", range.end}}},
                              {"hash", range.hash}};
  if (!range.prev_hash.empty()) json["prev_hash"] = range.prev_hash;
  if (range.timestamp) json["timestamp"] = *range.timestamp;
  return json;
}

}  // namespace

std::string RangesMetadata(const std::vector<BlockRange>& ranges, bool complete) {
  auto list = nlohmann::ordered_json::array();
  for (const BlockRange& range : ranges) list.push_back(RangeJson(range));
  const nlohmann::ordered_json json{
      {"ranges", std::move(list)}, {"ranges_complete", complete}, {"simulated", {{"version", 1}}}};
  return json.dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

Result<std::unique_ptr<SimulatedMessages>> SimulatedMessages::Open(
    SimulationState* state, const SimulatedRequest& request, std::function<bool()> cancelled) {
  const SimulatedQuery& query = request.query;
  ARROW_ASSIGN_OR_RAISE(RowMaker rows, RowMaker::Make(&state->simulation.options(), query.table,
                                                      query.with_network, query.columns));
  std::unique_ptr<SimulatedMessages> messages(
      new SimulatedMessages(state, request, std::move(rows), std::move(cancelled)));
  if (request.stream) {
    ARROW_ASSIGN_OR_RAISE(const uint64_t tick, messages->planner_.Resume(request.resume));
    state->clock.MoveTo(tick);
  }
  return messages;
}

SimulatedMessages::SimulatedMessages(SimulationState* state, const SimulatedRequest& request,
                                     RowMaker rows, std::function<bool()> cancelled)
    : state_(state),
      request_(request),
      rows_(std::move(rows)),
      cancelled_(std::move(cancelled)),
      // Each connection has luck of its own, so that one that was cut gets further the next time.
      seed_(Mix(options().seed ^ Mix(request.stream ? ++state->streams : 0))),
      planner_(&state->simulation, request.query, !request.stream, seed_),
      rows_left_(request.query.limit) {}

Result<std::optional<SimulatedMessage>> SimulatedMessages::Next() {
  while (true) {
    ARROW_RETURN_NOT_OK(Interruption());
    if (stage_ == Stage::kEnded) return std::nullopt;
    ARROW_ASSIGN_OR_RAISE(auto message, stage_ == Stage::kRows ? Rows() : Between());
    if (!message) continue;
    BreakMessage(&*message);
    ++sent_;
    ++state_->messages;
    cut_ = Chance(options().drop_rate);
    return message;
  }
}

Status SimulatedMessages::Interruption() {
  if (cancelled_()) return MakeError(ErrorKind::kCancelled, "the client has gone");
  if (state_->clock.stopped()) return Unavailable("the server is stopping");
  if (cut_) return Unavailable("the connection was cut, as --drop-rate asks");
  if (FaultIsDue(SimulatedFault::kExpiredToken)) {
    size_t none = 0;
    if (state_->tokens_expired.compare_exchange_strong(none, 1)) {
      return MakeError(ErrorKind::kUnauthenticated, "the token has expired; log in again");
    }
  }
  return Status::OK();
}

SimulatedMessages::Step SimulatedMessages::Between() {
  if (repeat_) return std::exchange(repeat_, std::nullopt);
  if (request_.stream && options().fault.fault == SimulatedFault::kNoTables && sent_ == 0 &&
      state_->without_tables++ < options().fault.after) {
    return NoTables();
  }
  if (rows_left_ && *rows_left_ == 0) {
    stage_ = Stage::kEnded;
    return std::nullopt;
  }
  const uint64_t tick = request_.stream ? state_->clock.Now() : request_.tick;
  auto batch = planner_.Next(tick);
  if (batch) return BeginMicrobatch(std::move(*batch));
  return Wait(tick);
}

SimulatedMessages::Step SimulatedMessages::NoTables() {
  stage_ = Stage::kEnded;
  ARROW_ASSIGN_OR_RAISE(auto empty, rows_.Empty());
  return SimulatedMessage{.batch = std::move(empty), .metadata = RangesMetadata({}, false)};
}

SimulatedMessages::Step SimulatedMessages::Wait(uint64_t tick) {
  if (!request_.stream) {
    stage_ = Stage::kEnded;
  } else if (options().end && planner_.Finished()) {
    stage_ = Stage::kEnded;
    state_->ended = true;
  } else if (planner_.Finished()) {
    state_->clock.After(tick, 0);
  } else {
    const uint64_t blocks = 1 + Random() % options().microbatch_blocks;
    state_->clock.After(tick, blocks * request_.query.networks.size());
  }
  return std::nullopt;
}

SimulatedMessages::Step SimulatedMessages::BeginMicrobatch(Microbatch batch) {
  BreakRanges(&batch);
  open_ = std::move(batch);
  cursor_ = {};
  held_ = last_rows_ = nullptr;
  stage_ = Stage::kRows;
  quiet_ = false;
  if (Chance(options().keepalive_rate)) return KeepAlive();
  return std::nullopt;
}

SimulatedMessages::Step SimulatedMessages::Rows() {
  if (Interrupted()) {
    planner_.Abandon();
    stage_ = Stage::kBetween;
    return std::nullopt;
  }
  if (last_rows_ && !quiet_ && Chance(options().keepalive_rate)) return KeepAlive();
  quiet_ = false;
  ARROW_ASSIGN_OR_RAISE(auto batch, rows_.Next(open_.runs, &cursor_, options().split));
  ARROW_RETURN_NOT_OK(KeepLimit(&batch));
  if (batch->num_rows() == 0) return Complete(std::exchange(held_, nullptr));
  if (options().rows_on_complete) {
    std::swap(batch, held_);
    if (!batch) return std::nullopt;
  }
  last_rows_ = batch;
  return Message(std::move(batch), false);
}

// The chain may move on while a microbatch is open; where it loses a block so, what is open is
// left.
bool SimulatedMessages::Interrupted() {
  if (!Chance(options().interrupt_rate)) return false;
  state_->clock.Push(1 + Random() % (2 * request_.query.networks.size()));
  return planner_.Orphaned(state_->clock.Now());
}

SimulatedMessages::Step SimulatedMessages::Complete(std::shared_ptr<arrow::RecordBatch> last_rows) {
  stage_ = Stage::kBetween;
  planner_.Complete();
  if (FaultIsDue(SimulatedFault::kIncompleteMicrobatch)) {
    broken_ = true;
    return std::nullopt;
  }
  ARROW_ASSIGN_OR_RAISE(auto empty, rows_.Empty());
  if (Chance(options().repeat_rate)) {
    const bool with_rows = last_rows_ != nullptr && Random() % 2 == 0;
    repeat_ = Message(with_rows ? last_rows_ : empty, true);
  }
  return Message(last_rows ? std::move(last_rows) : std::move(empty), true);
}

Status SimulatedMessages::KeepLimit(std::shared_ptr<arrow::RecordBatch>* batch) {
  if (!rows_left_) return Status::OK();
  if ((*batch)->num_rows() > *rows_left_) *batch = (*batch)->Slice(0, *rows_left_);
  *rows_left_ -= (*batch)->num_rows();
  return Status::OK();
}

SimulatedMessage SimulatedMessages::Message(std::shared_ptr<arrow::RecordBatch> batch,
                                            bool complete) {
  return {.batch = std::move(batch), .metadata = RangesMetadata(open_.ranges, complete)};
}

SimulatedMessage SimulatedMessages::KeepAlive() {
  quiet_ = true;
  return Message(rows_.Empty().ValueOrDie(), false);
}

}  // namespace amp
