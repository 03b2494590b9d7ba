#pragma once

#include <lmdb.h>

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "amp/error.h"

namespace amp::testing {

/// All entries of a named database, by LMDB's own C interface. The environment must not be open in
/// this process otherwise.
inline Result<std::vector<std::pair<std::string, std::string>>> ReadLmdb(const std::string& path,
                                                                         const std::string& name) {
  std::vector<std::pair<std::string, std::string>> entries;
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_cursor* cursor = nullptr;
  MDB_dbi dbi = 0;
  mdb_env_create(&env);
  mdb_env_set_maxdbs(env, 8);
  mdb_env_set_mapsize(env, size_t{1} << 30);  // less than the file says it may grow to
  int code = mdb_env_open(env, path.c_str(), MDB_RDONLY, 0);
  if (code == 0) code = mdb_txn_begin(env, nullptr, MDB_RDONLY, &txn);
  if (code == 0) code = mdb_dbi_open(txn, name.c_str(), 0, &dbi);
  if (code == 0) code = mdb_cursor_open(txn, dbi, &cursor);
  MDB_val key{};
  MDB_val value{};
  while (code == 0 && (code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) == 0) {
    entries.emplace_back(std::string(static_cast<char*>(key.mv_data), key.mv_size),
                         std::string(static_cast<char*>(value.mv_data), value.mv_size));
  }
  if (cursor != nullptr) mdb_cursor_close(cursor);
  if (txn != nullptr) mdb_txn_abort(txn);
  mdb_env_close(env);
  if (code != MDB_NOTFOUND && code != 0) return Status::IOError(mdb_strerror(code));
  return entries;
}

/// Removes the entries of a table's streams from one of the databases that keep them, where it is.
inline int DropLmdbEntries(MDB_txn* txn, const char* database, const std::string& table) {
  const std::string prefix = table + '\0';
  MDB_dbi dbi = 0;
  MDB_cursor* cursor = nullptr;
  int code = mdb_dbi_open(txn, database, 0, &dbi);
  if (code != 0) return code == MDB_NOTFOUND ? 0 : code;
  code = mdb_cursor_open(txn, dbi, &cursor);
  MDB_val key{prefix.size(), const_cast<char*>(prefix.data())};
  MDB_val value{};
  if (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_SET_RANGE);
  while (code == 0 &&
         std::string_view(static_cast<char*>(key.mv_data), key.mv_size).starts_with(prefix)) {
    code = mdb_cursor_del(cursor, 0);
    if (code == 0) code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT);
  }
  if (cursor != nullptr) mdb_cursor_close(cursor);
  return code == MDB_NOTFOUND ? 0 : code;
}

/// Removes a named database and its description, with `streams` what its streams left, too. The
/// same holds of the environment.
inline Status DropLmdb(const std::string& path, const std::string& name, bool streams = false) {
  MDB_env* env = nullptr;
  MDB_txn* txn = nullptr;
  MDB_dbi rows = 0;
  MDB_dbi tables = 0;
  mdb_env_create(&env);
  mdb_env_set_maxdbs(env, 8);
  mdb_env_set_mapsize(env, size_t{1} << 30);  // less than the file says it may grow to
  int code = mdb_env_open(env, path.c_str(), 0, 0644);
  if (code == 0) code = mdb_txn_begin(env, nullptr, 0, &txn);
  if (code == 0) code = mdb_dbi_open(txn, name.c_str(), 0, &rows);
  if (code == 0) code = mdb_drop(txn, rows, /*del=*/1);
  if (code == 0) code = mdb_dbi_open(txn, "_amp_tables", 0, &tables);
  MDB_val key{name.size(), const_cast<char*>(name.data())};
  if (code == 0) code = mdb_del(txn, tables, &key, nullptr);
  for (const char* database : {"_amp_streams", "_amp_batches", "_amp_undo"}) {
    if (streams && (code == 0 || code == MDB_NOTFOUND)) code = DropLmdbEntries(txn, database, name);
  }
  if (code == 0 || code == MDB_NOTFOUND) {
    code = mdb_txn_commit(txn);
  } else if (txn != nullptr) {
    mdb_txn_abort(txn);
  }
  mdb_env_close(env);
  return code == 0 ? Status::OK() : Status::IOError(mdb_strerror(code));
}

}  // namespace amp::testing
