#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>

#include "amp/error.h"
#include "amp/export.h"
#include "sources/simulated/options.h"

namespace amp {

/// An Arrow Flight SQL server that speaks the Amp streaming protocol over simulated chains. Serves
/// from threads of its own until it is stopped or destroyed.
class AMP_EXPORT SimulatedServer {
 public:
  /// ConfigInvalid for options that do not fit; Unavailable where the port cannot be had.
  static Result<std::unique_ptr<SimulatedServer>> Start(const SimulationOptions& options);
  SimulatedServer(const SimulatedServer&) = delete;
  SimulatedServer& operator=(const SimulatedServer&) = delete;
  ~SimulatedServer();

  int port() const;
  /// Such as "grpc://127.0.0.1:1602".
  std::string url() const;
  uint64_t streams() const;   ///< opened so far
  uint64_t messages() const;  ///< sent so far
  /// Has a stream been sent everything, and ended (`SimulationOptions::end`)?
  bool ended() const;
  /// Ends open streams with Unavailable and waits for them.
  Status Stop();

 private:
  class Flight;
  explicit SimulatedServer(std::unique_ptr<Flight> flight);
  std::unique_ptr<Flight> flight_;
};

/// The rows of a query over the canonical chain at its end, when all events have happened. Needs
/// `SimulationOptions::blocks`. Single networks: in the order of blocks; several: in pieces.
AMP_EXPORT Result<std::shared_ptr<arrow::RecordBatchReader>> CanonicalRows(
    const std::string& sql, const SimulationOptions& options);

/// Writes them as a Parquet file; returns how many there are.
AMP_EXPORT Result<int64_t> WriteCanonicalRows(const std::string& sql,
                                              const SimulationOptions& options,
                                              const std::string& path);

}  // namespace amp
