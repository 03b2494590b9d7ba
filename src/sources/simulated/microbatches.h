#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/stream.h"
#include "sources/simulated/query.h"
#include "sources/simulated/simulation.h"

namespace amp {

/// Where a client wants to go on: after this block.
struct ResumePoint {
  std::string network;
  uint64_t number = 0;
  std::string hash;
};

/// Block ranges, one a network, and the blocks whose rows belong to them. A network that has not
/// advanced has its last range again, and no blocks.
struct Microbatch {
  std::vector<BlockRange> ranges;
  std::vector<BlockRun> runs;
  /// A range that continues the last one of its network, if any does so beyond block 0.
  std::optional<size_t> continues;
};

/// Decides what one connection is sent next. No I/O, no clock: the tick is given.
///
/// Every network starts where the connection's last range of it ends; at the lowest block that was
/// replaced, where that range is no longer canonical. In a stream of several networks, the others'
/// rows in the microbatches which such a reorg undoes are lost to the client with them: those
/// networks start over where the remaining microbatches end, or go on as if nothing had happened,
/// so that the client has to reconnect. Both occur.
class MicrobatchPlanner {
 public:
  /// `bounded`: what is canonical at one tick, then nothing more.
  MicrobatchPlanner(const Simulation* simulation, const SimulatedQuery& query, bool bounded,
                    uint64_t seed);

  /// Goes on after these blocks, one of each network. Returns the tick that has been, if a client
  /// can know of them. ConfigInvalid for networks that do not fit, or blocks that never were.
  Result<uint64_t> Resume(const std::vector<ResumePoint>& points);

  /// The next microbatch, none where nothing has changed since the last one.
  std::optional<Microbatch> Next(uint64_t tick);
  /// The last one has been sent whole.
  void Complete();
  /// Is a block of the last one no longer canonical?
  bool Orphaned(uint64_t tick) const;
  /// The last one is not sent any further: its networks go on from where they were before it.
  void Abandon();
  /// Has everything been planned that there will ever be?
  bool Finished() const;

 private:
  /// What the client has of a network: the chain after `events` events, up to block `end`.
  struct Progress {
    std::optional<uint64_t> end = {};
    uint64_t events = 0;
    std::optional<BlockRange> range = {};  ///< not known after a resume
    friend bool operator==(const Progress&, const Progress&) = default;
  };
  /// Blocks that could come next: none where start > last.
  struct Span {
    uint64_t start = 0;
    uint64_t last = 0;
    uint64_t end = 0;
    bool any = false;
    bool reorg = false;
  };
  using Ends = std::vector<std::optional<uint64_t>>;

  uint64_t Random() { return Mix(seed_ + ++draws_); }
  std::optional<uint64_t> FinalBlock() const;
  bool Settled(size_t i, uint64_t events) const;
  Span SpanOf(size_t i, uint64_t events);
  void Limit(size_t i, uint64_t events, Span* span) const;
  void MakeShallow(size_t i, Span* span);
  void StartOver(std::vector<Span>* spans, const std::vector<uint64_t>& events);
  Ends UndoHistory(const std::vector<Span>& spans);
  void Cut(std::vector<Span>* spans);
  bool WithholdFinal(std::vector<Span>* spans) const;
  bool Presentable(const std::vector<Span>& spans) const;
  Microbatch Build(const std::vector<Span>& spans, const std::vector<uint64_t>& events);
  BlockRange RangeOf(const SimulatedChain& chain, const BlockRun& run) const;
  void ForgetFinal();

  const Simulation* simulation_;
  SimulatedQuery query_;
  bool bounded_;
  uint64_t seed_;
  uint64_t draws_ = 0;
  std::vector<size_t> networks_;  ///< of the simulation, in the query's order
  std::vector<Progress> progress_, before_;
  bool abandoned_ = false;    ///< the last microbatch was left open
  Ends baseline_;             ///< where each network stood before the oldest in the history
  std::deque<Ends> history_;  ///< ends of the microbatches sent whole that a reorg can still reach
};

}  // namespace amp
