#pragma once

#include <atomic>
#include <chrono>
#include <optional>
#include <random>

#include "amp/loader.h"

namespace amp {

/// May the same call succeed later? Decided by the error's kind alone.
AMP_EXPORT bool IsPassing(const Status& status);

/// The pauses between tries: doubling, with jitter, and only so many in a row.
class AMP_EXPORT Backoff {
 public:
  explicit Backoff(const PipelineOptions& options);

  /// The pause before the next try; none when there have been enough.
  std::optional<std::chrono::milliseconds> Next();
  /// Something has worked: budget and pause begin anew.
  void Reset() { failures_ = 0; }
  int failures() const { return failures_; }

 private:
  int tries_;
  std::chrono::milliseconds first_, longest_;
  int failures_ = 0;
  std::mt19937_64 random_;
};

/// Sleeps, but not on once `stop` is true (null: never).
AMP_EXPORT void SleepUnless(const std::atomic<bool>* stop, std::chrono::milliseconds pause);

}  // namespace amp
