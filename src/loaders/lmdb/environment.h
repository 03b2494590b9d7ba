#pragma once

#include <lmdb.h>

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <string_view>

#include "amp/error.h"
#include "loaders/lmdb/lmdb_config.h"

/// LMDB's C interface with owners and errors. http://www.lmdb.tech/doc/
namespace amp::lmdb {

/// An LMDB or system error code as an error: what was done, why, what to do.
Status LmdbError(int code, std::string_view operation, std::string_view path);

inline std::string_view View(const MDB_val& value) {
  return {static_cast<const char*>(value.mv_data), value.mv_size};
}
inline MDB_val Val(std::string_view bytes) {
  return {bytes.size(), const_cast<char*>(bytes.data())};
}

class Environment;

/// A transaction of LMDB; given up when it goes out of scope uncommitted.
class Txn {
 public:
  static Result<Txn> Begin(std::shared_ptr<Environment> environment, bool read_only);
  Txn(Txn&& other) noexcept
      : environment_(std::move(other.environment_)), txn_(std::exchange(other.txn_, nullptr)) {}
  Txn& operator=(Txn&&) = delete;
  ~Txn() { Abort(); }

  Status Commit();
  void Abort();
  MDB_txn* get() const { return txn_; }
  Environment& environment() const { return *environment_; }

 private:
  Txn(std::shared_ptr<Environment> environment, MDB_txn* txn)
      : environment_(std::move(environment)), txn_(txn) {}

  std::shared_ptr<Environment> environment_;
  MDB_txn* txn_;
};

/// A cursor; closed before its transaction ends.
class Cursor {
 public:
  static Result<Cursor> Open(const Txn& txn, MDB_dbi dbi);
  Cursor(Cursor&& other) noexcept : cursor_(std::exchange(other.cursor_, nullptr)) {}
  Cursor& operator=(Cursor&&) = delete;
  ~Cursor() {
    if (cursor_ != nullptr) mdb_cursor_close(cursor_);
  }
  /// MDB_FIRST, MDB_NEXT, …; false at the end.
  Result<bool> Get(MDB_cursor_op op, MDB_val* key, MDB_val* value) const;
  MDB_cursor* get() const { return cursor_; }

 private:
  explicit Cursor(MDB_cursor* cursor) : cursor_(cursor) {}
  MDB_cursor* cursor_;
};

/// A database folder, opened once in a process whoever asks: LMDB's locks need that.
class Environment : public std::enable_shared_from_this<Environment> {
 public:
  static Result<std::shared_ptr<Environment>> Open(const LMDBConfig& config);
  static bool Exists(const std::string& path);
  ~Environment();

  /// The named database; none where there is none and it is not to be made.
  Result<std::optional<MDB_dbi>> Find(const std::string& name, bool create);
  MDB_env* get() const { return env_; }
  const std::string& path() const { return path_; }

 private:
  friend class Txn;
  Environment(MDB_env* env, std::string path) : env_(env), path_(std::move(path)) {}
  static Result<std::shared_ptr<Environment>> OpenNew(const LMDBConfig& config);
  Status Map(const LMDBConfig& config);
  std::optional<MDB_dbi> KnownHandle(const std::string& name);
  Result<std::optional<MDB_dbi>> OpenHandle(const std::string& name, bool create);
  int BeginTxn(unsigned flags, MDB_txn** txn);
  int TryBegin(unsigned flags, MDB_txn** txn);
  bool AdoptMapSize();

  MDB_env* env_;
  std::string path_;
  std::string key_;  ///< the folder's real path, once open
  std::mutex mutex_;
  std::map<std::string, MDB_dbi> databases_;
  std::shared_mutex map_mutex_;  ///< held alone while the map changes
  std::atomic<int> active_ = 0;  ///< transactions of this process
  bool unmapped_ = false;        ///< a larger map was not to be had, and the old one is gone
};

}  // namespace amp::lmdb
