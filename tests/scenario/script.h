#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "scenario/model_session.h"

/// Scripts for the ledger: actions, one after another, and what they are to do.
///
///     # fork at block 8                      a comment
///     data(0,10) watermark(10)               two messages of network eth
///     reorg(8)                               the chain: blocks from 8 on are orphaned
///     data(8,12) => reorg eth 8-10 undo 0 reconnect
///
/// What stands behind `=>` is expected of the line's last action: the words of its step (`reorg …`,
/// `undo ID`, `reconnect`, `write ID`, `complete`, or `nothing`), or the kind of its error and a
/// piece of its message (`Protocol: a gap`). Ids are numbers within the slot.
///
/// Messages. RANGES is `START,END` of eth, `END` to say the last ranges again, or a list such as
/// `eth 0-9, base 0-4`. Behind a range may stand another `hash=H`, `prev=H` (`last`: that of the
/// watermark) or `time=T`; `as=NAME` for the hashes that were there when `mark(NAME)` was called;
/// `rows=0-4` where only these blocks' rows come. A range that stands still comes without its
/// rows. Blocks that are not there grow.
///     data(RANGES)       rows, more to come       keepalive(RANGES)  no rows, more to come
///     watermark(RANGES)  no rows, complete        closing(RANGES)    rows, complete
///     batch(RANGES)      data and watermark       nothing()          a message without ranges
///     loose()            rows without ranges
/// Events.
///     grow(N) reorg(N) reorg(base N)              the chain
///     notice(base N)  undo(base N)                a program tells of a reorg; a user does
///     commit drop crash                           drop: the connection is lost. After a crash
///                                                 numbers go on with the next hundred
/// Checks.
///     map => eth 0-9, base 0-4 | eth 10-19 …      each line of the map; `x4` behind it: 4 batches
///     ids => 1-1 2-5                              of the map's lines
///     rows => eth 0-9 base 0-4                    blocks whose rows are there; twice where double
///     resume => eth 9                             or `start`
///     completed => eth 0-9 20-29                  final => 3        kept => 2 (rows' batch ids)
///     time => 7                                   of the watermark
/// Options, at the top: option retention=128 max_undo=128 merge=64 strict=1 slot=0 mode=append
/// times=0.
namespace amp::testing {

struct ScriptAction {
  int line = 0;
  std::string verb;
  std::string arguments;
  std::optional<std::string> expected;
};

struct Script {
  std::map<std::string, std::string> options;
  std::vector<ScriptAction> actions;

  int64_t Option(const std::string& name, int64_t otherwise) const;
};

Result<Script> ParseScript(const std::string& text);

class ScriptRun {
 public:
  /// `atomic`: the target loses what is not committed in a crash.
  explicit ScriptRun(const Script& script, bool atomic = true);
  /// What went wrong; none: all as expected.
  std::optional<std::string> Do(const ScriptAction& action);

  const ModelChain& chain() const { return chain_; }
  const ModelTarget& target() const { return target_; }
  SessionOptions options() const { return options_; }
  bool strict() const { return options_.ledger.strict; }
  /// The rows that are there, as text.
  std::string RowsText() const;
  /// All messages were true to the chain, and to the protocol.
  bool honest() const { return honest_; }

 private:
  using Given = std::map<std::string, std::string>;
  void Crash();
  void Commit();
  std::string Outcome(const ScriptAction& action);
  std::string Message(const ScriptAction& action);
  std::string Send(const BlockRanges& ranges, bool rows, bool complete);
  std::string Apply(const Result<LedgerStep>& step, const BlockRanges& ranges, bool rows,
                    bool complete);
  std::string StepText(const LedgerStep& step) const;
  std::string Event(const ScriptAction& action);
  std::string Check(const ScriptAction& action) const;
  std::string MapText() const;
  std::string IdsText() const;
  std::string ResumeText() const;
  std::string CompletedText() const;
  std::string KeptText() const;
  BlockRanges RangesOf(const std::string& arguments);
  BlockRange RangeOf(const std::string& text);
  BlockRange TrueRange(const std::string& name, uint64_t start, uint64_t end, const Given& given);
  void Change(const Given& given, BlockRange* range);
  std::vector<RowKey> KeysOf(const BlockRanges& ranges, int64_t id) const;
  std::vector<RowKey> RowsOf(const BlockRange& range, const Given& given) const;
  size_t Network(const std::string& name, uint64_t origin);
  std::pair<std::string, uint64_t> Point(const std::string& arguments) const;
  std::optional<std::string> Invariants() const;

  SessionOptions options_;
  bool times_;
  bool honest_ = true;
  ModelChain chain_;
  ModelTarget target_;
  std::optional<Ledger> ledger_;
  BlockRanges last_;
  std::map<std::string, ModelChain> marks_;
  std::map<std::string, std::vector<RowKey>> rows_;  ///< of the last ranges, by network
};

}  // namespace amp::testing
