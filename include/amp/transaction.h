#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "amp/load_result.h"
#include "amp/stream.h"

namespace amp {

/// One identifier, taken as it is: quotes, dots, unicode and reserved words included.
using TableName = std::string;

/// What a transaction writes and where.
struct WriteSpec {
  TableName table;
  std::shared_ptr<arrow::Schema> schema;
  LoadMode mode = LoadMode::kAppend;
  std::vector<std::string> key = {};  ///< key columns, where the mode or the target needs them
  /// The stream, as `Loader::OpenStream` gave it; the schema has its `_amp_` columns.
  std::optional<StreamRef> stream = {};
};

/// Errors of single rows, for loaders that find them row by row (`LoaderTraits::row_errors`).
class AMP_EXPORT RowErrors {
 public:
  static constexpr size_t kLimit = 100;
  static constexpr size_t kShown = 5;

  /// Notes that `row` (counted from 0 within the load) was skipped. Fails when there are more than
  /// `kLimit`: the load stops then.
  Status Add(int64_t row, std::string_view message);
  /// DataInvalid when rows were skipped; says so differently when none was loaded at all.
  Status Judge(int64_t rows_loaded) const;
  const std::vector<std::string>& messages() const { return messages_; }
  bool empty() const { return messages_.empty(); }

 private:
  std::vector<std::string> messages_;
};

/// Everything is written through a transaction: it alone creates, clears and fills a table.
///
/// A transaction belongs to one thread. One that is destroyed without Commit or Rollback is rolled
/// back. After an error from Write only Rollback may be called.
class AMP_EXPORT Transaction {
 public:
  Transaction() = default;
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  virtual ~Transaction();

  /// Stores a batch of the spec's schema; returns how many of its rows.
  virtual Result<int64_t> Write(const BatchRecord& record, const arrow::RecordBatch& batch) = 0;

  /// Takes back every batch of this stream with an id above `batch_id`: its rows, also those
  /// written earlier in this same transaction, and its line in the batch map. In upserted tables
  /// the rows that were there before come back. Costs what is undone, never the size of the table.
  virtual Result<UndoReport> UndoAfter(int64_t batch_id);

  /// Makes the rows and the checkpoint visible at once. Errors: Conflict when another writer has
  /// taken the stream over; CommitUnknown when the answer was lost.
  virtual Status Commit(const Checkpoint& checkpoint) = 0;
  virtual Status Rollback() = 0;

  /// Rows that were skipped; null for loaders that refuse a batch whole.
  virtual const RowErrors* row_errors() const { return nullptr; }
};

}  // namespace amp
