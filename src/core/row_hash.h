#pragma once

#include <arrow/type_fwd.h>

#include <memory>
#include <string>
#include <vector>

#include "amp/error.h"
#include "amp/export.h"
#include "core/hash128.h"
#include "core/value_form.h"

/// Hashes of rows, made so that a row has the same on both sides of a target's type table.
namespace amp {

/// How many rows, and the sum of their hashes: the same for the same rows in any order.
struct RowSum {
  int64_t rows = 0;
  Uint128 sum = 0;

  void Add(const Hash128& row) {
    ++rows;
    sum += row.number();
  }
  void Add(const RowSum& other) {
    rows += other.rows;
    sum += other.sum;
  }
  friend bool operator==(const RowSum&, const RowSum&) = default;
};

/// The columns that two sides have in common, and how each is compared.
struct RowForm {
  struct Column {
    std::string name;
    ValueForm form;
  };
  std::vector<Column> columns;
  /// What keeps the sides from being the same, whatever the rows: columns of the source that the
  /// target lacks, or whose types cannot be compared.
  std::vector<std::string> differences;
};

/// Matches columns by name; leaves out what only the target has, and Ampload's own columns.
/// Unsupported for types that no target takes.
AMP_EXPORT Result<RowForm> MatchRows(const arrow::Schema& source, const arrow::Schema& target);

/// The columns of `form` that are named; ConfigInvalid where one is not there.
AMP_EXPORT Result<RowForm> SelectColumns(const RowForm& form,
                                         const std::vector<std::string>& names);

/// The hash of each row, over the columns of `form`.
AMP_EXPORT Result<std::vector<Hash128>> HashRows(const arrow::RecordBatch& batch,
                                                 const RowForm& form);

}  // namespace amp
