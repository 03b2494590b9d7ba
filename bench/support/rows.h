#pragma once

#include <arrow/record_batch.h>
#include <arrow/table.h>

#include <memory>
#include <string>

#include "amp/source.h"

namespace amp::bench {

/// All rows of a Parquet or Arrow file, in memory.
inline Result<std::shared_ptr<arrow::Table>> ReadRows(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const FileSource source, OpenFiles({.paths = {path}}));
  return source.reader->ToTable();
}

}  // namespace amp::bench
