#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "loaders/delta/protocol/actions.h"
#include "loaders/delta/table.h"
#include "loaders/parquet/worker_pool.h"

namespace amp::delta {

/// Ids above `after` up to `last`: the batches of one stream that are to be undone.
struct IdRange {
  int64_t after = 0;
  int64_t last = 0;
  bool contains(int64_t id) const { return id > after && id <= last; }
};

/// What an undo does to a table.
struct UndoPlan {
  std::vector<Action> actions;            ///< removes; adds of files that were written anew
  std::vector<std::string> written = {};  ///< those files, for when the commit does not come about
  int64_t rows = 0;                       ///< that go
};

/// Takes whole files out of the table, without reading them. Only where another writer has put
/// rows of several batches into one file are rows read, and those that stay written anew.
Result<UndoPlan> PlanUndo(DeltaTable* table, const IdRange& ids, parquet_files::WorkerPool* pool);

}  // namespace amp::delta
