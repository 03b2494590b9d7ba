#pragma once

#include <arrow/type_fwd.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "amp/error.h"
#include "amp/stream_source.h"

/// Streams that say what a test wants them to say.
namespace amp::testing {

/// Rows of a stream: id and name.
using StreamRows = std::vector<std::pair<int64_t, std::string>>;

/// id int64, name utf8: what scripted streams bring unless told otherwise.
std::shared_ptr<arrow::Schema> StreamRowSchema();
/// The rows as a batch of that schema; with a batch id (see kBatchIdColumn) where one is given.
std::shared_ptr<arrow::RecordBatch> StreamBatch(const StreamRows& rows,
                                                std::optional<int64_t> batch_id = std::nullopt);

/// A chain of one network, made up: every block has one row, with the block's number as its id
/// (plus `first_id`) and "<network> <block>.<fork>" as its name.
class ScriptedChain {
 public:
  explicit ScriptedChain(std::string network, int64_t first_id = 0)
      : network_(std::move(network)), first_id_(first_id) {}

  /// Blocks from this one on are others than before: a reorganisation.
  void Fork(uint64_t first_block) { forks_.push_back(first_block); }

  BlockRange Range(uint64_t start, uint64_t end) const;
  StreamRows Rows(uint64_t start, uint64_t end) const;
  /// One microbatch in one message.
  StreamMessage Blocks(uint64_t start, uint64_t end, bool complete = true) const;
  /// The same with other rows than one a block.
  StreamMessage Blocks(uint64_t start, uint64_t end, const StreamRows& rows,
                       bool complete = true) const;
  /// Microbatches of `size` blocks each.
  std::vector<StreamMessage> Batches(uint64_t start, uint64_t end, uint64_t size) const;
  /// What an Amp server answers: it goes on after `resume`, or after the newest of its blocks that
  /// is still on the chain, and comes to `head`.
  std::vector<StreamMessage> Answer(const std::vector<BlockRange>& resume, uint64_t head,
                                    uint64_t size) const;

 private:
  int ForkOf(uint64_t block) const;
  std::string Hash(uint64_t block) const;

  std::string network_;
  int64_t first_id_;
  std::vector<uint64_t> forks_;
};

/// What a program says of a reorganisation.
StreamMessage ReorgOf(std::string network, uint64_t first_block);

/// A source over a list of connections; keeps note of where it was asked to go on.
class ScriptedSource final : public StreamSource {
 public:
  /// One connection: its messages, then its last word.
  struct Script {
    std::vector<StreamMessage> messages = {};
    Status error = {};        ///< after the messages; OK: the stream ends, or stays open
    bool stays_open = false;  ///< after the messages: silent until it is cancelled
    Status refusal = {};      ///< the connection is not made at all
    std::shared_ptr<arrow::Schema> schema = {};  ///< of the batches; null: StreamRowSchema()
  };
  /// A script that depends on where the source is asked to go on.
  using MakeScript = std::function<Script(const std::vector<BlockRange>& resume)>;

  /// `endless`: see StreamSource.
  explicit ScriptedSource(bool endless, std::string query = "SELECT * FROM blocks")
      : endless_(endless), query_(std::move(query)) {}
  /// A source of one connection.
  ScriptedSource(bool endless, std::vector<StreamMessage> messages) : ScriptedSource(endless) {
    Then({.messages = std::move(messages)});
  }

  /// Adds a connection. After the last one, connections of endless sources stay open and silent;
  /// those of others end at once.
  ScriptedSource& Then(Script script);
  ScriptedSource& Then(MakeScript make);
  /// Every connection from here on is this one.
  ScriptedSource& Always(MakeScript make);

  /// The ranges after which each connection was asked to go on.
  std::vector<std::vector<BlockRange>> asked() const;

  Result<std::unique_ptr<StreamConnection>> Connect(const std::vector<BlockRange>& resume) override;
  bool endless() const override { return endless_; }
  std::string Describe() const override { return "a script"; }
  std::string query() const override { return query_; }

 private:
  bool endless_;
  std::string query_;
  mutable std::mutex mutex_;  ///< connections are made on reading threads
  std::vector<MakeScript> scripts_;
  MakeScript always_;
  std::vector<std::vector<BlockRange>> asked_;
};

}  // namespace amp::testing
