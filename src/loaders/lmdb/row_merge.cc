#include "loaders/lmdb/row_merge.h"

#include <arrow/builder.h>
#include <arrow/compute/api_vector.h>
#include <arrow/record_batch.h>

#include <unordered_map>

#include "core/compute.h"
#include "loaders/lmdb/entries.h"
#include "loaders/lmdb/value_format.h"

namespace amp::lmdb {
namespace {

namespace cp = arrow::compute;

/// Which rows to keep, in their order.
std::vector<int64_t> LastOfEachKey(const TextColumn& keys) {
  std::unordered_map<std::string_view, size_t> last;
  for (size_t row = 0; row < keys.ends.size(); ++row) last[keys[row]] = row;
  std::vector<int64_t> kept;
  for (size_t row = 0; row < keys.ends.size(); ++row) {
    if (last[keys[row]] == row) kept.push_back(static_cast<int64_t>(row));
  }
  return kept;
}

Result<KeyedRows> Keep(const std::vector<int64_t>& kept, const KeyedRows& rows) {
  KeyedRows fewer;
  for (const int64_t row : kept) {
    fewer.keys.bytes.append(rows.keys[static_cast<size_t>(row)]);
    fewer.keys.End();
  }
  arrow::Int64Builder places;
  ARROW_RETURN_NOT_OK(places.AppendValues(kept));
  ARROW_ASSIGN_OR_RAISE(const auto indices, places.Finish());
  ARROW_ASSIGN_OR_RAISE(const auto taken, cp::Take(arrow::Datum(rows.batch), indices));
  fewer.batch = taken.record_batch();
  return fewer;
}

}  // namespace

RowMerge::RowMerge(const Txn* txn, MDB_dbi rows, const TableFormat& format,
                   const std::vector<int>& places)
    : txn_(txn), rows_(rows), value_format_(format.value_format), schema_(format.schema) {
  for (size_t i = 0; i < places.size(); ++i) {
    if (places[i] < 0) missing_.push_back(static_cast<int>(i));
  }
}

Result<KeyedRows> RowMerge::Complete(KeyedRows rows) const {
  if (missing_.empty() || rows.batch->num_rows() == 0) return rows;
  ARROW_RETURN_NOT_OK(InitializeCompute());
  const auto kept = LastOfEachKey(rows.keys);
  if (kept.size() < rows.keys.ends.size()) {
    ARROW_ASSIGN_OR_RAISE(rows, Keep(kept, rows));
  }
  ARROW_ASSIGN_OR_RAISE(const Stored stored, ReadStored(rows.keys));
  for (const int column : missing_) {
    ARROW_ASSIGN_OR_RAISE(const auto values,
                          cp::Take(*stored.batch->column(column), *stored.places));
    ARROW_ASSIGN_OR_RAISE(rows.batch,
                          rows.batch->SetColumn(column, schema_->field(column), values));
  }
  return rows;
}

Result<RowMerge::Stored> RowMerge::ReadStored(const TextColumn& keys) const {
  ARROW_ASSIGN_OR_RAISE(const auto reader, MakeValueReader(value_format_, schema_));
  arrow::Int64Builder places;
  int64_t found = 0;
  for (size_t row = 0; row < keys.ends.size(); ++row) {
    ARROW_ASSIGN_OR_RAISE(const auto value, GetEntry(*txn_, rows_, keys[row]));
    if (value) ARROW_RETURN_NOT_OK(reader->Append(*value));
    ARROW_RETURN_NOT_OK(value ? places.Append(found++) : places.AppendNull());
  }
  Stored stored;
  ARROW_ASSIGN_OR_RAISE(stored.batch, reader->Finish());
  ARROW_ASSIGN_OR_RAISE(stored.places, places.Finish());
  return stored;
}

}  // namespace amp::lmdb
