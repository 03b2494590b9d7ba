#include "sources/simulated/simulation.h"

#include <algorithm>

namespace amp {
namespace {

// How long a stream without news waits before it looks whether its client is still there.
constexpr std::chrono::milliseconds kLook{20};

}  // namespace

Simulation::Simulation(SimulationOptions options) : options_(std::move(options)) {
  for (const std::string& network : options_.networks) {
    chains_.emplace_back(options_.seed, network, options_.reorg_rate, options_.reorg_depth);
  }
}

uint64_t Simulation::Events(size_t network, uint64_t tick) const {
  const size_t networks = chains_.size();
  const uint64_t events = (tick + networks - 1 - network) / networks;
  return options_.blocks ? std::min(events, *options_.blocks) : events;
}

uint64_t Simulation::TickOf(size_t network, uint64_t events) const {
  return (events - 1) * chains_.size() + network + 1;
}

std::optional<uint64_t> Simulation::LastTick() const {
  if (!options_.blocks) return std::nullopt;
  return *options_.blocks * chains_.size();
}

uint64_t Simulation::FirstTick() const {
  return std::min(options_.history, options_.blocks.value_or(options_.history)) * chains_.size();
}

SimulationClock::SimulationClock(const Simulation* simulation)
    : simulation_(simulation), tick_(simulation->FirstTick()) {}

uint64_t SimulationClock::Limit(uint64_t tick) const {
  return std::min(tick, simulation_->LastTick().value_or(tick));
}

uint64_t SimulationClock::Now() {
  const std::lock_guard lock(mutex_);
  if (const auto& block_time = simulation_->options().block_time) {
    const auto blocks = (std::chrono::steady_clock::now() - since_) / *block_time;
    since_ += blocks * *block_time;
    tick_ = Limit(tick_ + static_cast<uint64_t>(blocks) * simulation_->chains().size());
  }
  return tick_;
}

void SimulationClock::MoveTo(uint64_t tick) {
  const std::lock_guard lock(mutex_);
  tick_ = Limit(std::max(tick_, tick));
  changed_.notify_all();
}

void SimulationClock::Push(uint64_t step) {
  if (!simulation_->options().block_time) MoveTo(Now() + step);
}

void SimulationClock::After(uint64_t seen, uint64_t step) {
  std::unique_lock lock(mutex_);
  // Another stream may have moved it on.
  if (tick_ > seen || stopped_) return;
  const bool moves = !simulation_->options().block_time && Limit(tick_ + step) > tick_;
  if (moves) {
    tick_ = Limit(tick_ + step);
    changed_.notify_all();
  } else {
    changed_.wait_for(lock, kLook);
  }
}

void SimulationClock::Stop() {
  stopped_ = true;
  changed_.notify_all();
}

}  // namespace amp
