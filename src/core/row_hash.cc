#include "core/row_hash.h"

#include <arrow/record_batch.h>
#include <arrow/type.h>
#include <fmt/format.h>

#include <algorithm>

#include "core/compute.h"
#include "core/schema.h"
#include "core/value_hash.h"

namespace amp {
namespace {

constexpr std::string_view kOwnPrefix = "_amp_";

Status Match(const arrow::Field& source, const arrow::Field& plain_source,
             const arrow::Schema& target, RowForm* form) {
  const auto found = target.GetFieldByName(source.name());
  if (found == nullptr) {
    form->differences.push_back(
        fmt::format("column '{}' of the source is not in the table", source.name()));
    return Status::OK();
  }
  ARROW_ASSIGN_OR_RAISE(const auto plain_target, PlainSchema(*arrow::schema({found})));
  auto common =
      CommonForm({.type = *plain_source.type(), .json = IsJsonText(*source.type())},
                 {.type = *plain_target->field(0)->type(), .json = IsJsonText(*found->type())});
  if (!common) {
    form->differences.push_back(
        fmt::format("column '{}' is {} in the source and {} in the table, which cannot be compared",
                    source.name(), source.type()->ToString(), found->type()->ToString()));
    return Status::OK();
  }
  form->columns.push_back({source.name(), *std::move(common)});
  return Status::OK();
}

// The column of a batch in its plain layout.
Result<std::shared_ptr<arrow::Array>> PlainColumn(const arrow::RecordBatch& batch,
                                                  const std::string& name) {
  const int place = batch.schema()->GetFieldIndex(name);
  if (place < 0) {
    return MakeError(ErrorKind::kSchemaMismatch,
                     fmt::format("a batch has no single column '{}'", name));
  }
  const auto schema = arrow::schema({batch.schema()->field(place)});
  ARROW_ASSIGN_OR_RAISE(const auto plain, PlainSchema(*schema));
  const auto one = arrow::RecordBatch::Make(schema, batch.num_rows(), {batch.column(place)});
  ARROW_ASSIGN_OR_RAISE(const auto made, ToPlain(*one, plain));
  return made->column(0);
}

// A cell counts for its column: the same value elsewhere adds something else.
void AddColumn(const std::vector<Hash128>& cells, uint64_t column, std::vector<Hash128>* rows) {
  const uint64_t seed = MixBits(column + 1);
  for (size_t i = 0; i < cells.size(); ++i) {
    (*rows)[i].low += MixBits(cells[i].low + seed);
    (*rows)[i].high += MixBits(cells[i].high ^ seed);
  }
}

}  // namespace

Result<RowForm> MatchRows(const arrow::Schema& source, const arrow::Schema& target) {
  ARROW_ASSIGN_OR_RAISE(const auto plain, PlainSchema(source));
  RowForm form;
  for (int i = 0; i < source.num_fields(); ++i) {
    if (source.field(i)->name().starts_with(kOwnPrefix)) continue;
    ARROW_RETURN_NOT_OK(Match(*source.field(i), *plain->field(i), target, &form));
  }
  return form;
}

Result<RowForm> SelectColumns(const RowForm& form, const std::vector<std::string>& names) {
  RowForm selected;
  for (const std::string& name : names) {
    const auto found = std::find_if(form.columns.begin(), form.columns.end(),
                                    [&](const auto& column) { return column.name == name; });
    if (found == form.columns.end()) {
      return MakeError(ErrorKind::kConfigInvalid,
                       fmt::format("there is no column '{}' on both sides", name));
    }
    selected.columns.push_back(*found);
  }
  return selected;
}

Result<std::vector<Hash128>> HashRows(const arrow::RecordBatch& batch, const RowForm& form) {
  ARROW_RETURN_NOT_OK(InitializeCompute());
  std::vector<Hash128> rows(static_cast<size_t>(batch.num_rows()));
  uint64_t place = 0;
  for (const RowForm::Column& column : form.columns) {
    ARROW_ASSIGN_OR_RAISE(const auto array, PlainColumn(batch, column.name));
    ARROW_ASSIGN_OR_RAISE(const auto cells, HashValues(*array, column.form));
    AddColumn(cells, place++, &rows);
  }
  // Mixed once more: else cells could change places between rows, and the sum stay the same.
  for (Hash128& row : rows) row = HashWords(row.low, row.high, 7);
  return rows;
}

}  // namespace amp
