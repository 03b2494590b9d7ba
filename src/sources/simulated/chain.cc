#include "sources/simulated/chain.h"

#include <algorithm>
#include <bit>
#include <cctype>
#include <cstring>

#include "core/text.h"

namespace amp {
namespace {

enum Purpose : uint64_t { kReorg = 1, kDepth, kBlock, kHash };

// Fowler-Noll-Vo, 1a: only to tell networks apart.
uint64_t NameKey(std::string_view name) {
  uint64_t key = 0xCBF29CE484222325ULL;
  for (const char c : name) key = (key ^ static_cast<uint8_t>(c)) * 0x100000001B3ULL;
  return key;
}

uint64_t KeyOf(uint64_t seed, Purpose purpose, uint64_t number) {
  return Mix(Mix(seed + purpose) ^ Mix(number));
}

}  // namespace

bool Happens(uint64_t key, double rate) {
  // 53 bits, as many as a double holds.
  return static_cast<double>(key >> 11) < rate * 9007199254740992.0;
}

std::string ToText(const BlockHash& hash) {
  std::string text = "0x";
  AppendHex(hash.data(), hash.size(), &text);
  return text;
}

SimulatedChain::SimulatedChain(uint64_t seed, std::string network, double reorg_rate,
                               uint64_t reorg_depth)
    : network_(std::move(network)),
      seed_(Mix(seed) ^ NameKey(network_)),
      reorg_rate_(reorg_rate),
      reorg_depth_(reorg_rate > 0 ? reorg_depth : 0) {}

uint64_t SimulatedChain::Depth(uint64_t event) const {
  const uint64_t deepest = std::min(reorg_depth_, event == 0 ? 0 : event - 1);
  if (deepest == 0 || !Happens(KeyOf(seed_, kReorg, event), reorg_rate_)) return 0;
  return 1 + KeyOf(seed_, kDepth, event) % deepest;
}

std::vector<SimulatedBlock> SimulatedChain::Blocks(uint64_t first, uint64_t last,
                                                   uint64_t events) const {
  std::vector<SimulatedBlock> blocks(last - first + 1);
  // From the latest event back: a height belongs to the first event met that made a block there.
  uint64_t known_from = last + 1;
  for (uint64_t event = std::min(events - 1, last + reorg_depth_); known_from > first; --event) {
    const uint64_t lowest = std::max(first, event - Depth(event));
    for (; known_from > lowest; --known_from) {
      blocks[known_from - 1 - first] = {.height = known_from - 1, .event = event};
    }
  }
  return blocks;
}

SimulatedBlock SimulatedChain::At(uint64_t height, uint64_t events) const {
  return Blocks(height, height, events).front();
}

std::optional<uint64_t> SimulatedChain::LowestMade(uint64_t from, uint64_t to) const {
  if (from >= to) return std::nullopt;
  uint64_t lowest = from;
  // Later events do not reach further down.
  const uint64_t last = std::min(to - 1, from + reorg_depth_);
  for (uint64_t event = from; event <= last; ++event) {
    lowest = std::min(lowest, event - Depth(event));
  }
  return lowest;
}

uint64_t SimulatedChain::Key(const SimulatedBlock& block) const {
  return KeyOf(KeyOf(seed_, kBlock, block.height), kBlock, block.event);
}

BlockHash SimulatedChain::Hash(const SimulatedBlock& block) const {
  const uint64_t key = KeyOf(Key(block), kHash, 0);
  BlockHash hash;
  for (size_t i = 0; i < hash.size() / 8; ++i) {
    const uint64_t word = Mix(key + i);
    std::memcpy(hash.data() + i * 8, &word, 8);
  }
  return hash;
}

BlockHash SimulatedChain::ParentHash(const SimulatedBlock& block) const {
  if (block.height == 0) return BlockHash{};
  return Hash(At(block.height - 1, block.event + 1));
}

std::optional<SimulatedBlock> SimulatedChain::Find(uint64_t height, std::string_view hash) const {
  std::string wanted(hash);
  for (char& c : wanted) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  for (uint64_t event = height; event <= height + reorg_depth_; ++event) {
    const SimulatedBlock block{.height = height, .event = event};
    if (event - Depth(event) <= height && ToText(Hash(block)) == wanted) return block;
  }
  return std::nullopt;
}

}  // namespace amp
