#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"

namespace amp {

/// Rules of the streaming protocol that a simulated server can break, for tests of clients.
enum class SimulatedFault {
  kNone,
  kGap,                   ///< a range starts one block too late
  kWrongPrevHash,         ///< a range continues with another prev_hash than the last hash
  kReorgWithSameHash,     ///< start <= last end, yet prev_hash is the last hash
  kTwoRangesOneNetwork,   ///< a message with two ranges of a network
  kNetworkSetChanges,     ///< a message with one network more
  kBadJson,               ///< app_metadata that is no JSON
  kNoMetadata,            ///< a message without app_metadata
  kMissingPrevHash,       ///< no prev_hash although start > 0
  kEndBeforeStart,        ///< numbers.end < numbers.start
  kIncompleteMicrobatch,  ///< the next microbatch begins before the last one is complete
  kSchemaChange,          ///< batches of another schema, announced in the middle of the stream
  kNoTables,              ///< `ranges: []`, then the end of the stream
  kExpiredToken,          ///< Unauthenticated in the middle of the stream, once
};

/// NAME or NAME@N, such as "gap@10". ConfigInvalid names the faults there are.
struct SimulatedFaultAt {
  SimulatedFault fault = SimulatedFault::kNone;
  /// Messages of a connection after which it happens; for no-tables, connections that see it.
  uint64_t after = 3;
};
AMP_EXPORT Result<SimulatedFaultAt> ParseSimulatedFault(const std::string& text);
/// The faults' names, in order.
AMP_EXPORT std::vector<std::string> SimulatedFaultNames();

/// What a simulated server does. The chain, its history and its rows follow from the first group
/// alone; rates are probabilities from 0 to 1.
struct SimulationOptions {
  uint64_t seed = 1;
  std::vector<std::string> networks = {"eth"};
  std::optional<uint64_t> blocks = {};  ///< each network has blocks 0 to this less one, then stops
  double reorg_rate = 0.02;             ///< that a new block comes with a reorg
  uint64_t reorg_depth = 3;             ///< most blocks that a reorg replaces
  double empty_rate = 0;                ///< of blocks without transactions and logs
  uint64_t logs_per_block = 20;
  uint64_t transactions_per_block = 6;
  int64_t base_time = 1'700'000'000;  ///< of block 0, in Unix seconds
  int64_t block_seconds = 12;         ///< between the timestamps of blocks

  uint64_t history = 1;             ///< blocks of each network that are there at the start
  uint64_t microbatch_blocks = 5;   ///< most blocks of a network in a microbatch near the head
  uint64_t catch_up_blocks = 1000;  ///< and far from it
  int64_t split = 16'384;           ///< most rows of a message
  double keepalive_rate = 0;        ///< of an empty message first and between two messages
  double repeat_rate = 0;           ///< of a watermark that is sent again, at times with rows
  double drop_rate = 0;             ///< of a cut connection, after each message
  double interrupt_rate = 0;        ///< of a chain that moves on while a microbatch is open
  double shallow_rate = 0;          ///< of reorgs that are said to be shallower than they are
  bool rows_on_complete = false;    ///< the message that completes a microbatch has its last rows
  SimulatedFaultAt fault = {};

  std::string host = "127.0.0.1";
  int port = 0;                          ///< 0: a free one
  std::string tls_cert, tls_key;         ///< PEM files
  std::vector<std::string> tokens = {};  ///< the first is asked for; the next once it has expired
  uint64_t endpoints = 1;                ///< that share a bounded query
  /// Time between blocks; none: the chain moves on when a stream has caught up.
  std::optional<std::chrono::milliseconds> block_time = {};
  bool end = false;  ///< a stream that has sent everything ends, instead of staying open
};

/// ConfigInvalid: which option is out of range.
AMP_EXPORT Status CheckSimulationOptions(const SimulationOptions& options);

}  // namespace amp
