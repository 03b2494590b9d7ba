#pragma once

#include <chrono>
#include <mutex>
#include <string>

#include "amp/loader.h"

namespace amp::cli {

/// Tells of a stream's events: one JSON object a line on stdout, or live progress on stderr.
class StreamReport {
 public:
  /// `name` is put into every line, where several streams run; else empty.
  StreamReport(std::string name, bool json, bool quiet);
  ~StreamReport();
  StreamReport(const StreamReport&) = delete;
  StreamReport& operator=(const StreamReport&) = delete;

  void Tell(const TableName& table, const StreamEvent& event);
  void Done(const LoadResult& result);

 private:
  using Clock = std::chrono::steady_clock;
  void DrawProgress(const StreamEvent& event);
  std::string ProgressLine(const StreamEvent& event) const;
  std::string ReorgsText() const;

  const std::string name_;
  const bool json_, quiet_, terminal_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  bool drawn_ = false;
  int64_t rows_ = 0, bytes_ = 0, undone_ = 0, reorgs_ = 0;
};

}  // namespace amp::cli
