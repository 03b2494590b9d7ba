#include "loaders/lmdb/environment.h"

#include <sys/stat.h>

#include <cerrno>
#include <condition_variable>
#include <cstring>
#include <filesystem>

namespace amp {

Status LMDBConfig::Validate() const {
  if (!key_columns.empty() && !key_pattern.empty()) {
    return MakeError(ErrorKind::kConfigInvalid,
                     "lmdb: key_columns and key_pattern exclude each other; give one");
  }
  return Status::OK();
}

}  // namespace amp

namespace amp::lmdb {
namespace {

namespace fs = std::filesystem;

constexpr MDB_dbi kMostTables = 1024;
// The map is address space, not memory and not disk: the file grows as rows come. A terabyte leaves
// room to grow without closing; what a system does not grant is halved until it does.
constexpr size_t kReservedBytes = size_t{1} << 40;
constexpr size_t kLeastReservedBytes = size_t{1} << 28;

std::string DataFile(const std::string& path) { return path + "/data.mdb"; }

size_t UsedBytes(const std::string& path) {
  std::error_code error;
  const auto size = fs::file_size(DataFile(path), error);
  return error ? 0 : static_cast<size_t>(size);
}

Status MakeFolder(const LMDBConfig& config) {
  if (Environment::Exists(config.path)) return Status::OK();
  if (!config.create_db) {
    return MakeError(
        {.kind = ErrorKind::kNotFound, .side = ErrorSide::kTarget},
        fmt::format("there is no LMDB database in '{}', and create_db is false", config.path));
  }
  std::error_code error;
  fs::create_directories(config.path, error);
  if (!error) return Status::OK();
  return LmdbError(error.value(), "making the folder", config.path);
}

struct Meaning {
  int code;
  ErrorKind kind;
  std::string_view advice;
};

constexpr std::array<Meaning, 17> kMeanings{{
    {MDB_MAP_FULL, ErrorKind::kUnavailable, "Raise map_size, or leave it out: then it grows"},
    {MDB_DBS_FULL, ErrorKind::kUnavailable, "This process has 1024 tables of the database open"},
    {MDB_MAP_RESIZED, ErrorKind::kUnavailable,
     "Another process let the database grow; try again when what is open has ended"},
    {MDB_PANIC, ErrorKind::kUnavailable, "Close the database and open it again"},
    {MDB_READERS_FULL, ErrorKind::kRateLimited, "Too many readers are open; end some"},
    {MDB_TXN_FULL, ErrorKind::kUnavailable, "The load is too large for one transaction; split it"},
    {MDB_INVALID, ErrorKind::kAlreadyExists,
     "The file is not an LMDB database; choose another path"},
    {MDB_VERSION_MISMATCH, ErrorKind::kUnsupported, "Another version of LMDB wrote it"},
    {MDB_CORRUPTED, ErrorKind::kDataInvalid, "Restore it from a copy"},
    {MDB_PAGE_NOTFOUND, ErrorKind::kDataInvalid, "Restore it from a copy"},
    {MDB_INCOMPATIBLE, ErrorKind::kAlreadyExists,
     "The database was made in another way than Ampload's; choose another table"},
    {ENOSPC, ErrorKind::kUnavailable, "The disk is full; make room and load again"},
    // What LMDB makes of a page that was written in part only.
    {EIO, ErrorKind::kUnavailable,
     "The disk may be full, or the file may not grow further (ulimit -f)"},
    {EFBIG, ErrorKind::kUnavailable, "The file may not grow further; raise the limit (ulimit -f)"},
    {EDQUOT, ErrorKind::kUnavailable, "The quota is used up; make room and load again"},
    {EACCES, ErrorKind::kUnauthenticated, "Check the folder's permissions"},
    {EROFS, ErrorKind::kUnauthenticated, "The file system is read-only"},
}};

/// Environments that are open, by the real path of their folder. An entry whose pointer has expired
/// is just being closed.
struct OpenEnvironments {
  std::mutex mutex;
  std::condition_variable closed;
  std::map<std::string, std::weak_ptr<Environment>> by_path;

