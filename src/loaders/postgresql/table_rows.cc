#include "loaders/postgresql/table_rows.h"

#include "core/schema.h"
#include "loaders/postgresql/key_index.h"

namespace amp::postgresql {

Result<TableRows> TableRows::Make(Connection& connection, const TablePlace& place,
                                  uint32_t table_id, const std::vector<TableColumn>& columns,
                                  const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(auto plain, PlainSchema(*spec.schema));
  ARROW_ASSIGN_OR_RAISE(const auto oids, MatchTable(columns, *plain, place.table));
  if (!IsKeyed(spec.mode)) {
    ARROW_ASSIGN_OR_RAISE(RowCopier rows,
                          RowCopier::Make(place.qualified(), std::move(plain), oids));
    return TableRows(std::move(rows));
  }
  KeyedTarget target{.place = place,
                     .table_id = table_id,
                     .columns = columns,
                     .plain = std::move(plain),
                     .mode = spec.mode,
                     .key = spec.key};
  ARROW_ASSIGN_OR_RAISE(KeyedRows rows, KeyedRows::Make(connection, std::move(target), oids));
  return TableRows(std::move(rows));
}

Status TableRows::Write(Connection& connection, std::optional<int64_t> batch_id,
                        const arrow::RecordBatch& batch) {
  if (auto* keyed = std::get_if<KeyedRows>(&writer_)) {
    return keyed->Write(connection, batch_id, batch);
  }
  return std::get<RowCopier>(writer_).Write(connection, batch);
}

Status TableRows::Flush(Connection& connection) {
  if (auto* keyed = std::get_if<KeyedRows>(&writer_)) return keyed->Flush(connection);
  return std::get<RowCopier>(writer_).End(connection);
}

void TableRows::Abort(Connection& connection) {
  std::visit([&](auto& writer) { writer.Abort(connection); }, writer_);
}

const KeyedTarget* TableRows::keyed() const {
  const auto* keyed = std::get_if<KeyedRows>(&writer_);
  return keyed == nullptr ? nullptr : &keyed->target();
}

}  // namespace amp::postgresql
