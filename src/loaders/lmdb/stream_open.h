#pragma once

#include <memory>
#include <string>

#include "amp/stream.h"
#include "loaders/lmdb/environment.h"
#include "loaders/lmdb/lmdb_config.h"

namespace amp::lmdb {

/// Makes this process the stream's writer: see Loader::OpenStream.
Result<StreamState> OpenStream(const std::shared_ptr<Environment>& environment,
                               const LMDBConfig& config, const StreamSpec& spec);

/// Drops the table's rows, its description and everything about its streams.
Status ResetTable(const std::shared_ptr<Environment>& environment, const std::string& table);

}  // namespace amp::lmdb
