#pragma once

#include "loaders/postgresql/stream_table.h"

namespace amp::postgresql {

/// Makes this process the stream's writer, in one transaction: table, index, state tables and
/// stream are made where they are not there, and the epoch is raised. See Loader::OpenStream.
Result<StreamState> OpenStream(Connection& connection, const TablePlace& place,
                               const StreamSpec& spec, StreamTableCache* cache);

/// All streams of a table with their batch maps.
Result<std::vector<StreamState>> ReadStreams(Connection& connection, const TablePlace& place);

/// Drops the table and all that is stored about its streams, in one transaction.
Status ResetTable(Connection& connection, const TablePlace& place);

/// HasStreams where the table has streams.
Status CheckHasNoStreams(Connection& connection, const TablePlace& place);

}  // namespace amp::postgresql
