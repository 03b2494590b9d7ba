#pragma once

#include <arrow/api.h>

#include <string>
#include <vector>

namespace amp::testing {

/// Parquet files of real chains where the build was pointed to some (AMPLOAD_TEST_DATA).
std::vector<std::string> RealFiles();
/// "…/eth_rpc/logs.parquet" → "eth_rpc_logs"
std::string NameOf(const std::string& path);
/// Read by Arrow's own Parquet reader, not by Ampload's.
std::shared_ptr<arrow::Table> ReadParquet(const std::string& path);

}  // namespace amp::testing
