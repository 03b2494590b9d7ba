#pragma once

#include <memory>
#include <optional>
#include <random>
#include <string>

#include "ledger/ledger.h"
#include "scenario/model_server.h"
#include "scenario/model_target.h"

/// What lies between a server and a target: the ledger, and one who does what it says.
namespace amp::testing {

/// Ways of doing it wrong, each of which the checks must find.
enum class Mistake {
  kNone,
  kSkipUndo,             ///< an undo is not carried out
  kUndoOneLess,          ///< the first batch to be undone stays
  kSkipReconnect,        ///< the old connection goes on
  kSkipInterruptedUndo,  ///< an open batch stays when the connection is lost
  kKeepRepeats,          ///< rows that are to be dropped are written
  kDropRows,             ///< rows of the message that completes a batch are dropped
  kCommitOpen,           ///< a commit comes while a batch is open
  kReuseNumbers,         ///< no numbers are skipped at opening
  kForgetLines,          ///< lines of the batch map are not stored
  kResumeTooFar,         ///< the source is asked for what follows the open batch
};

struct SessionOptions {
  LedgerOptions ledger = {};
  StreamState state = {};
  bool atomic = true;
  Mistake mistake = Mistake::kNone;
};

class ModelSession {
 public:
  ModelSession(const ModelChain* chain, std::mt19937_64* random, const SessionOptions& options);
  /// Goes on from a target that is there.
  ModelSession(const ModelChain* chain, std::mt19937_64* random, const SessionOptions& options,
               ModelTarget target);

  /// Takes the server's next message; false where it has nothing to say.
  bool Advance();
  void DropConnection();
  void Crash();
  /// Commits, where a commit may come.
  void Commit();
  /// Until the target has all of the chain, or something is wrong. The chain may grow for that.
  void Drain(ModelChain* chain);

  const Ledger& ledger() const { return *ledger_; }
  const ModelTarget& target() const { return target_; }
  /// The first thing that was found wrong.
  std::optional<std::string> fault() const;
  int64_t undos() const { return undos_; }
  int64_t refused() const { return refused_; }
  /// What was final went from a table with keys: the stream cannot go on.
  bool dead() const { return dead_; }

 private:
  void Open();
  void Connect();
  void Apply(const LedgerStep& step, const ModelMessage& message);
  void Refuse(const Status& status);
  void UndoTo(int64_t id);
  void CheckDepth(const LedgerStep& step);
  void CheckRows();
  void CheckCommit();
  void Fault(std::string what);
  bool Complete() const;

  const ModelChain* chain_;
  std::mt19937_64* random_;
  SessionOptions options_;
  ModelTarget target_;
  std::optional<Ledger> ledger_;
  std::optional<ModelConnection> connection_;
  BlockRanges head_;  ///< the watermark before the reorg that is going on
  BlockRanges open_ranges_;
  int64_t undos_ = 0;
  int64_t refused_ = 0;
  bool dead_ = false;
  std::optional<std::string> fault_;
};

}  // namespace amp::testing
