#include "loaders/postgresql/row_copier.h"

#include <arrow/record_batch.h>

#include "core/schema.h"
#include "loaders/postgresql/table.h"

namespace amp::postgresql {

Result<RowCopier> RowCopier::Make(const std::string& qualified,
                                  std::shared_ptr<arrow::Schema> schema,
                                  const std::vector<uint32_t>& oids) {
  std::vector<std::string> names;
  for (const std::string& name : schema->field_names()) names.push_back(QuoteName(name));
  ARROW_ASSIGN_OR_RAISE(RowEncoder encoder, MakeCopyEncoder(*schema, oids));
  return RowCopier(
      fmt::format("COPY {} ({}) FROM STDIN (FORMAT binary)", qualified, fmt::join(names, ", ")),
      std::move(schema), std::move(encoder));
}

Status RowCopier::Start(Connection& connection) {
  ARROW_RETURN_NOT_OK(connection.BeginCopyIn(copy_sql_));
  copying_ = true;
  return connection.PutCopyData(CopyHeader());
}

Status RowCopier::Write(Connection& connection, const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const auto plain, ToPlain(batch, schema_));
  if (!copying_) ARROW_RETURN_NOT_OK(Start(connection));
  ARROW_RETURN_NOT_OK(encoder_.Encode(
      *plain, rows_, [&](const EncodedRows& rows) { return connection.PutCopyData(rows.bytes); }));
  rows_ += batch.num_rows();
  // An answer in the middle of a COPY is an error, mostly: no need to send the rest. If it was but
  // a notice, the next batch starts another COPY.
  return connection.HasAnswer() ? End(connection) : Status::OK();
}

Status RowCopier::End(Connection& connection) {
  if (!copying_) return Status::OK();
  copying_ = false;
  ARROW_RETURN_NOT_OK(connection.PutCopyData(CopyTrailer()));
  return connection.EndCopyIn();
}

void RowCopier::Abort(Connection& connection) {
  if (copying_) connection.AbortCopyIn();
  copying_ = false;
}

}  // namespace amp::postgresql
