#include "pipeline/backoff.h"

#include <algorithm>
#include <cmath>
#include <thread>

namespace amp {

bool IsPassing(const Status& status) {
  const ErrorInfo info = ErrorInfoOf(status);
  switch (info.kind) {
    case ErrorKind::kRateLimited:
    case ErrorKind::kCommitUnknown:  // the checkpoint that is read again tells what became of it
      return true;
    case ErrorKind::kUnavailable:
    case ErrorKind::kConflict:
    case ErrorKind::kUnauthenticated:  // a token that has expired, where there is a new one by now
      return info.retryable;
    default:
      return false;
  }
}

Backoff::Backoff(const PipelineOptions& options)
    : tries_(options.retry_tries),
      first_(options.retry_delay),
      longest_(options.retry_max_delay),
      random_(std::random_device{}()) {}

std::optional<std::chrono::milliseconds> Backoff::Next() {
  if (++failures_ >= tries_) return std::nullopt;
  const double doubled =
      static_cast<double>(first_.count()) * std::pow(2.0, std::min(failures_ - 1, 40));
  const double pause = std::min(doubled, static_cast<double>(longest_.count()));
  // Many clients of a server that comes back must not all ask at once.
  std::uniform_real_distribution<double> jitter(0.5, 1.5);
  return std::chrono::milliseconds(static_cast<int64_t>(pause * jitter(random_)));
}

void SleepUnless(const std::atomic<bool>* stop, std::chrono::milliseconds pause) {
  using Clock = std::chrono::steady_clock;
  constexpr std::chrono::milliseconds kLongestWait{100};
  const auto end = Clock::now() + pause;
  while (!(stop != nullptr && stop->load()) && Clock::now() < end) {
    std::this_thread::sleep_for(std::min<Clock::duration>(
        kLongestWait, std::max(Clock::duration::zero(), end - Clock::now())));
  }
}

}  // namespace amp
