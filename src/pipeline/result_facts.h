#pragma once

#include <chrono>
#include <cstdint>

#include "amp/load_result.h"

/// What all results of loads say.
namespace amp {

double SecondsSince(std::chrono::steady_clock::time_point start);
double RoundedTo2(double value);
double RowsPerSecond(int64_t rows, double seconds);

/// Sets how it ended and how fast it was, from `rows_loaded`.
void SetOutcome(const Status& status, double seconds, LoadResult* result);

}  // namespace amp
