#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <memory>

#include "amp/error.h"

namespace amp {

/// Event logs of an invented chain, with the columns and types of real ones. The same numbers give
/// the same rows.
struct SampleChain {
  uint64_t seed = 1;
  int64_t blocks = 1000;
  int64_t logs_per_block = 20;
};

AMP_EXPORT std::shared_ptr<arrow::Schema> SampleLogsSchema();
AMP_EXPORT Result<std::shared_ptr<arrow::RecordBatch>> MakeSampleLogs(const SampleChain& chain);

/// Writes the logs as a Parquet file; returns how many rows there are.
AMP_EXPORT Result<int64_t> WriteSampleLogs(const SampleChain& chain, const std::string& path);

}  // namespace amp
