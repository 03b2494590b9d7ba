#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "amp/error.h"
#include "loaders/parquet/data_file.h"

namespace amp::delta {

/// Which columns a table wants statistics of; its properties `delta.dataSkippingNumIndexedCols` and
/// `delta.dataSkippingStatsColumns`.
struct StatsColumns {
  /// The first so many leaves, where a list or map counts as one; -1 for all.
  int64_t first = 32;
  /// Instead of the first ones, where not empty: dotted names of columns, or of structs above them.
  std::vector<std::string> named = {};
};

/// The `stats` of an `add` action: numRecords, minValues, maxValues and nullCount, by the names
/// that are in the file. Bounds hold, but may be wide: texts are cut to 32 code points, times to
/// milliseconds, the upper ones rounded up. There are none of types that readers do not skip by
/// (boolean, binary, lists, maps), nor of columns with NaN, which some readers take for the
/// largest number and some for no number.
///
/// https://github.com/delta-io/delta, PROTOCOL.md, "Per-file Statistics".
AMP_EXPORT std::string StatsJson(const parquet_files::DataFile& file, const StatsColumns& columns);

}  // namespace amp::delta
