#pragma once

#include <chrono>
#include <optional>

#include "amp/loader.h"
#include "cli/command.h"

namespace amp::cli {

/// Live progress on stderr: one line that is drawn again and again on a terminal, else a line every
/// ten seconds, as --log-format has it.
class Progress {
 public:
  Progress(const CommonOptions& common, std::optional<int64_t> expected_rows);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// `also` ends the line.
  void Update(const LoadProgress& progress, const std::string& also = {});

 private:
  using Clock = std::chrono::steady_clock;
  std::string Line(const LoadProgress& progress, double seconds) const;

  const bool quiet_;
  const bool json_;
  const bool terminal_;
  const std::optional<int64_t> expected_rows_;
  const Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
  bool drawn_ = false;
};

}  // namespace amp::cli
