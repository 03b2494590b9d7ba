// Loads rows that are in memory into LMDB by Ampload, and in turn with it the very keys and values
// by LMDB alone: --data FILE --dir FOLDER --pairs N. Each run is one commit of a fresh database,
// which LMDB brings to the disk; opening the database counts, reading the file does not.

#include <arrow/record_batch.h>
#include <lmdb.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "amp/loader.h"
#include "amp/source.h"
#include "support/arguments.h"
#include "support/stopwatch.h"

namespace amp::bench {
namespace {

namespace fs = std::filesystem;

constexpr const char* kTable = "bench";
// Address space, not memory and not disk.
constexpr size_t kMapBytes = size_t{1} << 38;
constexpr mdb_mode_t kFileMode = 0644;

Status Check(int code, std::string_view operation) {
  if (code == 0) return Status::OK();
  return Status::IOError(operation, ": ", mdb_strerror(code));
}

struct CloseEnvironment {
  void operator()(MDB_env* environment) const { mdb_env_close(environment); }
};
using EnvironmentPtr = std::unique_ptr<MDB_env, CloseEnvironment>;

struct AbortTransaction {
  void operator()(MDB_txn* transaction) const { mdb_txn_abort(transaction); }
};
using TransactionPtr = std::unique_ptr<MDB_txn, AbortTransaction>;

struct CloseCursor {
  void operator()(MDB_cursor* cursor) const { mdb_cursor_close(cursor); }
};
using CursorPtr = std::unique_ptr<MDB_cursor, CloseCursor>;

Result<EnvironmentPtr> OpenEnvironment(const std::string& path) {
  MDB_env* raw = nullptr;
  ARROW_RETURN_NOT_OK(Check(mdb_env_create(&raw), "mdb_env_create"));
  EnvironmentPtr environment(raw);
  ARROW_RETURN_NOT_OK(Check(mdb_env_set_maxdbs(raw, 1), "mdb_env_set_maxdbs"));
  ARROW_RETURN_NOT_OK(Check(mdb_env_set_mapsize(raw, kMapBytes), "mdb_env_set_mapsize"));
  ARROW_RETURN_NOT_OK(Check(mdb_env_open(raw, path.c_str(), 0, kFileMode), "mdb_env_open"));
  return environment;
}

Result<TransactionPtr> Begin(MDB_env* environment, unsigned flags) {
  MDB_txn* raw = nullptr;
  ARROW_RETURN_NOT_OK(Check(mdb_txn_begin(environment, nullptr, flags, &raw), "mdb_txn_begin"));
  return TransactionPtr(raw);
}

/// Keys and values of a table: key, value, key, value, … in one buffer.
class Entries {
 public:
  /// Reads the table that Ampload has made.
  static Result<Entries> Read(const std::string& path) {
    ARROW_ASSIGN_OR_RAISE(const EnvironmentPtr environment, OpenEnvironment(path));
    ARROW_ASSIGN_OR_RAISE(const TransactionPtr transaction, Begin(environment.get(), MDB_RDONLY));
    MDB_dbi table = 0;
    ARROW_RETURN_NOT_OK(Check(mdb_dbi_open(transaction.get(), kTable, 0, &table), "mdb_dbi_open"));
    MDB_cursor* raw = nullptr;
    ARROW_RETURN_NOT_OK(Check(mdb_cursor_open(transaction.get(), table, &raw), "mdb_cursor_open"));
    const CursorPtr cursor(raw);
    Entries entries;
    entries.bytes_.reserve(fs::file_size(path + "/data.mdb"));
    ARROW_RETURN_NOT_OK(entries.AddAll(cursor.get()));
    return entries;
  }

  int64_t size() const { return static_cast<int64_t>(sizes_.size()); }

  Status Put(MDB_txn* transaction, MDB_dbi table, unsigned flags) {
    char* at = bytes_.data();
    for (const auto& [key_size, value_size] : sizes_) {
      MDB_val key{key_size, at};
      MDB_val value{value_size, at + key_size};
      at += key_size + value_size;
      ARROW_RETURN_NOT_OK(Check(mdb_put(transaction, table, &key, &value, flags), "mdb_put"));
    }
    return Status::OK();
  }

 private:
  Status AddAll(MDB_cursor* cursor) {
    MDB_val key{};
    MDB_val value{};
    int code = mdb_cursor_get(cursor, &key, &value, MDB_FIRST);
    for (; code == 0; code = mdb_cursor_get(cursor, &key, &value, MDB_NEXT)) {
      Add(key);
      Add(value);
      sizes_.emplace_back(key.mv_size, value.mv_size);
    }
    return code == MDB_NOTFOUND ? Status::OK() : Check(code, "mdb_cursor_get");
  }
  void Add(const MDB_val& part) {
    const char* bytes = static_cast<const char*>(part.mv_data);
    bytes_.insert(bytes_.end(), bytes, bytes + part.mv_size);
  }

