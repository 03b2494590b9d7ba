#include "scenario/model_server.h"

#include <algorithm>

namespace amp::testing {

ModelConnection::ModelConnection(const ModelChain* chain, std::mt19937_64* random,
                                 const BlockRanges& resume)
    : chain_(chain), random_(random), positions_(chain->networks().size()) {
  for (size_t i = 0; i < positions_.size(); ++i) {
    const BlockRange* range = FindRange(resume, chain->networks()[i].name);
    if (range != nullptr) positions_[i].end = KeyOf(range->hash);
  }
}

uint64_t ModelConnection::Draw(uint64_t most) { return (*random_)() % (most + 1); }

bool ModelConnection::Orphaned() const {
  for (size_t i = 0; i < positions_.size(); ++i) {
    if (positions_[i].end && !chain_->IsCanonical(i, *positions_[i].end)) return true;
  }
  return false;
}

std::optional<ModelMessage> ModelConnection::Next() {
  // A server may finish a microbatch whose blocks it does not know to be orphaned yet.
  if (open_ && Orphaned() && Chance(80)) open_.reset();
  if (!open_ && watermark_ && Chance(15)) {
    ModelMessage repeat = *watermark_;
    if (Chance(50)) repeat.rows.clear();
    return repeat;
  }
  if (!open_ && !Begin()) return std::nullopt;
  return Piece();
}

bool ModelConnection::Begin() {
  const bool reorg = Orphaned();
  Open open;
  for (size_t i = 0; i < positions_.size(); ++i) {
    auto range = NextRange(i, reorg, &open.rows);
    if (!range) return false;
    open.ranges.push_back(*std::move(range));
  }
  const auto still = [&](size_t i) { return open.ranges[i] == positions_[i].range; };
  size_t standing = 0;
  for (size_t i = 0; i < positions_.size(); ++i) standing += still(i) ? 1 : 0;
  if (standing == positions_.size()) return false;
  for (size_t i = 0; i < positions_.size(); ++i) {
    positions_[i] = {
        .range = open.ranges[i], .end = KeyOf(open.ranges[i].hash), .moved = !still(i)};
  }
  open_ = std::move(open);
  watermark_.reset();
  return true;
}

std::optional<BlockRange> ModelConnection::NextRange(size_t network, bool reorg,
                                                     std::vector<RowKey>* rows) {
  const Position& at = positions_[network];
  const uint64_t origin = chain_->networks()[network].origin;
  if (!at.end) return Blocks(network, origin, rows);
  if (!chain_->IsCanonical(network, *at.end)) {
    return Blocks(network, ReorgStart(network, *at.end), rows);
  }
  // A network that stands still repeats its range, without its rows; where another one is
  // reorganised, a server may as well take back the whole microbatch and send them again.
  const bool news = NumberOf(*at.end) + 1 < chain_->networks()[network].next();
  if (at.range && (!news || Chance(reorg ? 60 : 20))) {
    if (reorg && at.moved && Chance(30)) {
      const auto again = chain_->RowsOf(network, at.range->start, at.range->end);
      rows->insert(rows->end(), again.begin(), again.end());
    }
    return at.range;
  }
  return Blocks(network, NumberOf(*at.end) + 1, rows);
}

std::optional<BlockRange> ModelConnection::Blocks(size_t network, uint64_t start,
                                                  std::vector<RowKey>* rows) {
  const uint64_t next = chain_->networks()[network].next();
  if (start >= next) return std::nullopt;
  const uint64_t end = start + Draw(std::min<uint64_t>(next - start - 1, 5));
  const auto more = chain_->RowsOf(network, start, end);
  rows->insert(rows->end(), more.begin(), more.end());
  return chain_->Range(network, start, end);
}

// Servers may say too little, or go back further than they need.
uint64_t ModelConnection::ReorgStart(size_t network, BlockKey end) {
  const uint64_t origin = chain_->networks()[network].origin;
  const uint64_t first = chain_->FirstAfterAncestor(network, end);
  if (Chance(20)) return first + Draw(NumberOf(end) - first);
  if (Chance(25)) return first - Draw(std::min<uint64_t>(first - origin, 4));
  return first;
}

ModelMessage ModelConnection::Piece() {
  ModelMessage message{.ranges = open_->ranges, .rows = {}};
  if (Chance(20)) return message;
  message.complete = Chance(50);
  const size_t count = message.complete ? open_->rows.size() : Draw(open_->rows.size());
  const auto end = open_->rows.begin() + static_cast<ptrdiff_t>(count);
  message.rows.assign(open_->rows.begin(), end);
  open_->rows.erase(open_->rows.begin(), end);
  if (message.complete) {
    open_.reset();
    watermark_ = message;
  }
  return message;
}

}  // namespace amp::testing
