#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "amp/transaction.h"
#include "loaders/postgresql/state_tables.h"
#include "loaders/postgresql/table.h"

/// The SQL of upserts and merges, and of undoing them.
///
/// Rows are copied into a temporary table, from which one statement brings them into the target.
/// Where a stream writes, that statement also keeps an *image* of each key: what its row was before
/// the batch, in the table `_amp_images_<oid of the target>`, with the target's own columns.
namespace amp::postgresql {

/// Counts the rows of the staging table, in the order in which they came.
inline constexpr std::string_view kRowColumn = "_amp_row";

struct KeyedTarget {
  TablePlace place;
  uint32_t table_id = 0;
  std::vector<TableColumn> columns;  ///< of the target
  std::shared_ptr<arrow::Schema> plain;
  LoadMode mode = LoadMode::kUpsert;
  std::vector<std::string> key;

  std::string stage() const;   ///< pg_temp."_amp_stage_…"; another one for other columns
  std::string images() const;  ///< "schema"."_amp_images_…"
};

/// The name of a table's images, without the schema.
std::string ImagesName(uint32_t table_id);

/// CREATE TEMPORARY TABLE …; it is kept by the connection, and empty after each transaction.
std::string StageSql(const KeyedTarget& target);

/// Brings staged rows from number `from` on into the target; the last row of a key wins.
std::string UpsertSql(const KeyedTarget& target, int64_t from);
/// The same for batch `batch_id` of a stream, with images. Gives one row: keys, keys that were
/// there, keys that were inserted. The first is the sum of the others, unless someone else inserted
/// one of them at the same moment.
std::string UpsertWithImagesSql(const KeyedTarget& target, int64_t from, int64_t batch_id);

/// Makes the table of images, or adds the columns to it that the target has got since.
Status EnsureImages(Connection& connection, const KeyedTarget& target);

/// The batches in (after, last].
struct IdRange {
  int64_t after;
  int64_t last;
};
/// Undoes batches: per key the earliest image comes back (the earliest after another stream's last
/// write), if the row is still as the newest of the batches left it. Gives one row: keys, keys that
/// were deleted, restored.
std::string UndoImagesSql(const KeyedTarget& target, const IdRange& ids);
/// Where another stream has written a row after one of the batches, the past that it keeps of the
/// row is one that is undone now: it gets what comes before that. Must be a statement of its own
/// after the undo, which may have waited for that stream's commit.
std::string HandOverImagesSql(const KeyedTarget& target, const IdRange& ids);
/// Drops the images of batches.
std::string DropImagesSql(const KeyedTarget& target, const IdRange& ids);
/// Drops the images that a stream's checkpoint makes final; goes before CheckpointSql.
std::string PruneImagesSql(const Connection& connection, const KeyedTarget& target,
                           const std::string& stream, int64_t final_id);

/// Settings under which a row's text does not depend on who asks.
extern const std::string_view kTextSettings;

}  // namespace amp::postgresql
