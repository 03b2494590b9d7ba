#pragma once

#include <arrow/type_fwd.h>

#include <nlohmann/json_fwd.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "amp/error.h"
#include "amp/stream.h"

/// What loaders share in keeping streams: the checks of an opening, and texts to store.
namespace amp {

/// Ids that one commit may use at most; an opening skips as many, so that a number which an earlier
/// writer used without committing it is not used again.
inline constexpr int64_t kNumbersPerCommit = int64_t{1} << 20;

/// May the stream be gone on with as `spec` asks? ConfigInvalid for another query, mode or key;
/// SchemaMismatch for another schema; Conflict where `spec.held_epoch` is no longer the newest.
AMP_EXPORT Status CheckStreamFits(const StreamSpec& spec, const StreamState& state);

/// Are two queries the same but for white space outside of quotes?
AMP_EXPORT bool SameQuery(std::string_view a, std::string_view b);

/// The state of a stream that is made now. Its epoch is 0: opening raises it.
AMP_EXPORT StreamState NewStreamState(const StreamSpec& spec, int32_t slot);

/// Raises the epoch in the name of this process, above the one that it held (a target that failed
/// over may be at an earlier moment), and skips numbers.
AMP_EXPORT void TakeOver(const StreamSpec& spec, StreamState* state);

/// The state after a commit; `entries` of the state are left alone, the target keeps the map.
AMP_EXPORT void AdvanceTo(const Checkpoint& checkpoint, StreamState* state);

/// Conflict unless the stream is as the writer that holds `ref` left it: someone has taken it over,
/// or the commit that comes next has been done already.
AMP_EXPORT Status CheckHeld(const std::string& table, const StreamRef& ref,
                            const StreamState& state);
/// Conflict: the stream that a writer holds is not there any more.
AMP_EXPORT Status StreamGone(const std::string& table, const std::string& stream);
/// The slot of a stream that is made in a table with so many; Unsupported where it can have no
/// more.
AMP_EXPORT Result<int32_t> SlotAfter(const std::string& table, int32_t last_slot);
/// Conflict: who has taken the stream over, and when.
AMP_EXPORT Status TakenOver(const std::string& table, const StreamState& state);
/// ConfigInvalid: the stream's table is gone, or is another one; names `reset`.
AMP_EXPORT Status TableReplaced(const std::string& table, const std::string& stream);
/// SchemaMismatch: the table was not made for streams; names --adopt.
AMP_EXPORT Status NotMadeForStreams(const std::string& table);
/// ConfigInvalid: the table has streams and so cannot be overwritten; names `reset`.
AMP_EXPORT Status HasStreams(const std::string& table);

/// A stream as one JSON object (format version, everything but the batch map), and back. Trusts
/// nothing: DataInvalid for text that is no such object, Unsupported for a newer format.
AMP_EXPORT std::string StreamStateToText(const StreamState& state);
AMP_EXPORT Result<StreamState> StreamStateFromText(std::string_view text);

/// A line of the batch map, and back.
AMP_EXPORT std::string BatchEntryToText(const BatchEntry& entry);
AMP_EXPORT Result<BatchEntry> BatchEntryFromText(std::string_view text);

/// [{"network":"eth","start":0,"end":9,"hash":"0x…","prev_hash":"0x…","timestamp":1}, …]
AMP_EXPORT std::string BlockRangesToText(const std::vector<BlockRange>& ranges);
AMP_EXPORT Result<std::vector<BlockRange>> BlockRangesFromText(std::string_view text);

/// {"checkpoint":{"eth":{"number":9,"hash":"0x…"}},"lag_seconds":…,…}, as `ampload info` shows it.
nlohmann::ordered_json StreamJson(const StreamState& state);
/// Seconds since the oldest of the watermark's blocks; none where no block has a time.
AMP_EXPORT std::optional<double> LagSeconds(const std::vector<BlockRange>& watermark);

/// Milliseconds since 1970.
AMP_EXPORT int64_t UnixMillisNow();
/// Is `name` one of the columns that a stream adds?
AMP_EXPORT bool IsStreamColumn(std::string_view name);

}  // namespace amp
