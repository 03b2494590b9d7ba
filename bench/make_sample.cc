// Writes event logs of an invented chain as a Parquet file: --out FILE --rows N.

#include "sources/simulated/sample_chain.h"
#include "support/arguments.h"

namespace amp::bench {
namespace {

constexpr int64_t kLogsPerBlock = 20;

Status MakeSample(const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, arguments.Text("out"));
  ARROW_ASSIGN_OR_RAISE(const int64_t wanted, arguments.Count("rows"));
  const SampleChain chain{.blocks = (wanted + kLogsPerBlock - 1) / kLogsPerBlock,
                          .logs_per_block = kLogsPerBlock};
  return WriteSampleLogs(chain, path).status();
}

}  // namespace
}  // namespace amp::bench

int main(int argc, char** argv) {
  return amp::bench::RunProgram(argc, argv, amp::bench::MakeSample);
}
