#include "pipeline/undo.h"

#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "ledger/batch_map.h"
#include "pipeline/stream_writer.h"

namespace amp {
namespace {

Status NotThere(std::string message) {
  return MakeError({.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget}, std::move(message));
}

Result<StreamState> FindStream(Loader* loader, const TableName& table, const std::string& name) {
  ARROW_ASSIGN_OR_RAISE(const std::vector<StreamState> streams, loader->ReadStreams(table));
  std::vector<std::string> names;
  for (const StreamState& stream : streams) {
    if (stream.name == name) return stream;
    names.push_back(stream.name);
  }
  return NotThere(fmt::format("table '{}' has no stream '{}'; it has: {}", table, name,
                              names.empty() ? "none" : fmt::format("{}", fmt::join(names, ", "))));
}

Status CheckReach(const StreamState& state, const ReorgNotice& notice) {
  const BatchMap map(state.checkpoint.entries);
  if (!map.empty() && FindRange(map.last().ranges, notice.network) == nullptr) {
    return NotThere(fmt::format("stream '{}' has no network '{}'; its blocks are {}", state.name,
                                notice.network, RangesText(map.last().ranges)));
  }
  const size_t first = map.FirstHit(notice.network, notice.first_block);
  const bool pruned =
      first < map.entries().size() && map.entries()[first].first_id <= state.checkpoint.final_id;
  if (state.mode == LoadMode::kAppend || !pruned) return Status::OK();
  return MakeError({.kind = ErrorKind::kUnsupported, .side = ErrorSide::kTarget},
                   fmt::format("block {} of '{}' is final: what the upserts of such blocks "
                               "replaced is no longer kept, so they cannot be undone. Begin anew "
                               "with ampload reset, or undo from a later block",
                               notice.first_block, notice.network));
}

StreamSpec SpecOf(const StreamState& state, const TableName& table) {
  return {.name = state.name,
          .table = table,
          .schema = state.schema,
          .mode = state.mode,
          .key = state.key,
          .query = state.query};
}

}  // namespace

Result<UndoneStream> UndoStream(Loader* loader, const TableName& table, const std::string& stream,
                                const ReorgNotice& notice) {
  ARROW_ASSIGN_OR_RAISE(const StreamState state, FindStream(loader, table, stream));
  ARROW_RETURN_NOT_OK(CheckReach(state, notice));
  const StreamOptions options{.stream = stream, .mode = state.mode, .key = state.key};
  ARROW_ASSIGN_OR_RAISE(const auto writer, StreamWriter::Open(loader, SpecOf(state, table),
                                                              state.schema, options, true));
  const size_t before = writer->ledger().map().entries().size();
  ARROW_RETURN_NOT_OK(writer->UndoFrom(notice));
  ARROW_RETURN_NOT_OK(writer->Commit());
  const BatchMap& map = writer->ledger().map();
  return UndoneStream{.undone = writer->undone(),
                      .batches = static_cast<int64_t>(before - map.entries().size()),
                      .watermark = writer->ledger().resume_point()};
}

}  // namespace amp