  std::vector<char> bytes_;
  std::vector<std::pair<size_t, size_t>> sizes_;
};

/// A new folder, gone with what is in it at the end.
class Folder {
 public:
  static Result<Folder> Make(const std::string& parent) {
    std::string path = parent + "/run.XXXXXX";
    if (mkdtemp(path.data()) == nullptr) return Status::IOError("cannot make a folder in ", parent);
    sync();  // what earlier runs have written is not to be this one's burden
    return Folder(std::move(path));
  }
  Folder(Folder&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  Folder& operator=(Folder&&) = delete;
  ~Folder() {
    std::error_code ignored;
    if (!path_.empty()) fs::remove_all(path_, ignored);
  }
  const std::string& path() const { return path_; }

 private:
  explicit Folder(std::string path) : path_(std::move(path)) {}
  std::string path_;
};

struct Batches {
  std::shared_ptr<arrow::Schema> schema;
  arrow::RecordBatchVector batches;
};

Result<Batches> ReadBatches(const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(const FileSource source, OpenFiles({.paths = {path}}));
  ARROW_ASSIGN_OR_RAISE(auto batches, source.reader->ToRecordBatches());
  return Batches{source.reader->schema(), std::move(batches)};
}

/// Returns how many rows were loaded.
Result<int64_t> RunAmpload(const Batches& rows, const std::string& path) {
  ARROW_ASSIGN_OR_RAISE(auto reader, arrow::RecordBatchReader::Make(rows.batches, rows.schema));
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const auto loader, Registry::Global().MakeFromUrl("lmdb:" + path));
  ARROW_ASSIGN_OR_RAISE(Session session, loader->Open());
  const LoadResult result = session->LoadStream(std::move(reader), kTable);
  const Cost cost = stopwatch.Elapsed();
  ARROW_RETURN_NOT_OK(result.status);
  PrintRun("ampload", result.rows_loaded, cost, /*only_run=*/false);
  return result.rows_loaded;
}

Status RunRaw(Entries* entries, std::string_view who, unsigned flags, const std::string& path) {
  const Stopwatch stopwatch;
  ARROW_ASSIGN_OR_RAISE(const EnvironmentPtr environment, OpenEnvironment(path));
  ARROW_ASSIGN_OR_RAISE(TransactionPtr transaction, Begin(environment.get(), 0));
  MDB_dbi table = 0;
  ARROW_RETURN_NOT_OK(
      Check(mdb_dbi_open(transaction.get(), kTable, MDB_CREATE, &table), "mdb_dbi_open"));
  ARROW_RETURN_NOT_OK(entries->Put(transaction.get(), table, flags));
  ARROW_RETURN_NOT_OK(Check(mdb_txn_commit(transaction.release()), "mdb_txn_commit"));
  PrintRun(who, entries->size(), stopwatch.Elapsed(), /*only_run=*/false);
  return Status::OK();
}

Status RunRawInNewFolder(Entries* entries, std::string_view who, unsigned flags,
                         const std::string& parent) {
  ARROW_ASSIGN_OR_RAISE(const Folder folder, Folder::Make(parent));
  return RunRaw(entries, who, flags, folder.path());
}

Status Compare(const Arguments& arguments) {
  ARROW_ASSIGN_OR_RAISE(const std::string path, arguments.Text("data"));
  ARROW_ASSIGN_OR_RAISE(const std::string parent, arguments.Text("dir"));
  ARROW_ASSIGN_OR_RAISE(const int64_t pairs, arguments.Count("pairs"));
  ARROW_ASSIGN_OR_RAISE(const Batches rows, ReadBatches(path));
  std::unique_ptr<Entries> entries;
  for (int64_t i = 0; i < pairs; ++i) {
    {
      ARROW_ASSIGN_OR_RAISE(const Folder folder, Folder::Make(parent));
      ARROW_ASSIGN_OR_RAISE(const int64_t loaded, RunAmpload(rows, folder.path()));
      if (entries == nullptr) {
        ARROW_ASSIGN_OR_RAISE(Entries read, Entries::Read(folder.path()));
        entries = std::make_unique<Entries>(std::move(read));
      }
      if (entries->size() != loaded) {
        return Status::Invalid(loaded, " rows were loaded, ", entries->size(), " are there");
      }
    }
    ARROW_RETURN_NOT_OK(RunRawInNewFolder(entries.get(), "mdb_put", 0, parent));
    ARROW_RETURN_NOT_OK(
        RunRawInNewFolder(entries.get(), "mdb_put, MDB_APPEND", MDB_APPEND, parent));
  }
  return Status::OK();
}

}  // namespace
}  // namespace amp::bench

int main(int argc, char** argv) { return amp::bench::RunProgram(argc, argv, amp::bench::Compare); }
