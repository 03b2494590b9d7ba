#include "pipeline/result_facts.h"

#include <cmath>

namespace amp {

double SecondsSince(std::chrono::steady_clock::time_point start) {
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

double RoundedTo2(double value) { return std::round(value * 100) / 100; }

double RowsPerSecond(int64_t rows, double seconds) {
  return seconds > 0 ? RoundedTo2(static_cast<double>(rows) / seconds) : 0;
}

void SetOutcome(const Status& status, double seconds, LoadResult* result) {
  result->status = status;
  result->success = status.ok();
  result->error = status.message();
  result->duration_seconds = seconds;
  result->rows_per_second = RowsPerSecond(result->rows_loaded, seconds);
}

}  // namespace amp
