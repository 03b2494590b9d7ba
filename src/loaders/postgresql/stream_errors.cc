#include "loaders/postgresql/stream_errors.h"

#include "core/stream_state.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {
namespace {

const StoredStream* FindStream(const std::vector<StoredStream>& streams, std::string_view name) {
  for (const StoredStream& stream : streams) {
    if (stream.state.name == name) return &stream;
  }
  return nullptr;
}

}  // namespace

Status WhyRefused(Connection& connection, const TablePlace& place, const StreamRef& stream) {
  ARROW_ASSIGN_OR_RAISE(const auto streams, ReadStreamRows(connection, place));
  const StoredStream* stored = FindStream(streams, stream.name);
  if (stored == nullptr) return StreamGone(place.table, stream.name);
  ARROW_RETURN_NOT_OK(CheckHeld(place.table, stream, stored->state));
  ARROW_ASSIGN_OR_RAISE(const auto identity, IdentifyTable(connection, place.qualified()));
  if (!identity || identity->id != stored->table_id) {
    return TableReplaced(place.table, stream.name);
  }
  return MakeError(ErrorKind::kInternal,
                   fmt::format("the commit of stream '{}' was refused", stream.name));
}

}  // namespace amp::postgresql
