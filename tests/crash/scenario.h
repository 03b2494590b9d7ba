#pragma once

#include <memory>
#include <string>
#include <vector>

#include "amp/error.h"
#include "cli/ampload_process.h"
#include "sources/simulated/server.h"

/// A chain that reorganises itself a lot, the real server of it, and the rows that must be there in
/// the end.
namespace amp::testing {

/// A row's cells, joined: numbers, texts, bytes in hex, times in nanoseconds; `\N` for null.
using Lines = std::vector<std::string>;

struct Scenario {
  std::string name;
  SimulationOptions options;
  std::string sql = "SELECT * FROM logs";
  std::vector<std::string> mode = {};  ///< options of `ampload stream`
};

/// Blocks with reorgs, in small microbatches, with all that a server may do on the way.
SimulationOptions RestlessChain(uint64_t seed, uint64_t blocks);
/// The same options for `ampload simulate`.
std::vector<std::string> SimulateArguments(const SimulationOptions& options);

/// `ampload simulate` as a process of its own.
class AmpServer {
 public:
  explicit AmpServer(SimulationOptions options, std::vector<std::string> more = {});
  void Kill();
  /// Again, on the same port.
  void Start();
  std::string url() const { return "grpc://127.0.0.1:" + std::to_string(options_.port); }

 private:
  SimulationOptions options_;
  std::vector<std::string> more_;
  std::unique_ptr<AmploadProcess> process_;
};

/// The columns of a query, and its rows over the canonical chain at its end, sorted.
Result<std::shared_ptr<arrow::Schema>> CanonicalSchema(const Scenario& scenario);
Result<Lines> CanonicalLines(const Scenario& scenario);

/// Equal, saying the first difference where not. Both are sorted.
void ExpectSameLines(const Lines& found, const Lines& wanted);

}  // namespace amp::testing
