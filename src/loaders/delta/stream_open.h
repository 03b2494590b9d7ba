#pragma once

#include "amp/stream.h"
#include "loaders/delta/load_transaction.h"

namespace amp::delta {

/// Makes this process the stream's only writer, in a commit of its own, which also makes the table
/// where it is not there, and adds the columns of streams where `spec.adopt` asks for it.
Result<StreamState> OpenStream(const WriteContext& context, const StreamSpec& spec);

/// All streams with their batch maps, in the order of their slots.
Result<std::vector<StreamState>> ReadStreams(DeltaTable* table);

/// Deletes the table: its rows, its log, and the state of its streams.
Status ResetTable(DeltaTable* table);

}  // namespace amp::delta
