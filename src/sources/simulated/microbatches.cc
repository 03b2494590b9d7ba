#include "sources/simulated/microbatches.h"

#include <fmt/format.h>

#include <algorithm>

namespace amp {
namespace {

constexpr std::string_view kZeroHash =
    "0x0000000000000000000000000000000000000000000000000000000000000000";

size_t IndexOf(const std::vector<std::string>& names, const std::string& name) {
  return static_cast<size_t>(std::find(names.begin(), names.end(), name) - names.begin());
}

Status BadResume(std::string message) {
  return MakeError(ErrorKind::kConfigInvalid, "amp-resume: " + std::move(message));
}

}  // namespace

MicrobatchPlanner::MicrobatchPlanner(const Simulation* simulation, const SimulatedQuery& query,
                                     bool bounded, uint64_t seed)
    : simulation_(simulation), query_(query), bounded_(bounded), seed_(Mix(seed)) {
  for (const std::string& network : query_.networks) {
    networks_.push_back(IndexOf(simulation_->options().networks, network));
  }
  progress_.resize(networks_.size());
  before_ = progress_;
  baseline_.resize(networks_.size());
}

Result<uint64_t> MicrobatchPlanner::Resume(const std::vector<ResumePoint>& points) {
  uint64_t tick = 0;
  for (const ResumePoint& point : points) {
    const size_t i = IndexOf(query_.networks, point.network);
    if (i == networks_.size()) {
      return BadResume(fmt::format("the query has no network '{}'", point.network));
    }
    const auto block = simulation_->chains()[networks_[i]].Find(point.number, point.hash);
    if (!block || block->event >= simulation_->options().blocks.value_or(block->event + 1)) {
      return BadResume(
          fmt::format("{} never had a block {} with hash {}; is it the chain of another --seed?",
                      point.network, point.number, point.hash));
    }
    progress_[i] = {.end = point.number, .events = block->event + 1};
    tick = std::max(tick, simulation_->TickOf(networks_[i], block->event + 1));
  }
  for (size_t i = 0; i < networks_.size(); ++i) {
    if (!points.empty() && !progress_[i].end) {
      return BadResume(fmt::format("network '{}' is missing", query_.networks[i]));
    }
    baseline_[i] = progress_[i].end;
  }
  before_ = progress_;
  return tick;
}

std::optional<uint64_t> MicrobatchPlanner::FinalBlock() const {
  uint64_t last = query_.last_block;
  if (const auto& blocks = simulation_->options().blocks) last = std::min(last, *blocks - 1);
  if (last == std::numeric_limits<uint64_t>::max()) return std::nullopt;
  return last;
}

// Can no event replace the final block any more?
bool MicrobatchPlanner::Settled(size_t i, uint64_t events) const {
  const auto& blocks = simulation_->options().blocks;
  const uint64_t depth = simulation_->chains()[networks_[i]].reorg_depth();
  return bounded_ || (blocks && events >= *blocks) || events > *FinalBlock() + depth;
}

void MicrobatchPlanner::Limit(size_t i, uint64_t events, Span* span) const {
  const auto final_block = FinalBlock();
  uint64_t count = events;  // of blocks that may be sent, from 0 on
  if (final_block && count > *final_block) {
    count = Settled(i, events) ? *final_block + 1 : *final_block;
  }
  span->any = count > span->start;
  span->last = span->end = count - (count > 0 ? 1 : 0);
}

MicrobatchPlanner::Span MicrobatchPlanner::SpanOf(size_t i, uint64_t events) {
  const Progress& now = progress_[i];
  Span span{.start = query_.first_block};
  if (now.end) {
    const auto lowest = simulation_->chains()[networks_[i]].LowestMade(now.events, events);
    span.reorg = lowest && *lowest <= *now.end;
    span.start =
        span.reorg ? std::max(*lowest, std::min(query_.first_block, *now.end)) : *now.end + 1;
  }
  Limit(i, events, &span);
  if (span.reorg) MakeShallow(i, &span);
  return span;
}

void MicrobatchPlanner::MakeShallow(size_t i, Span* span) {
  const uint64_t end = *progress_[i].end;
  // The client has seen the ranges of what was abandoned: starting later than they do were a gap.
  if (abandoned_) return;
  if (end <= span->start || !Happens(Random(), simulation_->options().shallow_rate)) return;
  span->start += 1 + Random() % (end - span->start);
  span->any = span->start <= span->last;
}

// Forgets what the reorgs undo; returns where what remains ends.
MicrobatchPlanner::Ends MicrobatchPlanner::UndoHistory(const std::vector<Span>& spans) {
  const auto hit = [&](const Ends& ends) {
    for (size_t i = 0; i < spans.size(); ++i) {
      if (spans[i].reorg && ends[i] && *ends[i] >= spans[i].start) return true;
    }
    return false;
  };
  while (!history_.empty() && hit(history_.back())) history_.pop_back();
  return history_.empty() ? baseline_ : history_.back();
}

void MicrobatchPlanner::StartOver(std::vector<Span>* spans, const std::vector<uint64_t>& events) {
  if (std::none_of(spans->begin(), spans->end(), [](const Span& s) { return s.reorg; })) return;
  const Ends remaining = UndoHistory(*spans);
  const bool goes_on = !abandoned_ && Random() % 2 == 0;
  for (size_t i = 0; i < spans->size(); ++i) {
    Span& span = (*spans)[i];
    // After an abandoned microbatch, a network that had started over in it does so again.
    const bool undone = remaining[i] != progress_[i].end && (!span.reorg || abandoned_);
    // A network that cannot go on would repeat its range without the rows that were undone.
    if (!undone || (goes_on && span.any)) continue;
    const uint64_t after = remaining[i] ? *remaining[i] + 1 : query_.first_block;
    span.start = span.reorg ? std::min(span.start, after) : after;
    Limit(i, events[i], &span);
  }
}

void MicrobatchPlanner::Cut(std::vector<Span>* spans) {
  const SimulationOptions& options = simulation_->options();
  for (Span& span : *spans) {
    if (!span.any) continue;
    const uint64_t there = span.last - span.start + 1;
    const bool far = bounded_ || there > 2 * options.microbatch_blocks;
    const uint64_t size = far ? options.catch_up_blocks : 1 + Random() % options.microbatch_blocks;
    span.end = span.start + std::min(there, size) - 1;
  }
}

// All networks get their final block at once: a client that resumes must be sent a range of each,
// and nothing could be said of one that is complete. Returns whether that holds a network back.
bool MicrobatchPlanner::WithholdFinal(std::vector<Span>* spans) const {
  const auto final_block = FinalBlock();
  const auto reaches = [&](size_t i) {
    const Span& span = (*spans)[i];
    return span.any ? span.end == *final_block : progress_[i].end == final_block;
  };
  if (bounded_ || !final_block) return false;
  size_t reaching = 0;
  for (size_t i = 0; i < spans->size(); ++i) reaching += reaches(i) ? 1 : 0;
  if (reaching == spans->size()) return false;
  bool holds = false;
  for (size_t i = 0; i < spans->size(); ++i) {
    Span& span = (*spans)[i];
    if (!span.any || !reaches(i)) continue;
    span.any = span.start < span.end;
    span.end -= span.any ? 1 : 0;
    holds = holds || !span.any;
  }
  return holds;
}

// Does something advance, and is there a range for each network?
bool MicrobatchPlanner::Presentable(const std::vector<Span>& spans) const {
  bool any = false;
  for (size_t i = 0; i < spans.size(); ++i) {
    any = any || spans[i].any;
    if (!bounded_ && !spans[i].any && !progress_[i].range) return false;
  }
  return any;
}

std::optional<Microbatch> MicrobatchPlanner::Next(uint64_t tick) {
  std::vector<uint64_t> events;
  std::vector<Span> spans;
  for (size_t i = 0; i < networks_.size(); ++i) {
    events.push_back(simulation_->Events(networks_[i], tick));
    spans.push_back(SpanOf(i, events.back()));
  }
  StartOver(&spans, events);
  std::vector<Span> whole = spans;
  Cut(&spans);
  const bool held = WithholdFinal(&spans);
  if (held && !Presentable(spans)) {
    // After a resume, with one network at the last block but one: all that is left, at once.
    if (WithholdFinal(&whole)) return std::nullopt;
    spans = std::move(whole);
  }
  if (!Presentable(spans)) return std::nullopt;
  before_ = progress_;
  abandoned_ = false;
  return Build(spans, events);
}

Microbatch MicrobatchPlanner::Build(const std::vector<Span>& spans,
                                    const std::vector<uint64_t>& events) {
  Microbatch batch;
  for (size_t i = 0; i < spans.size(); ++i) {
    const Span& span = spans[i];
    Progress& now = progress_[i];
    if (!span.any) {
      if (now.range) batch.ranges.push_back(*now.range);
      continue;
    }
    const SimulatedChain& chain = simulation_->chains()[networks_[i]];
    BlockRun run{.chain = &chain, .blocks = chain.Blocks(span.start, span.end, events[i])};
    if (now.end && span.start == *now.end + 1) batch.continues = batch.ranges.size();
    now = {.end = span.end, .events = events[i], .range = RangeOf(chain, run)};
    batch.ranges.push_back(*now.range);
    std::erase_if(run.blocks, [&](const auto& b) { return b.height < query_.first_block; });
    batch.runs.push_back(std::move(run));
  }
  return batch;
}

BlockRange MicrobatchPlanner::RangeOf(const SimulatedChain& chain, const BlockRun& run) const {
  const SimulationOptions& options = simulation_->options();
  const SimulatedBlock& first = run.blocks.front();
  const SimulatedBlock& last = run.blocks.back();
  BlockRange range{.network = chain.network(),
                   .start = first.height,
                   .end = last.height,
                   .hash = ToText(chain.Hash(last)),
                   .prev_hash = ToText(chain.ParentHash(first))};
  // Servers may leave it out there, or send zeros.
  if (first.height == 0) range.prev_hash = options.seed % 2 == 0 ? "" : kZeroHash;
  range.timestamp = options.base_time + static_cast<int64_t>(last.height) * options.block_seconds;
  return range;
}

void MicrobatchPlanner::Complete() {
  Ends ends;
  for (const Progress& now : progress_) ends.push_back(now.end);
  history_.push_back(std::move(ends));
  before_ = progress_;
  ForgetFinal();
}

void MicrobatchPlanner::ForgetFinal() {
  const auto final_now = [&](const Ends& ends) {
    for (size_t i = 0; i < ends.size(); ++i) {
      const uint64_t depth = simulation_->chains()[networks_[i]].reorg_depth();
      if (ends[i] && *ends[i] + depth >= progress_[i].events) return false;
    }
    return true;
  };
  while (!history_.empty() && final_now(history_.front())) {
    baseline_ = std::move(history_.front());
    history_.pop_front();
  }
}

bool MicrobatchPlanner::Orphaned(uint64_t tick) const {
  for (size_t i = 0; i < networks_.size(); ++i) {
    const Progress& now = progress_[i];
    const auto lowest = simulation_->chains()[networks_[i]].LowestMade(
        now.events, simulation_->Events(networks_[i], tick));
    if (now.end && lowest && *lowest <= *now.end) return true;
  }
  return false;
}

void MicrobatchPlanner::Abandon() {
  progress_ = before_;
  abandoned_ = true;
}

bool MicrobatchPlanner::Finished() const {
  const auto final_block = FinalBlock();
  return final_block && std::all_of(progress_.begin(), progress_.end(), [&](const Progress& now) {
           return now.end && *now.end >= *final_block;
         });
}

}  // namespace amp
