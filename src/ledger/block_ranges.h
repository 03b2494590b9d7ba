#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/stream.h"

/// Block ranges, one a network, and how one follows another.
namespace amp {

using BlockRanges = std::vector<BlockRange>;

/// Null where the network has no range.
AMP_EXPORT const BlockRange* FindRange(const BlockRanges& ranges, std::string_view network);

/// The same ranges, in whatever order.
AMP_EXPORT bool SameRanges(const BlockRanges& a, const BlockRanges& b);
AMP_EXPORT bool SameNetworks(const BlockRanges& a, const BlockRanges& b);

/// Does `next` go on right after `last`, on the same chain?
AMP_EXPORT bool Continues(const BlockRange& last, const BlockRange& next);
/// Is `next` a part of `last` that ends with the same block? A hash stands for all blocks before.
AMP_EXPORT bool EndsAlike(const BlockRange& last, const BlockRange& next);

/// "eth 5-9, base 7-7"
AMP_EXPORT std::string RangesText(const BlockRanges& ranges);

/// A violation of the protocol by the source: never cured by asking again.
AMP_EXPORT Status ProtocolError(std::string_view message);

/// What every message must hold to, whatever came before it: at most one range a network, start not
/// after end.
AMP_EXPORT Status CheckRanges(const BlockRanges& ranges);
/// And what a server's must: the hashes are there.
AMP_EXPORT Status CheckHashes(const BlockRanges& ranges);

/// How an incoming range lies to the last one seen of its network.
enum class Succession { kSame, kContinues, kReorg };
/// Protocol for what an Amp server must never send: a gap, or a hash that does not fit.
AMP_EXPORT Result<Succession> Succeed(const BlockRange& last, const BlockRange& next);

}  // namespace amp
