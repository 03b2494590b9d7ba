#include "loaders/lmdb/entries.h"

#include "core/cell_encoder.h"

namespace amp::lmdb {
namespace {

template <class T>
void AppendNumber(T value, std::string* out) {
  uint8_t bytes[sizeof(T)];
  Put(value, bytes);
  out->append(reinterpret_cast<const char*>(bytes), sizeof(T));
}

}  // namespace

Result<std::optional<std::string_view>> GetEntry(const Txn& txn, MDB_dbi dbi,
                                                 std::string_view key) {
  MDB_val key_val = Val(key);
  MDB_val value{};
  const int code = mdb_get(txn.get(), dbi, &key_val, &value);
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return LmdbError(code, "reading", txn.environment().path());
  return View(value);
}

Status PutEntry(const Txn& txn, MDB_dbi dbi, std::string_view key, std::string_view value) {
  MDB_val key_val = Val(key);
  MDB_val value_val = Val(value);
  const int code = mdb_put(txn.get(), dbi, &key_val, &value_val, 0);
  return code == 0 ? Status::OK() : LmdbError(code, "storing", txn.environment().path());
}

Result<bool> EraseEntry(const Txn& txn, MDB_dbi dbi, std::string_view key) {
  MDB_val key_val = Val(key);
  const int code = mdb_del(txn.get(), dbi, &key_val, nullptr);
  if (code == 0 || code == MDB_NOTFOUND) return code == 0;
  return LmdbError(code, "removing", txn.environment().path());
}

Result<std::optional<Entry>> LastEntry(const Txn& txn, MDB_dbi dbi, std::string_view from,
                                       std::string_view end) {
  ARROW_ASSIGN_OR_RAISE(const Cursor cursor, Cursor::Open(txn, dbi));
  MDB_val key = Val(end);
  MDB_val value{};
  ARROW_ASSIGN_OR_RAISE(bool found, cursor.Get(MDB_SET_RANGE, &key, &value));
  ARROW_ASSIGN_OR_RAISE(found, cursor.Get(found ? MDB_PREV : MDB_LAST, &key, &value));
  if (!found || View(key) < from) return std::nullopt;
  return Entry{View(key), View(value)};
}

Status VisitEntries(const Txn& txn, MDB_dbi dbi, std::string_view from, std::string_view end,
                    const std::function<Status(const Entry&)>& visit) {
  ARROW_ASSIGN_OR_RAISE(const Cursor cursor, Cursor::Open(txn, dbi));
  MDB_val key = Val(from);
  MDB_val value{};
  ARROW_ASSIGN_OR_RAISE(bool found, cursor.Get(MDB_SET_RANGE, &key, &value));
  while (found && View(key) < end) {
    ARROW_RETURN_NOT_OK(visit({View(key), View(value)}));
    ARROW_ASSIGN_OR_RAISE(found, cursor.Get(MDB_NEXT, &key, &value));
  }
  return Status::OK();
}

Result<int64_t> EraseEntries(const Txn& txn, MDB_dbi dbi, std::string_view from,
                             std::string_view end) {
  ARROW_ASSIGN_OR_RAISE(const Cursor cursor, Cursor::Open(txn, dbi));
  MDB_val key = Val(from);
  MDB_val value{};
  int64_t erased = 0;
  ARROW_ASSIGN_OR_RAISE(bool found, cursor.Get(MDB_SET_RANGE, &key, &value));
  while (found && View(key) >= from && View(key) < end) {
    const int code = mdb_cursor_del(cursor.get(), 0);
    if (code != 0) return LmdbError(code, "removing", txn.environment().path());
    ++erased;
    // The cursor stands before what followed; the next one is that.
    ARROW_ASSIGN_OR_RAISE(found, cursor.Get(MDB_NEXT, &key, &value));
  }
  return erased;
}

std::string TableKey(std::string_view table, std::string_view rest) {
  std::string key(table);
  key.push_back('\0');
  return key.append(rest);
}

std::string TableEnd(std::string_view table) { return std::string(table) + '\x01'; }

std::string BatchKey(std::string_view table, uint64_t batch_id) {
  std::string key = TableKey(table);
  AppendNumber(batch_id, &key);
  return key;
}

std::string ChunkKey(std::string_view table, uint64_t batch_id, uint32_t chunk) {
  std::string key = BatchKey(table, batch_id);
  AppendNumber(chunk, &key);
  return key;
}

}  // namespace amp::lmdb
