#pragma once

#include <optional>
#include <string>
#include <vector>

#include "amp/stream.h"
#include "amp/transaction.h"
#include "loaders/postgresql/connection.h"

/// Ampload's own tables, `_amp_streams` and `_amp_batches`, in the schema of the tables that
/// streams write.
namespace amp::postgresql {

/// Where a table is, or will be; names as they are, without quotes.
struct TablePlace {
  std::string schema;
  TableName table;

  std::string qualified() const;
  std::string streams() const;  ///< "schema"."_amp_streams"
  std::string batches() const;
};

/// The schema as configured; else that in which search_path finds the table; else its first one.
Result<TablePlace> FindPlace(Connection& connection, const std::string& configured_schema,
                             const TableName& table);

/// A line of `_amp_streams`.
struct StoredStream {
  StreamState state;      ///< without the batch map
  uint32_t table_id = 0;  ///< the table's oid when the stream was made
};

Result<bool> HasStateTables(Connection& connection, const TablePlace& place);
/// Makes them where they are not there, within the transaction that is open.
Status MakeStateTables(Connection& connection, const TablePlace& place);

/// All streams of the table, in the order of their slots; none where there are no state tables.
Result<std::vector<StoredStream>> ReadStreamRows(Connection& connection, const TablePlace& place);
/// Holds the stream's row until the end of the transaction: commits of its writer wait.
Status LockStreamRow(Connection& connection, const TablePlace& place, const std::string& stream);
/// The lines of `_amp_batches` with ids of `slot`; all of the table's for none.
Result<std::vector<BatchEntry>> ReadBatchMap(Connection& connection, const TablePlace& place,
                                             std::optional<int32_t> slot = {});

Status InsertStreamRow(Connection& connection, const TablePlace& place, const StoredStream& stream);
/// Stores the state's epoch, owner and next number.
Status UpdateOwner(Connection& connection, const TablePlace& place, const StreamState& state);

/// Statements of a stream's commit: puts the checkpoint into the stream's row and the batch map.
/// Fails with a division by zero unless the row has the reference's epoch, the sequence before the
/// checkpoint's, and the table's identity.
std::string CheckpointSql(const Connection& connection, const TablePlace& place, uint32_t table_id,
                          const StreamRef& stream, const Checkpoint& checkpoint);
/// The SQLSTATE of that failure.
inline constexpr std::string_view kNoSuchRow = "22012";

/// Deletes the slot's lines of the batch map that reach above an id.
std::string ForgetBatchesSql(const Connection& connection, const TablePlace& place, int32_t slot,
                             int64_t batch_id);
/// Deletes all that is stored about the table's streams.
std::string ForgetTableSql(const Connection& connection, const TablePlace& place);

}  // namespace amp::postgresql