  static OpenEnvironments& Global() {
    static auto* open = new OpenEnvironments();
    return *open;
  }
};

}  // namespace

Status LmdbError(int code, std::string_view operation, std::string_view path) {
  ErrorKind kind = ErrorKind::kUnavailable;
  std::string_view advice;
  for (const Meaning& meaning : kMeanings) {
    if (meaning.code != code) continue;
    kind = meaning.kind;
    advice = meaning.advice;
  }
  return MakeError({.kind = kind,
                    .side = ErrorSide::kTarget,
                    .operation = std::string(operation),
                    .native_code = std::to_string(code),
                    .retryable = code == MDB_MAP_RESIZED || code == MDB_PANIC},
                   fmt::format("LMDB '{}': {}: {}{}{}", path, operation, mdb_strerror(code),
                               advice.empty() ? "" : ". ", advice));
}

Result<Txn> Txn::Begin(std::shared_ptr<Environment> environment, bool read_only) {
  MDB_txn* txn = nullptr;
  const int code = environment->BeginTxn(read_only ? MDB_RDONLY : 0, &txn);
  if (code != 0) return LmdbError(code, "starting a transaction", environment->path());
  return Txn(std::move(environment), txn);
}

Status Txn::Commit() {
  const int code = mdb_txn_commit(std::exchange(txn_, nullptr));
  --environment_->active_;
  return code == 0 ? Status::OK() : LmdbError(code, "commit", environment_->path());
}

void Txn::Abort() {
  if (txn_ == nullptr) return;
  mdb_txn_abort(std::exchange(txn_, nullptr));
  --environment_->active_;
}

Result<Cursor> Cursor::Open(const Txn& txn, MDB_dbi dbi) {
  MDB_cursor* cursor = nullptr;
  const int code = mdb_cursor_open(txn.get(), dbi, &cursor);
  if (code != 0) return LmdbError(code, "reading", txn.environment().path());
  return Cursor(cursor);
}

Result<bool> Cursor::Get(MDB_cursor_op op, MDB_val* key, MDB_val* value) const {
  const int code = mdb_cursor_get(cursor_, key, value, op);
  if (code == MDB_NOTFOUND) return false;
  if (code != 0) return LmdbError(code, "reading", "");
  return true;
}

bool Environment::Exists(const std::string& path) {
  std::error_code error;
  return fs::exists(DataFile(path), error);
}

Result<std::shared_ptr<Environment>> Environment::Open(const LMDBConfig& config) {
  ARROW_RETURN_NOT_OK(MakeFolder(config));
  std::error_code error;
  const std::string key = fs::canonical(config.path, error).string();
  if (error) return LmdbError(error.value(), "opening the folder", config.path);
  OpenEnvironments& open = OpenEnvironments::Global();
  std::unique_lock lock(open.mutex);
  while (open.by_path.contains(key)) {
    if (auto environment = open.by_path[key].lock()) return environment;
    open.closed.wait(lock);
  }
  ARROW_ASSIGN_OR_RAISE(auto environment, OpenNew(config));
  environment->key_ = key;
  open.by_path[key] = environment;
  return environment;
}

Result<std::shared_ptr<Environment>> Environment::OpenNew(const LMDBConfig& config) {
  MDB_env* env = nullptr;
  int code = mdb_env_create(&env);
  if (code != 0) return LmdbError(code, "opening", config.path);
  std::shared_ptr<Environment> environment(new Environment(env, config.path));
  code = mdb_env_set_maxdbs(env, kMostTables);
  if (code != 0) return LmdbError(code, "opening", config.path);
  ARROW_RETURN_NOT_OK(environment->Map(config));
  int dead_readers = 0;
  // Not `env`: mapping may have made another one.
  mdb_reader_check(environment->get(), &dead_readers);
  return environment;
}

Status Environment::Map(const LMDBConfig& config) {
  // Readers are not bound to threads: a result may be read on another one.
  const unsigned flags = MDB_NOTLS | (config.sync ? 0U : MDB_NOSYNC);
  const bool fixed = config.map_size.bytes > 0;
  size_t size = fixed ? static_cast<size_t>(config.map_size.bytes)
                      : std::max(kReservedBytes, 4 * UsedBytes(config.path));
  while (true) {
    mdb_env_set_mapsize(env_, size);
    const int code = mdb_env_open(env_, config.path.c_str(), flags, 0644);
    if (code == 0) return Status::OK();
    const bool too_large = code == ENOMEM || code == EINVAL;
    if (fixed || !too_large || size <= kLeastReservedBytes) {
      return LmdbError(code, "opening", config.path);
    }
    // After a failed open only closing is allowed.
    mdb_env_close(env_);
    env_ = nullptr;
    if (const int made = mdb_env_create(&env_); made != 0) {
      return LmdbError(made, "opening", config.path);
    }
    mdb_env_set_maxdbs(env_, kMostTables);
    size /= 2;
  }
}

Environment::~Environment() {
  if (env_ != nullptr) mdb_env_close(env_);
  if (key_.empty()) return;
  OpenEnvironments& open = OpenEnvironments::Global();
  const std::lock_guard lock(open.mutex);
  open.by_path.erase(key_);
  open.closed.notify_all();
}

int Environment::TryBegin(unsigned flags, MDB_txn** txn) {
  const std::shared_lock lock(map_mutex_);
  if (unmapped_) return ENOMEM;
  const int code = mdb_txn_begin(env_, nullptr, flags, txn);
  if (code == 0) ++active_;
  return code;
}

int Environment::BeginTxn(unsigned flags, MDB_txn** txn) {
  const int code = TryBegin(flags, txn);
  return code == MDB_MAP_RESIZED && AdoptMapSize() ? TryBegin(flags, txn) : code;
}

// Another process, which may use more, let the file grow beyond this one's map. The map can be
// changed only while this process has no transaction. As much as that process may use is perhaps
// more than this one gets, and without a map LMDB would crash.
bool Environment::AdoptMapSize() {
  const std::unique_lock lock(map_mutex_, std::try_to_lock);
  if (!lock.owns_lock() || active_ > 0 || unmapped_) return false;
  MDB_envinfo info{};
  mdb_env_info(env_, &info);
  const size_t size = std::max(info.me_mapsize, 4 * UsedBytes(path_));
  unmapped_ = mdb_env_set_mapsize(env_, size) != 0;
  return !unmapped_;
}

std::optional<MDB_dbi> Environment::KnownHandle(const std::string& name) {
  const std::lock_guard lock(mutex_);
  const auto known = databases_.find(name);
  return known == databases_.end() ? std::nullopt : std::optional(known->second);
}

Result<std::optional<MDB_dbi>> Environment::Find(const std::string& name, bool create) {
  if (const auto known = KnownHandle(name)) return known;
  ARROW_ASSIGN_OR_RAISE(const auto found, OpenHandle(name, /*create=*/false));
  if (found || !create) return found;
  return OpenHandle(name, /*create=*/true);
}

// A handle is opened in a short transaction of its own: LMDB allows one such transaction at a time,
// and a load may take long. So a load that fails may leave an empty named database, but no table:
// that is there only with its description.
Result<std::optional<MDB_dbi>> Environment::OpenHandle(const std::string& name, bool create) {
  // Before the lock: a writer may have to wait for another, and those who look must not wait too.
  ARROW_ASSIGN_OR_RAISE(Txn txn, Txn::Begin(shared_from_this(), /*read_only=*/!create));
  const std::lock_guard lock(mutex_);
  if (const auto known = databases_.find(name); known != databases_.end()) return known->second;
  MDB_dbi dbi = 0;
  const int code = mdb_dbi_open(txn.get(), name.c_str(), create ? MDB_CREATE : 0, &dbi);
  if (code != 0) txn.Abort();
  if (code == MDB_NOTFOUND) return std::nullopt;
  if (code != 0) return LmdbError(code, fmt::format("opening table '{}'", name), path_);
  ARROW_RETURN_NOT_OK(txn.Commit());
  databases_[name] = dbi;
  return dbi;
}

}  // namespace amp::lmdb
