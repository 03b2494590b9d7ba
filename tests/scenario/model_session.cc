#include "scenario/model_session.h"

#include <fmt/format.h>

#include "core/stream_state.h"

namespace amp::testing {

ModelSession::ModelSession(const ModelChain* chain, std::mt19937_64* random,
                           const SessionOptions& options)
    : ModelSession(chain, random, options, ModelTarget(options.state, options.atomic)) {}

ModelSession::ModelSession(const ModelChain* chain, std::mt19937_64* random,
                           const SessionOptions& options, ModelTarget target)
    : chain_(chain), random_(random), options_(options), target_(std::move(target)) {
  Open();
}

void ModelSession::Open() {
  const bool reuse = options_.mistake == Mistake::kReuseNumbers;
  ledger_.emplace(options_.ledger, target_.Open(reuse ? 0 : kNumbersPerCommit));
  head_ = ledger_->resume_point();
  open_ranges_.clear();
  Connect();
  CheckRows();
}

void ModelSession::Connect() {
  BlockRanges resume = ledger_->resume_point();
  if (options_.mistake == Mistake::kResumeTooFar && !open_ranges_.empty()) resume = open_ranges_;
  connection_.emplace(chain_, random_, resume);
}

bool ModelSession::Advance() {
  const auto message = connection_->Next();
  if (!message) return false;
  const auto step = ledger_->Accept(message->ranges, message->complete,
                                    static_cast<int64_t>(message->rows.size()));
  if (!step.ok()) {
    Refuse(step.status());
    return true;
  }
  CheckDepth(*step);
  Apply(*step, *message);
  if (step->completed || step->undo_after || !step->write) CheckRows();
  return true;
}

void ModelSession::Apply(const LedgerStep& step, const ModelMessage& message) {
  if (step.undo_after) UndoTo(*step.undo_after);
  if (step.reconnect && options_.mistake != Mistake::kSkipReconnect) Connect();
  if (step.reconnect) return;
  if (step.write) {
    const bool drop = message.complete && options_.mistake == Mistake::kDropRows;
    target_.Write(*step.write, drop ? std::vector<RowKey>{} : message.rows);
    head_ = ledger_->resume_point();
    open_ranges_ = message.ranges;
  } else if (options_.mistake == Mistake::kKeepRepeats) {
    target_.Write({.id = ledger_->last_complete_id(), .ranges = message.ranges}, message.rows);
  }
  if (step.completed != (step.write && message.complete)) Fault("completed at the wrong message");
}

// A reorg is refused where it is too deep: then someone undoes it by hand. Nothing else may be
// refused.
void ModelSession::Refuse(const Status& status) {
  ++refused_;
  if (KindOf(status) != ErrorKind::kReorgTooDeep) return Fault(status.message());
  if (!ledger_->too_deep() || ErrorInfoOf(status).side == ErrorSide::kTarget) {
    dead_ = true;
    return;
  }
  const ReorgNotice notice = *ledger_->too_deep();
  const BlockRange* head = FindRange(head_, notice.network);
  if (head == nullptr ||
      static_cast<int64_t>(head->end) - static_cast<int64_t>(notice.first_block) <
          options_.ledger.max_undo) {
    Fault(fmt::format("a reorg from {} on was refused", notice.first_block));
  }
  DropConnection();
  Commit();
  const auto step = ledger_->Reorg(notice, /*limited=*/false);
  if (!step.ok()) {
    dead_ = true;
    return;
  }
  if (step->undo_after) UndoTo(*step->undo_after);
  Commit();
  Crash();
}

void ModelSession::CheckDepth(const LedgerStep& step) {
  if (!step.reorg) return;
  for (const BlockRange& orphaned : step.reorg->orphaned) {
    const BlockRange* head = FindRange(head_, orphaned.network);
    if (head == nullptr || head->end < orphaned.start) continue;
    if (static_cast<int64_t>(head->end - orphaned.start) + 1 > options_.ledger.max_undo) {
      Fault(fmt::format("a reorg from {} to {} was let pass", orphaned.start, head->end));
    }
  }
}

void ModelSession::UndoTo(int64_t id) {
  ++undos_;
  if (options_.mistake == Mistake::kSkipUndo) return;
  target_.UndoAfter(options_.mistake == Mistake::kUndoOneLess ? id + 1 : id);
}

void ModelSession::DropConnection() {
  const auto keep = ledger_->Interrupted();
  if (keep && options_.mistake != Mistake::kSkipInterruptedUndo) target_.UndoAfter(*keep);
  Connect();
  CheckRows();
}

void ModelSession::Crash() {
  target_.Crash();
  Open();
  CheckCommit();
}

void ModelSession::Commit() {
  if (ledger_->open() && options_.mistake != Mistake::kCommitOpen) return;
  if (!ledger_->dirty()) return;
  Checkpoint checkpoint = ledger_->NextCheckpoint();
  if (options_.mistake == Mistake::kForgetLines && checkpoint.entries.size() > 1) {
    checkpoint.entries.pop_back();
  }
  target_.Commit(checkpoint);
  ledger_->Committed();
  CheckCommit();
}

// Whenever no batch is open, the rows are those of the chain up to the watermark, as it was when
// the server told of it.
void ModelSession::CheckRows() {
  if (ledger_->open()) return;
  if (target_.rows() != chain_->RowsUpTo(ledger_->resume_point())) {
    Fault(fmt::format("the rows are not those up to ({})", RangesText(ledger_->resume_point())));
  }
}

void ModelSession::CheckCommit() {
  const StreamState& state = target_.state();
  if (target_.committed_rows() != chain_->RowsUpTo(state.checkpoint.watermark)) {
    Fault("the committed rows are not those of the checkpoint");
  }
  if (const auto fault = FaultOfMap(state, *chain_)) Fault(*fault);
  if (state.checkpoint.entries != ledger_->map().entries()) Fault("the target has another map");
}

void ModelSession::Fault(std::string what) {
  if (!fault_) fault_ = std::move(what);
}

std::optional<std::string> ModelSession::fault() const { return fault_ ? fault_ : target_.fault(); }

bool ModelSession::Complete() const {
  if (ledger_->open() || ledger_->map().empty()) return false;
  for (const ModelNetwork& network : chain_->networks()) {
    const BlockRange& last = *FindRange(ledger_->map().last().ranges, network.name);
    if (network.blocks.empty() || last.hash != HashOf(network.blocks.back())) return false;
  }
  return true;
}

void ModelSession::Drain(ModelChain* chain) {
  for (int i = 0; !dead_ && !fault() && !Complete(); ++i) {
    if (i > 100'000) return Fault("no end comes");
    if (Advance()) continue;
    for (size_t n = 0; n < chain->networks().size(); ++n) chain->Grow(n, 1);
  }
  if (dead_ || fault()) return;
  Commit();
  BlockRanges heads;
  for (size_t n = 0; n < chain->networks().size(); ++n) {
    const ModelNetwork& network = chain->networks()[n];
    heads.push_back(chain->Range(n, network.origin, network.next() - 1));
  }
  if (target_.committed_rows() != chain->RowsUpTo(heads)) Fault("the rows are not the chain's");
}

}  // namespace amp::testing
