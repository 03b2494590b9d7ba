#include <fmt/format.h>

#include <algorithm>
#include <sstream>

#include "scenario/script.h"

namespace amp::testing {
namespace {

constexpr const char* kNoChain = "0x1";

// "0-9", and "8-9b" for the second fork of the chain.
std::string RunText(BlockKey first, BlockKey last) {
  const uint64_t fork = ForkOf(first);
  const std::string letter = fork == 0 ? "" : std::string(1, static_cast<char>('a' + fork));
  return fmt::format("{}-{}{}", NumberOf(first), NumberOf(last), letter);
}

std::string Joined(const std::vector<std::string>& words, std::string_view by = " ") {
  return words.empty() ? "none" : fmt::format("{}", fmt::join(words, by));
}

}  // namespace

std::string ScriptRun::RowsText() const {
  const std::vector<RowKey> rows = target_.rows();
  std::vector<std::string> words;
  for (size_t i = 0; i < chain_.networks().size(); ++i) {
    std::vector<BlockKey> keys;
    for (const RowKey row : rows) {
      const BlockKey key = row >> 2;
      if ((key >> (kForkBits + kNumberBits)) == i + 1) keys.push_back(key);
    }
    if (!keys.empty()) words.push_back(chain_.networks()[i].name);
    for (size_t begin = 0, end = 0; begin < keys.size(); begin = end) {
      end = begin + 1;
      while (end < keys.size() && keys[end] == keys[end - 1] + (BlockKey{1} << kForkBits)) ++end;
      words.push_back(RunText(keys[begin], keys[end - 1]));
    }
  }
  return Joined(words);
}

std::string ScriptRun::MapText() const {
  std::vector<std::string> lines;
  for (const BatchEntry& line : ledger_->map().entries()) {
    lines.push_back(RangesText(line.ranges) +
                    (line.batches > 1 ? fmt::format(" x{}", line.batches) : ""));
  }
  return Joined(lines, " | ");
}

std::string ScriptRun::IdsText() const {
  const int64_t base = SlotBase(options_.state.slot);
  std::vector<std::string> lines;
  for (const BatchEntry& line : ledger_->map().entries()) {
    lines.push_back(fmt::format("{}-{}", line.first_id - base, line.last_id - base));
  }
  return Joined(lines);
}

std::string ScriptRun::ResumeText() const {
  const BlockRanges ranges = ledger_->resume_point();
  if (ranges.empty()) return "start";
  std::vector<std::string> words;
  for (const BlockRange& range : ranges) {
    words.push_back(fmt::format("{} {}", range.network, range.end));
  }
  return Joined(words, ", ");
}

std::string ScriptRun::CompletedText() const {
  std::vector<std::string> words;
  for (const auto& [network, intervals] : ledger_->map().Completed()) {
    words.push_back(network);
    for (const auto& [start, end] : intervals) words.push_back(fmt::format("{}-{}", start, end));
  }
  return Joined(words);
}

std::string ScriptRun::KeptText() const {
  std::vector<std::string> words;
  for (const auto& [id, rows] : target_.batches()) {
    if (!rows.empty()) words.push_back(fmt::format("{}", id - SlotBase(options_.state.slot)));
  }
  return Joined(words);
}

std::string ScriptRun::Check(const ScriptAction& action) const {
  if (action.verb == "map") return MapText();
  if (action.verb == "ids") return IdsText();
  if (action.verb == "rows") return RowsText();
  if (action.verb == "resume") return ResumeText();
  if (action.verb == "completed") return CompletedText();
  if (action.verb == "kept") return KeptText();
  if (action.verb == "final") {
    return fmt::format("{}", ledger_->NextCheckpoint().final_id - SlotBase(options_.state.slot));
  }
  if (action.verb == "time") {
    const BlockRanges ranges = ledger_->resume_point();
    return ranges.empty() ? "none" : fmt::format("{}", ranges.front().timestamp.value_or(-1));
  }
  return "script: there is no action " + action.verb;
}

std::pair<std::string, uint64_t> ScriptRun::Point(const std::string& arguments) const {
  std::istringstream words(arguments);
  std::string first;
  std::string second;
  words >> first >> second;
  if (second.empty()) return {"eth", std::stoull(first)};
  return {first, std::stoull(second)};
}

size_t ScriptRun::Network(const std::string& name, uint64_t origin) {
  if (const auto found = chain_.Find(name)) return *found;
  chain_.AddNetwork(name, origin);
  return chain_.networks().size() - 1;
}

BlockRanges ScriptRun::RangesOf(const std::string& arguments) {
  std::vector<std::string> parts;
  std::istringstream text(arguments);
  for (std::string part; std::getline(text, part, ',');) parts.push_back(part);
  const bool numbers = arguments.find_first_not_of("0123456789, ") == std::string::npos;
  if (numbers && parts.size() == 1) return last_;
  if (numbers) {
    return {RangeOf(fmt::format("eth {}-{}", std::stoull(parts[0]), std::stoull(parts[1])))};
  }
  BlockRanges ranges;
  for (const std::string& part : parts) ranges.push_back(RangeOf(part));
  return ranges;
}

// "eth 0-9 prev=0x1": true to the chain but for what is given.
BlockRange ScriptRun::RangeOf(const std::string& text) {
  std::istringstream words(text);
  std::string name;
  std::string blocks;
  words >> name >> blocks;
  const uint64_t start = std::stoull(blocks);
  const uint64_t end = std::stoull(blocks.substr(blocks.find('-') + 1));
  Given given;
  for (std::string word; words >> word;) {
    const size_t equals = word.find('=');
    given[word.substr(0, equals)] = word.substr(equals + 1);
  }
  BlockRange range = TrueRange(name, start, end, given);
  rows_[name] = RowsOf(range, given);
  Change(given, &range);
  return range;
}

std::vector<RowKey> ScriptRun::RowsOf(const BlockRange& range, const Given& given) const {
  // One row for what no chain has.
  if (range.hash == kNoChain) return {RowKey{1} << (kForkBits + kNumberBits + 2)};
  const ModelChain& chain = given.contains("as") ? marks_.at(given.at("as")) : chain_;
  const size_t network = *chain.Find(range.network);
  if (!given.contains("rows")) return chain.RowsOf(network, range.start, range.end);
  const std::string& part = given.at("rows");
  return chain.RowsOf(network, std::stoull(part), std::stoull(part.substr(part.find('-') + 1)));
}

// No chain has it where both hashes are given, or where it ends before it starts.
BlockRange ScriptRun::TrueRange(const std::string& name, uint64_t start, uint64_t end,
                                const Given& given) {
  if (start > end || (given.contains("hash") && given.contains("prev"))) {
    return {.network = name, .start = start, .end = end, .hash = kNoChain, .prev_hash = kNoChain};
  }
  if (given.contains("as")) {
    const ModelChain& then = marks_.at(given.at("as"));
    return then.Range(*then.Find(name), start, end);
  }
  const size_t network = Network(name, start);
  const uint64_t next = chain_.networks()[network].next();
  if (end >= next) chain_.Grow(network, end + 1 - next);
  return chain_.Range(network, start, end);
}

void ScriptRun::Change(const Given& given, BlockRange* range) {
  if (given.contains("hash") || given.contains("prev")) honest_ = false;
  if (given.contains("hash")) range->hash = given.at("hash");
  if (given.contains("prev")) {
    const bool last = given.at("prev") == "last";
    range->prev_hash =
        last ? FindRange(ledger_->resume_point(), range->network)->hash : given.at("prev");
  }
  if (times_) range->timestamp = static_cast<int64_t>(range->end) * 12;
  if (given.contains("time")) range->timestamp = std::stoll(given.at("time"));
}

}  // namespace amp::testing
