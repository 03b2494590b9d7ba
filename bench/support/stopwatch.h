#pragma once

#include <fmt/format.h>
#include <sys/resource.h>

#include <chrono>
#include <cstdint>
#include <cstdio>
#include <string_view>

namespace amp::bench {

/// What a stretch of work has cost: seconds by the clock, and of processor (user and system) by all
/// threads of this process.
struct Cost {
  double wall = 0;
  double cpu = 0;
};

/// Runs from when it is made.
class Stopwatch {
 public:
  Cost Elapsed() const {
    const std::chrono::duration<double> wall = std::chrono::steady_clock::now() - start_;
    return {wall.count(), CpuSeconds() - cpu_};
  }

 private:
  static double Seconds(const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  }
  static double CpuSeconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    return Seconds(usage.ru_utime) + Seconds(usage.ru_stime);
  }

  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
  double cpu_ = CpuSeconds();
};

/// The most memory that this process has had in RAM so far.
inline double PeakMebibytes() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

/// One run as a line of JSON on stdout, of which report.py makes the table. The process's peak
/// memory is the run's only where the process makes but one.
inline void PrintRun(std::string_view who, int64_t rows, const Cost& cost, bool only_run) {
  fmt::print(R"({{"who": "{}", "rows": {}, "wall": {:.6f}, "cpu": {:.6f})", who, rows, cost.wall,
             cost.cpu);
  if (only_run) fmt::print(R"(, "peak_mib": {:.1f})", PeakMebibytes());
  fmt::print("}}\n");
  std::fflush(stdout);
}

}  // namespace amp::bench
