#include "scenario/model_chain.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>

namespace amp::testing {
namespace {

BlockKey MakeKey(size_t network, uint64_t number, uint64_t fork) {
  return ((uint64_t{network} + 1) << (kForkBits + kNumberBits)) | (number << kForkBits) | fork;
}

}  // namespace

std::string HashOf(BlockKey key) { return fmt::format("0x{:x}", key); }
BlockKey KeyOf(const std::string& hash) { return std::strtoull(hash.c_str() + 2, nullptr, 16); }

void ModelChain::AddNetwork(const std::string& name, uint64_t origin) {
  networks_.push_back({.name = name, .origin = origin});
}

void ModelChain::Grow(size_t network, uint64_t blocks) {
  ModelNetwork& chain = networks_[network];
  for (uint64_t i = 0; i < blocks; ++i) {
    const BlockKey parent =
        chain.blocks.empty() ? MakeKey(network, chain.origin - 1, 0) : chain.blocks.back();
    const BlockKey key = MakeKey(network, chain.next(), chain.fork);
    parents_[key] = parent;
    chain.blocks.push_back(key);
  }
}

void ModelChain::Reorg(size_t network, uint64_t first) {
  ModelNetwork& chain = networks_[network];
  ++chain.fork;
  if (first < chain.next()) chain.blocks.resize(first - chain.origin);
}

std::optional<size_t> ModelChain::Find(const std::string& name) const {
  for (size_t i = 0; i < networks_.size(); ++i) {
    if (networks_[i].name == name) return i;
  }
  return std::nullopt;
}

BlockRange ModelChain::Range(size_t network, uint64_t start, uint64_t end) const {
  const ModelNetwork& chain = networks_[network];
  const BlockKey first = chain.blocks.at(start - chain.origin);
  return {.network = chain.name,
          .start = start,
          .end = end,
          .hash = HashOf(chain.blocks.at(end - chain.origin)),
          .prev_hash = start == 0 ? "" : HashOf(parents_.at(first))};
}

bool ModelChain::IsCanonical(size_t network, BlockKey key) const {
  const ModelNetwork& chain = networks_[network];
  const uint64_t number = NumberOf(key);
  return number < chain.next() && chain.blocks[number - chain.origin] == key;
}

uint64_t ModelChain::FirstAfterAncestor(size_t network, BlockKey key) const {
  const uint64_t origin = networks_[network].origin;
  while (NumberOf(key) >= origin && !IsCanonical(network, key)) {
    if (NumberOf(key) == origin) return origin;
    key = parents_.at(key);
  }
  return NumberOf(key) + 1;
}

bool ModelChain::Descends(BlockKey key, BlockKey ancestor) const {
  while (NumberOf(key) > NumberOf(ancestor)) key = parents_.at(key);
  return key == ancestor;
}

std::vector<RowKey> ModelChain::RowsOf(BlockKey key) const {
  const uint64_t most = static_cast<uint64_t>(most_rows_);
  const uint64_t count = rows_vary_ ? (NumberOf(key) * 7 + ForkOf(key)) % (most + 1) : most;
  std::vector<RowKey> rows;
  for (uint64_t i = 0; i < count; ++i) rows.push_back((key << 2) | i);
  return rows;
}

std::vector<RowKey> ModelChain::RowsOf(size_t network, uint64_t start, uint64_t end) const {
  std::vector<RowKey> rows;
  const ModelNetwork& chain = networks_[network];
  for (uint64_t number = start; number <= end; ++number) {
    const auto more = RowsOf(chain.blocks.at(number - chain.origin));
    rows.insert(rows.end(), more.begin(), more.end());
  }
  return rows;
}

std::vector<RowKey> ModelChain::RowsUpTo(const BlockRanges& ends) const {
  std::vector<RowKey> rows;
  for (const BlockRange& range : ends) {
    const uint64_t origin = networks_[*Find(range.network)].origin;
    for (BlockKey key = KeyOf(range.hash);; key = parents_.at(key)) {
      const auto more = RowsOf(key);
      rows.insert(rows.end(), more.begin(), more.end());
      if (NumberOf(key) == origin) break;
    }
  }
  std::sort(rows.begin(), rows.end());
  return rows;
}

}  // namespace amp::testing
