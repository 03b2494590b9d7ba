#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/stream.h"
#include "amp/stream_source.h"
#include "ledger/batch_map.h"
#include "ledger/block_ranges.h"

namespace amp {

struct LedgerOptions {
  /// A batch more than so many blocks below the newest end on every network is final.
  int64_t retention = 128;
  /// Most completed blocks of a network that a reorg may orphan.
  int64_t max_undo = 128;
  /// Whether the rules of an Amp server's stream hold. Without, as for events that a program gives,
  /// gaps are allowed, a batch ends where another begins, and one that is there already is left
  /// out.
  bool strict = true;
  /// So many lines of the batch map become one; tests take few.
  size_t merge = 64;
};

/// A reorganisation, as it was carried out.
struct ReorgReport {
  std::vector<BlockRange> orphaned;  ///< of each network that was hit: from the first orphaned
                                     ///< block to the last that was there
  int64_t batches = 0;               ///< lines of the batch map that go
};

/// What a message means, to be done in this order.
struct LedgerStep {
  std::optional<ReorgReport> reorg;
  std::optional<int64_t> undo_after;  ///< take back all batches above this id
  bool reconnect = false;  ///< drop the connection and ask anew after resume_point(); nothing else
  std::optional<BatchRecord> write;  ///< where the message's rows go; none: drop them
  bool completed = false;            ///< the batch is complete: from here on a commit may come
};

/// The history of one stream: it alone interprets block ranges, hashes, watermarks and reorgs, and
/// turns them into what is to be written, undone and committed. Pure: no clock, no input or output.
///
/// The protocol: a microbatch is a run of messages with the same ranges, of which the last says
/// that they are complete. A range that goes back behind the last one seen is a reorg: all batches
/// from the first that holds an orphaned block on are undone.
class AMP_EXPORT Ledger {
 public:
  /// A stream as its target has it; ids continue from `state.checkpoint.next_number`.
  Ledger(LedgerOptions options, const StreamState& state);

  /// Takes a message's ranges. Errors: Protocol, for what a server must never send; ReorgTooDeep,
  /// also where a table with keys no longer has what undone rows had replaced. After an error
  /// nothing has changed, and nothing more of this connection may be given.
  Result<LedgerStep> Accept(const BlockRanges& ranges, bool complete, int64_t rows);
  /// A reorg that a program or a user tells of. `limited`: max_undo holds. Errors: ReorgTooDeep.
  Result<LedgerStep> Reorg(const ReorgNotice& notice, bool limited = true);
  /// Another stream's batch begins, or a program's events end: without strictness an open one is
  /// complete then.
  void EndBatch() {
    if (open_ && !options_.strict) Complete();
  }
  /// The connection is gone, and with it the rest of an open batch: the id after which to undo, if
  /// there is anything to undo.
  std::optional<int64_t> Interrupted();

  /// Where to ask the source to go on; empty: from the beginning.
  BlockRanges resume_point() const;
  /// The last id that is complete.
  int64_t last_complete_id() const;
  bool HasNetwork(const std::string& network) const {
    return FindRange(networks_, network) != nullptr;
  }
  /// A batch is open: a commit must wait, or undo it first.
  bool open() const { return open_.has_value(); }
  /// Completed or undone batches wait for a commit.
  bool dirty() const { return dirty_; }
  int64_t numbers_since_commit() const { return next_number_ - committed_number_; }

  /// The next commit's checkpoint.
  Checkpoint NextCheckpoint() const;
  /// That checkpoint is in the target.
  void Committed();

  const BatchMap& map() const { return map_; }
  /// The reorg that was too deep, for a message that says how to go on.
  const std::optional<ReorgNotice>& too_deep() const { return too_deep_; }
  /// Stamps batches that are completed from now on; in Unix milliseconds.
  void set_now(int64_t now) { now_ = now; }

 private:
  struct OpenBatch {
    int64_t id;
    BlockRanges ranges;
    int64_t rows = 0;
  };

  const BlockRanges* LastSeen() const;
  Status CheckNetworks(const BlockRanges& ranges) const;
  bool AlreadyThere(const BlockRanges& ranges) const;
  Result<LedgerStep> AcceptNew(const BlockRanges& ranges, bool complete, int64_t rows);
  Result<std::vector<ReorgNotice>> FindReorgs(const BlockRanges& ranges) const;
  bool IsRepeat(const BlockRange& last, const BlockRange& next) const;
  Status CheckDepth(const ReorgNotice& notice);
  Status CheckUndoable(const std::vector<ReorgNotice>& notices) const;
  size_t FirstHit(const std::vector<ReorgNotice>& notices) const;
  int64_t IdBefore(size_t entry) const;
  LedgerStep Undo(const std::vector<ReorgNotice>& notices);
  ReorgReport ReportOf(const std::vector<ReorgNotice>& notices, size_t first_hit) const;
  bool FollowsRemaining(const BlockRanges& ranges, const BlockRanges& seen) const;
  void NoteHead(const BlockRanges& head);
  void WriteTo(const BlockRanges& ranges, bool complete, int64_t rows, LedgerStep* step);
  void Complete();
  void Prune();

  LedgerOptions options_;
  bool replaces_;  ///< rows replace others, which the target keeps for as long as it may undo
  int64_t base_;   ///< the slot's id 0
  int64_t sequence_;
  int64_t next_number_;
  int64_t committed_number_;
  int64_t final_id_;
  int64_t pruned_id_;  ///< the final id that the target knows of
  int64_t now_ = 0;
  bool dirty_ = false;
  bool heard_ = false;  ///< ranges have come since the state was read
  BatchMap map_;
  std::optional<OpenBatch> open_;
  BlockRanges networks_;  ///< any ranges of the stream: their networks are its network set
  BlockRanges origin_;    ///< where the stream began
  /// The newest completed ranges before a reorg that takes several connections to undo.
  BlockRanges head_;
  std::optional<ReorgNotice> too_deep_;
};

}  // namespace amp
