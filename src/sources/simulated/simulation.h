#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <functional>
#include <mutex>
#include <optional>
#include <vector>

#include "sources/simulated/chain.h"
#include "sources/simulated/options.h"

namespace amp {

/// The chains of all networks. Their events are one list: at each tick one network, in turn, has
/// its next event, so the state of everything follows from a tick.
class AMP_EXPORT Simulation {
 public:
  explicit Simulation(SimulationOptions options);

  const SimulationOptions& options() const { return options_; }
  const std::vector<SimulatedChain>& chains() const { return chains_; }

  /// How many events the network has had.
  uint64_t Events(size_t network, uint64_t tick) const;
  /// The first tick at which the network has had as many events.
  uint64_t TickOf(size_t network, uint64_t events) const;
  /// From here on nothing changes; none for a chain that grows without end.
  std::optional<uint64_t> LastTick() const;
  uint64_t FirstTick() const;

 private:
  SimulationOptions options_;
  std::vector<SimulatedChain> chains_;
};

/// Where a running simulation stands. Shared by all connections; only goes forward.
class SimulationClock {
 public:
  explicit SimulationClock(const Simulation* simulation);

  uint64_t Now();
  /// A client has seen this tick, so it has been.
  void MoveTo(uint64_t tick);
  /// Moves on by `step` unless the time between blocks is fixed.
  void Push(uint64_t step);
  /// A stream has sent all there is at `seen`: moves on, or waits for a while.
  void After(uint64_t seen, uint64_t step);
  /// Ends all waiting, for good.
  void Stop();
  bool stopped() const { return stopped_; }

 private:
  uint64_t Limit(uint64_t tick) const;

  const Simulation* simulation_;
  std::mutex mutex_;
  std::condition_variable changed_;
  uint64_t tick_;
  std::chrono::steady_clock::time_point since_ = std::chrono::steady_clock::now();
  std::atomic<bool> stopped_ = false;
};

}  // namespace amp
