#include "cli/metrics.h"

namespace amp::cli {

Result<std::unique_ptr<ServedMetrics>> ServedMetrics::Start(const std::string& where) {
  auto served = std::make_unique<ServedMetrics>();
  ARROW_ASSIGN_OR_RAISE(served->server, MetricsServer::Start(where, &served->metrics));
  return served;
}

LoadMetrics::LoadMetrics(const Context& context, const TableName& table) {
  if (context.metrics == nullptr) return;
  metrics_ = context.metrics->OfStream(table, "");
  // A load begins when both sides are there.
  metrics_->SetConnected(ErrorSide::kSource, true);
  metrics_->SetConnected(ErrorSide::kTarget, true);
}

void LoadMetrics::Update(const LoadProgress& progress) {
  if (metrics_ == nullptr) return;
  metrics_->AddRows(progress.rows - rows_, progress.bytes - bytes_);
  rows_ = progress.rows;
  bytes_ = progress.bytes;
}

EventMetrics::EventMetrics(const Context& context, const TableName& table,
                           const std::string& stream) {
  if (context.metrics == nullptr) return;
  metrics_ = context.metrics->OfStream(table, stream);
  metrics_->SetConnected(ErrorSide::kSource, false, "not connected yet");
  metrics_->SetConnected(ErrorSide::kTarget, false, "not connected yet");
}

void EventMetrics::Count(const StreamEvent& event) {
  if (metrics_ == nullptr) return;
  metrics_->SetQueueBytes(event.queued_bytes);
  switch (event.kind) {
    case StreamEvent::Kind::kCommit:
      metrics_->AddRows(event.rows, event.bytes);
      metrics_->AddCommit(event.latency);
      for (const BlockRange& range : event.checkpoint.watermark) metrics_->SetCommitted(range);
      break;
    case StreamEvent::Kind::kReorg:
      metrics_->AddReorg(event.undone.removed + event.undone.restored);
      break;
    case StreamEvent::Kind::kRetry:
      metrics_->AddRetry(ErrorInfoOf(event.failure));
      metrics_->SetConnected(ErrorInfoOf(event.failure).side, false, event.failure.message());
      break;
    case StreamEvent::Kind::kConnected:
      metrics_->SetConnected(ErrorSide::kSource, true);
      metrics_->SetConnected(ErrorSide::kTarget, true);
      break;
  }
}

}  // namespace amp::cli
