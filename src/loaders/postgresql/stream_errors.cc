#include "loaders/postgresql/stream_errors.h"

#include "core/stream_state.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {
namespace {

Status Conflict(std::string message) {
  return MakeError(
      {.kind = ErrorKind::kConflict, .side = ErrorSide::kTarget, .operation = "commit"},
      std::move(message));
}

const StoredStream* FindStream(const std::vector<StoredStream>& streams, std::string_view name) {
  for (const StoredStream& stream : streams) {
    if (stream.state.name == name) return &stream;
  }
  return nullptr;
}

}  // namespace

Status StreamGone(const TableName& table, const std::string& stream) {
  return Conflict(
      fmt::format("stream '{}' of table '{}' is not there any more: someone has reset the table. "
                  "This writer stops, and nothing of it is stored since its last commit",
                  stream, table));
}

Status WhyRefused(Connection& connection, const TablePlace& place, const StreamRef& stream) {
  ARROW_ASSIGN_OR_RAISE(const auto streams, ReadStreamRows(connection, place));
  const StoredStream* stored = FindStream(streams, stream.name);
  if (stored == nullptr) return StreamGone(place.table, stream.name);
  if (stored->state.epoch != stream.epoch) return TakenOver(place.table, stored->state);
  ARROW_ASSIGN_OR_RAISE(const auto identity, IdentifyTable(connection, place.qualified()));
  if (!identity || identity->id != stored->table_id) {
    return TableReplaced(place.table, stream.name);
  }
  if (stored->state.checkpoint.sequence != stream.sequence) {
    return Conflict(fmt::format(
        "stream '{}' of table '{}' has come to commit {}, this writer to {}; read the checkpoint "
        "again and go on from there",
        stream.name, place.table, stored->state.checkpoint.sequence, stream.sequence));
  }
  return MakeError(ErrorKind::kInternal,
                   fmt::format("the commit of stream '{}' was refused", stream.name));
}

}  // namespace amp::postgresql
