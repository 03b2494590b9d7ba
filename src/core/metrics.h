#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "amp/error.h"
#include "amp/export.h"
#include "amp/stream.h"

namespace amp {

class Metrics;

/// The counters of one stream. Made by Metrics, which it must not outlive; its numbers stay when it
/// goes. May be used from several threads.
class AMP_EXPORT StreamMetrics {
 public:
  StreamMetrics(const StreamMetrics&) = delete;
  StreamMetrics& operator=(const StreamMetrics&) = delete;
  /// The stream has ended: whether it is connected no longer matters.
  ~StreamMetrics();

  /// Rows that were written, and their Arrow bytes.
  void AddRows(int64_t rows, int64_t bytes);
  void AddCommit(std::chrono::nanoseconds latency);
  /// A reorganisation, and the rows that its undo removed.
  void AddReorg(int64_t undone_rows);
  /// Something that failed, and will be tried again.
  void AddRetry(const ErrorInfo& error);
  /// What is read and waits to be written.
  void SetQueueBytes(int64_t bytes);
  /// The newest block of a network whose rows are committed, and its time.
  void SetCommitted(const BlockRange& newest);
  /// `why` is shown by /readyz while there is no connection; without secrets.
  void SetConnected(ErrorSide side, bool connected, std::string why = {});

 private:
  friend class Metrics;
  struct Impl;
  explicit StreamMetrics(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

/// What can be counted about a process. Names begin with `ampload_`, units are seconds and bytes.
class AMP_EXPORT Metrics {
 public:
  Metrics();
  Metrics(const Metrics&) = delete;
  Metrics& operator=(const Metrics&) = delete;
  ~Metrics();

  /// The counters of a stream; asked for again, they go on.
  std::unique_ptr<StreamMetrics> OfStream(const std::string& table, const std::string& stream);

  /// All of them in Prometheus' text format, version 0.0.4.
  std::string PrometheusText() const;
  /// Why the process is not ready, a line each; empty when every stream has its source and target.
  std::string NotReady() const;

 private:
  friend class StreamMetrics;
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace amp
