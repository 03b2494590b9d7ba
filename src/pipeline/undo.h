#pragma once

#include <string>
#include <vector>

#include "amp/loader.h"
#include "amp/stream_source.h"

namespace amp {

/// What `ampload undo` did to a stream.
struct UndoneStream {
  UndoReport undone;
  int64_t batches = 0;                ///< lines of the batch map that went
  std::vector<BlockRange> watermark;  ///< where the stream goes on; empty: from the beginning
};

/// Takes back every batch of a stream that holds the block or a later one of its network, and lets
/// the stream's next run go on before them. A writer that runs meanwhile is fenced off.
///
/// Errors: NotFound for a stream or network that is not there; Unsupported where an upserted table
/// would have to go back further than its before-images reach.
AMP_EXPORT Result<UndoneStream> UndoStream(Loader* loader, const TableName& table,
                                           const std::string& stream, const ReorgNotice& notice);

}  // namespace amp
