#pragma once

#include <optional>
#include <random>
#include <vector>

#include "scenario/model_chain.h"

/// A server that keeps to the protocol, and takes every freedom that it leaves.
namespace amp::testing {

struct ModelMessage {
  BlockRanges ranges;
  bool complete = false;
  std::vector<RowKey> rows;
};

/// One connection: goes on after the ranges it was asked with, or from the last common ancestor.
class ModelConnection {
 public:
  ModelConnection(const ModelChain* chain, std::mt19937_64* random, const BlockRanges& resume);
  /// None where there is nothing to say until the chain grows.
  std::optional<ModelMessage> Next();

 private:
  struct Position {
    std::optional<BlockRange> range;  ///< the last one sent
    std::optional<BlockKey> end;      ///< the last block sent, or asked to resume after
    bool moved = false;               ///< the range was new in the last microbatch
  };
  struct Open {
    BlockRanges ranges;
    std::vector<RowKey> rows;  ///< those still to send
  };

  uint64_t Draw(uint64_t most);  ///< 0 to `most`
  bool Chance(uint64_t percent) { return Draw(99) < percent; }
  bool Orphaned() const;
  bool Begin();
  std::optional<BlockRange> NextRange(size_t network, bool reorg, std::vector<RowKey>* rows);
  std::optional<BlockRange> Blocks(size_t network, uint64_t start, std::vector<RowKey>* rows);
  uint64_t ReorgStart(size_t network, BlockKey end);
  ModelMessage Piece();

  const ModelChain* chain_;
  std::mt19937_64* random_;
  std::vector<Position> positions_;
  std::optional<Open> open_;
  std::optional<ModelMessage> watermark_;  ///< may be repeated
};

}  // namespace amp::testing
