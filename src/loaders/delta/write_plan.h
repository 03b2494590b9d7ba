#pragma once

#include <memory>
#include <vector>

#include "amp/transaction.h"
#include "loaders/delta/delta_config.h"
#include "loaders/delta/protocol/actions.h"
#include "loaders/delta/protocol/type_plan.h"
#include "loaders/delta/stats_json.h"
#include "loaders/delta/table.h"
#include "loaders/parquet/file_plan.h"

namespace amp::delta {

/// How batches of one schema become data files of one table. Immutable.
struct WritePlan {
  SchemaPlan columns;
  Strings partition_columns;
  std::shared_ptr<const parquet_files::FilePlan> files;  ///< of the other columns
  StatsColumns stats;
  /// Rows that belong to no stream of a table that has some: their files have no batch ids.
  bool beside_streams = false;
  std::optional<Metadata> new_table;  ///< where the table is still to be made
  std::optional<Protocol> new_protocol;
  Metadata table = {};  ///< as it was planned on
};

/// The types of columns as the configuration wants them.
TypeOptions TypeOptionsOf(const DeltaLakeStorageConfig& config);

/// Checks that the schema fits the table, or plans the table where there is none. Nobody needs the
/// table's mutex for the plan itself.
Result<WritePlan> PlanWrite(const DeltaTable& table, const DeltaLakeStorageConfig& config,
                            const arrow::Schema& schema);

/// Is the table as it was when the write was planned, but for its rows?
bool IsPlanOf(const WritePlan& plan, const DeltaTable& table);

/// May this version write the table, and rows be taken out of it?
Status CheckMayWrite(const DeltaTable& table);
Status CheckMayRemove(const DeltaTable& table);

}  // namespace amp::delta
