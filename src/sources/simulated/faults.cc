// The rules that a simulated server breaks where `--fault` asks for it.

#include <arrow/record_batch.h>

#include "sources/simulated/messages.h"

namespace amp {
namespace {

constexpr std::string_view kWrongHash =
    "0xbadbadbadbadbadbadbadbadbadbadbadbadbadbadbadbadbadbadbadbadbad0";

// A range that continues the last one of its network, made wrong.
void BreakRange(SimulatedFault fault, BlockRange* range) {
  switch (fault) {
    case SimulatedFault::kGap:
      range->start += 1;
      range->end = std::max(range->start, range->end);
      break;
    case SimulatedFault::kWrongPrevHash:
      range->prev_hash = kWrongHash;
      break;
    case SimulatedFault::kReorgWithSameHash:
      // prev_hash is already that of the last block.
      range->start -= 1;
      break;
    case SimulatedFault::kMissingPrevHash:
      range->prev_hash.clear();
      break;
    case SimulatedFault::kEndBeforeStart:
      range->end = range->start - 1;
      break;
    default:
      break;
  }
}

bool IsOfOneRange(SimulatedFault fault) {
  return fault == SimulatedFault::kGap || fault == SimulatedFault::kWrongPrevHash ||
         fault == SimulatedFault::kReorgWithSameHash || fault == SimulatedFault::kMissingPrevHash ||
         fault == SimulatedFault::kEndBeforeStart;
}

std::shared_ptr<arrow::RecordBatch> WithAnotherSchema(const arrow::RecordBatch& batch) {
  const auto field = batch.schema()->field(0)->WithName("_another_name");
  auto schema = batch.schema()->SetField(0, field).ValueOrDie();
  return arrow::RecordBatch::Make(std::move(schema), batch.num_rows(), batch.columns());
}

}  // namespace

bool SimulatedMessages::FaultIsDue(SimulatedFault fault) const {
  return request_.stream && options().fault.fault == fault && !broken_ &&
         sent_ >= options().fault.after;
}

void SimulatedMessages::BreakRanges(Microbatch* batch) {
  const SimulatedFault fault = options().fault.fault;
  if (!FaultIsDue(fault)) return;
  if (IsOfOneRange(fault)) {
    if (!batch->continues) return;
    BreakRange(fault, &batch->ranges[*batch->continues]);
  } else if (fault == SimulatedFault::kTwoRangesOneNetwork) {
    batch->ranges.push_back(batch->ranges.front());
  } else if (fault == SimulatedFault::kNetworkSetChanges && sent_ > 0) {
    batch->ranges.push_back(batch->ranges.front());
    batch->ranges.back().network += "-other";
  } else {
    return;
  }
  broken_ = true;
}

void SimulatedMessages::BreakMessage(SimulatedMessage* message) {
  if (FaultIsDue(SimulatedFault::kBadJson)) {
    message->metadata = R"({"ranges":[{"network":)";
  } else if (FaultIsDue(SimulatedFault::kNoMetadata)) {
    message->metadata.clear();
  } else if (FaultIsDue(SimulatedFault::kSchemaChange)) {
    message->new_schema = another_schema_ = true;
  } else {
    if (another_schema_) {
      message->batch = WithAnotherSchema(*message->batch);
      // Arrow's client reads a stream that it cannot understand to its end before it says so.
      stage_ = Stage::kEnded;
    }
    return;
  }
  if (another_schema_) message->batch = WithAnotherSchema(*message->batch);
  broken_ = true;
}

}  // namespace amp
