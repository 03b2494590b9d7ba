#include "scenario/script.h"

#include <fmt/format.h>

#include <sstream>

#include "core/text.h"

namespace amp::testing {
namespace {

std::string Trim(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t");
  if (begin == std::string::npos) return "";
  return text.substr(begin, text.find_last_not_of(" \t") - begin + 1);
}

Status Broken(int line, const std::string& what) {
  return Status::Invalid(fmt::format("line {}: {}", line, what));
}

// Actions are `verb(arguments)` or `verb`.
Status ParseActions(const std::string& text, int line, std::vector<ScriptAction>* actions) {
  size_t at = 0;
  while (true) {
    at = text.find_first_not_of(" \t", at);
    if (at == std::string::npos) return Status::OK();
    const size_t end = text.find_first_of("( \t", at);
    ScriptAction action{
        .line = line, .verb = text.substr(at, end - at), .arguments = {}, .expected = {}};
    at = end;
    if (end != std::string::npos && text[end] == '(') {
      const size_t close = text.find(')', end);
      if (close == std::string::npos) return Broken(line, "a parenthesis is not closed");
      action.arguments = text.substr(end + 1, close - end - 1);
      at = close + 1;
    }
    actions->push_back(std::move(action));
  }
}

Status ParseOptions(const std::string& text, int line, Script* script) {
  std::istringstream words(text);
  std::string word;
  words >> word;
  while (words >> word) {
    const size_t equals = word.find('=');
    if (equals == std::string::npos) return Broken(line, "an option has no value");
    script->options[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return Status::OK();
}

bool IsError(const std::string& outcome) { return outcome.find(": ") != std::string::npos; }

// Of an error its kind, and a piece of its message.
bool Fits(const std::string& outcome, const std::string& expected) {
  if (!IsError(outcome) || !IsError(expected)) return outcome == expected;
  const size_t kind = expected.find(": ") + 2;
  return outcome.starts_with(expected.substr(0, kind)) &&
         outcome.find(expected.substr(kind), kind) != std::string::npos;
}

}  // namespace

int64_t Script::Option(const std::string& name, int64_t otherwise) const {
  const auto found = options.find(name);
  return found == options.end() ? otherwise : std::stoll(found->second);
}

Result<Script> ParseScript(const std::string& text) {
  Script script;
  std::istringstream lines(text);
  std::string line;
  for (int number = 1; std::getline(lines, line); ++number) {
    line = Trim(line.substr(0, line.find('#')));
    if (line.empty()) continue;
    if (line.starts_with("option ")) {
      ARROW_RETURN_NOT_OK(ParseOptions(line, number, &script));
      continue;
    }
    const size_t arrow = line.find("=>");
    ARROW_RETURN_NOT_OK(ParseActions(line.substr(0, arrow), number, &script.actions));
    if (script.actions.empty()) return Broken(number, "no action");
    if (arrow != std::string::npos) script.actions.back().expected = Trim(line.substr(arrow + 2));
  }
  return script;
}

ScriptRun::ScriptRun(const Script& script, bool atomic)
    : times_(script.Option("times", 0) != 0), target_({}, atomic) {
  options_.atomic = atomic;
  options_.ledger = {.retention = script.Option("retention", 128),
                     .max_undo = script.Option("max_undo", 128),
                     .strict = script.Option("strict", 1) != 0,
                     .merge = static_cast<size_t>(script.Option("merge", 64))};
  const auto slot = static_cast<int32_t>(script.Option("slot", 0));
  options_.state.slot = slot;
  options_.state.checkpoint.last_batch_id = SlotBase(slot);
  options_.state.checkpoint.final_id = SlotBase(slot);
  const auto mode = script.options.find("mode");
  if (mode != script.options.end()) options_.state.mode = *ParseLoadMode(mode->second);
  target_ = ModelTarget(options_.state, atomic);
  ledger_.emplace(options_.ledger, target_.Open(0));
}

std::optional<std::string> ScriptRun::Do(const ScriptAction& action) {
  const std::string outcome = Outcome(action);
  const std::string told =
      fmt::format("line {}, {}({}): ", action.line, action.verb, action.arguments);
  if (!action.expected && IsError(outcome)) return told + outcome;
  if (action.expected && !Fits(outcome, *action.expected)) {
    return fmt::format("{}'{}', not '{}'", told, outcome, *action.expected);
  }
  if (const auto fault = Invariants()) return told + *fault;
  return std::nullopt;
}

std::optional<std::string> ScriptRun::Invariants() const {
  if (target_.fault()) return target_.fault();
  if (!strict() || !honest_ || ledger_->open()) return std::nullopt;
  if (target_.rows() != chain_.RowsUpTo(ledger_->resume_point())) {
    return fmt::format("the rows are {}", RowsText());
  }
  return FaultOfMap(target_.state(), chain_);
}

std::string ScriptRun::Outcome(const ScriptAction& action) {
  static const std::map<std::string, int> kKinds{
      {"data", 0},  {"keepalive", 0}, {"watermark", 0}, {"closing", 0}, {"batch", 0},
      {"loose", 0}, {"nothing", 0},   {"grow", 1},      {"reorg", 1},   {"notice", 1},
      {"undo", 1},  {"commit", 1},    {"drop", 1},      {"crash", 1},   {"mark", 1}};
  const auto kind = kKinds.find(action.verb);
  if (kind == kKinds.end()) return Check(action);
  return kind->second == 0 ? Message(action) : Event(action);
}

std::string ScriptRun::Message(const ScriptAction& action) {
  if (action.verb == "nothing") return Send({}, false, false);
  if (action.verb == "loose") return Apply(ledger_->Accept({}, false, 1), {}, true, false);
  last_ = RangesOf(action.arguments);
  if (action.verb == "data") return Send(last_, true, false);
  if (action.verb == "keepalive") return Send(last_, false, false);
  if (action.verb == "watermark") return Send(last_, false, true);
  if (action.verb == "closing") return Send(last_, true, true);
  const std::string first = Send(last_, true, false);
  if (IsError(first) || first.ends_with("reconnect")) return first;
  const std::string second = Send(last_, false, true);
  return first == "nothing" ? second : first + second.substr(second.rfind(' '));
}

std::string ScriptRun::Send(const BlockRanges& ranges, bool rows, bool complete) {
  const int64_t count = rows ? 1 : 0;
  const std::string before = MapText();
  const bool open = ledger_->open();
  const auto step = ledger_->Accept(ranges, complete, count);
  if (!step.ok() && (MapText() != before || ledger_->open() != open)) {
    return "changed: by a message that was refused";
  }
  return Apply(step, ranges, rows, complete);
}

// A range that stands still comes without its rows.
std::vector<RowKey> ScriptRun::KeysOf(const BlockRanges& ranges, int64_t id) const {
  const BatchEntry* before = nullptr;
  for (const BatchEntry& line : ledger_->map().entries()) {
    if (line.last_id < id) before = &line;
  }
  std::vector<RowKey> keys;
  for (const BlockRange& range : ranges) {
    const BlockRange* last = before == nullptr ? nullptr : FindRange(before->ranges, range.network);
    if (strict() && last != nullptr && EndsAlike(*last, range)) continue;
    const std::vector<RowKey>& rows = rows_.at(range.network);
    keys.insert(keys.end(), rows.begin(), rows.end());
  }
  return keys;
}

std::string ScriptRun::Apply(const Result<LedgerStep>& step, const BlockRanges& ranges, bool rows,
                             bool complete) {
  if (!step.ok()) {
    // What breaks the protocol was no honest server's.
    if (KindOf(step.status()) != ErrorKind::kReorgTooDeep) honest_ = false;
    return fmt::format("{}: {}", ToString(KindOf(step.status())), step.status().message());
  }
  if (step->undo_after) target_.UndoAfter(*step->undo_after);
  if (step->write) {
    target_.Write(*step->write, rows ? KeysOf(ranges, *step->write->id) : std::vector<RowKey>{});
  }
  if (step->completed && !complete) return "completed: by a message that does not say so";
  return StepText(*step);
}

std::string ScriptRun::StepText(const LedgerStep& step) const {
  const int64_t base = SlotBase(options_.state.slot);
  std::vector<std::string> words;
  if (step.reorg) words.push_back("reorg " + RangesText(step.reorg->orphaned));
  if (step.undo_after) words.push_back(fmt::format("undo {}", *step.undo_after - base));
  if (step.reconnect) words.emplace_back("reconnect");
  if (step.write) words.push_back(fmt::format("write {}", *step.write->id - base));
  if (step.completed) words.emplace_back("complete");
  return words.empty() ? "nothing" : fmt::format("{}", fmt::join(words, " "));
}

void ScriptRun::Crash() {
  target_.Crash();
  constexpr int64_t kSkipped = 100;
  const int64_t next = target_.state().checkpoint.next_number;
  ledger_.emplace(options_.ledger, target_.Open((next / kSkipped + 1) * kSkipped + 1 - next));
}

void ScriptRun::Commit() {
  if (!ledger_->dirty()) return;
  target_.Commit(ledger_->NextCheckpoint());
  ledger_->Committed();
}

std::string ScriptRun::Event(const ScriptAction& action) {
  if (action.verb == "crash") return Crash(), "";
  if (action.verb == "mark") return marks_.insert_or_assign(action.arguments, chain_), "";
  if (action.verb == "commit") {
    if (ledger_->open()) return "commit: a batch is open";
    return Commit(), "";
  }
  if (action.verb == "drop") {
    const auto keep = ledger_->Interrupted();
    if (keep) target_.UndoAfter(*keep);
    return keep ? StepText({.reorg = {}, .undo_after = keep, .write = {}}) : "nothing";
  }
  const auto [network, block] = Point(action.arguments);
  if (action.verb == "grow") {
    const size_t i = Network(network, 0);
    if (block >= chain_.networks()[i].next())
      chain_.Grow(i, block + 1 - chain_.networks()[i].next());
    return "";
  }
  if (action.verb == "reorg") return chain_.Reorg(*chain_.Find(network), block), "";
  const bool limited = action.verb == "notice";
  std::string text = Apply(ledger_->Reorg({network, block}, limited), {}, false, false);
  if (!limited && !IsError(text)) Commit();
  return text;
}

}  // namespace amp::testing
