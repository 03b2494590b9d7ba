#include "ledger/block_ranges.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>

namespace amp {
namespace {

// Where there is no parent, servers leave prev_hash out or fill it with zeros.
bool HasParent(const BlockRange& range) {
  const size_t digits = range.prev_hash.starts_with("0x") ? 2 : 0;
  return range.prev_hash.find_first_not_of('0', digits) != std::string::npos;
}

std::string RangeText(const BlockRange& range) {
  return fmt::format("{} {}-{}", range.network, range.start, range.end);
}

}  // namespace

const BlockRange* FindRange(const BlockRanges& ranges, std::string_view network) {
  const auto found = std::find_if(ranges.begin(), ranges.end(), [&](const BlockRange& range) {
    return range.network == network;
  });
  return found == ranges.end() ? nullptr : &*found;
}

bool SameRanges(const BlockRanges& a, const BlockRanges& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const BlockRange& range) {
           const BlockRange* other = FindRange(b, range.network);
           return other != nullptr && *other == range;
         });
}

bool SameNetworks(const BlockRanges& a, const BlockRanges& b) {
  return a.size() == b.size() && std::all_of(a.begin(), a.end(), [&](const BlockRange& range) {
           return FindRange(b, range.network) != nullptr;
         });
}

bool Continues(const BlockRange& last, const BlockRange& next) {
  return next.start > last.end && next.start - last.end == 1 && next.prev_hash == last.hash;
}

bool EndsAlike(const BlockRange& last, const BlockRange& next) {
  return next.end == last.end && next.hash == last.hash && next.start >= last.start;
}

std::string RangesText(const BlockRanges& ranges) {
  std::vector<std::string> texts;
  texts.reserve(ranges.size());
  for (const BlockRange& range : ranges) texts.push_back(RangeText(range));
  return fmt::format("{}", fmt::join(texts, ", "));
}

Status ProtocolError(std::string_view message) {
  return MakeError(
      {.kind = ErrorKind::kProtocol, .side = ErrorSide::kSource},
      fmt::format("the source broke the streaming protocol: {}. It is not tried again; what was "
                  "complete is stored. Tell whoever runs the source, with the messages that "
                  "-vv logs",
                  message));
}

Status CheckRanges(const BlockRanges& ranges) {
  std::set<std::string_view> networks;
  for (const BlockRange& range : ranges) {
    if (!networks.insert(range.network).second) {
      return ProtocolError(fmt::format("two ranges of network '{}' in one message ({})",
                                       range.network, RangesText(ranges)));
    }
    if (range.start > range.end) {
      return ProtocolError(fmt::format("the range {} ends before it starts", RangeText(range)));
    }
  }
  return Status::OK();
}

Status CheckHashes(const BlockRanges& ranges) {
  for (const BlockRange& range : ranges) {
    if (range.hash.empty()) {
      return ProtocolError(fmt::format("the range {} has no hash", RangeText(range)));
    }
    if (range.start > 0 && !HasParent(range)) {
      return ProtocolError(fmt::format(
          "the range {} has no prev_hash, and does not start at block 0", RangeText(range)));
    }
  }
  return Status::OK();
}

Result<Succession> Succeed(const BlockRange& last, const BlockRange& next) {
  if (next == last) return Succession::kSame;
  if (next.start > last.end) {
    if (next.start - last.end > 1) {
      return ProtocolError(
          fmt::format("after {} comes {}: a gap", RangeText(last), RangeText(next)));
    }
    if (next.prev_hash != last.hash) {
      return ProtocolError(fmt::format("after {} ({}) comes {} with prev_hash {}, of another chain",
                                       RangeText(last), last.hash, RangeText(next),
                                       next.prev_hash));
    }
    return Succession::kContinues;
  }
  if (next.prev_hash == last.hash) {
    return ProtocolError(
        fmt::format("after {} comes {}, which goes back and yet names its last "
                    "block {} as its parent",
                    RangeText(last), RangeText(next), last.hash));
  }
  return Succession::kReorg;
}

}  // namespace amp
