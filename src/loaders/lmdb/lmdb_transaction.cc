#include "loaders/lmdb/lmdb_transaction.h"

#include <arrow/record_batch.h>

#include "core/cell_encoder.h"
#include "core/schema.h"
#include "core/text.h"

namespace amp::lmdb {
LmdbTransaction::LmdbTransaction(Txn txn, const WriteSpec& spec)
    : txn_(std::move(txn)), table_(spec.table), mode_(spec.mode), wanted_key_(spec.key) {}

Result<std::unique_ptr<Transaction>> LmdbTransaction::Begin(
    const std::shared_ptr<Environment>& environment, const LMDBConfig& config,
    const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const auto plain, PlainSchema(*spec.schema));
  ARROW_ASSIGN_OR_RAISE(const auto tables, environment->Find(kTablesDatabase, /*create=*/true));
  ARROW_ASSIGN_OR_RAISE(const auto rows, environment->Find(spec.table, /*create=*/true));
  ARROW_ASSIGN_OR_RAISE(Txn txn, Txn::Begin(environment, /*read_only=*/false));
  std::unique_ptr<LmdbTransaction> transaction(new LmdbTransaction(std::move(txn), spec));
  transaction->plain_ = plain;
  transaction->dbi_ = *rows;
  ARROW_RETURN_NOT_OK(transaction->Prepare(config, *tables));
  return transaction;
}

Status LmdbTransaction::Prepare(const LMDBConfig& config, MDB_dbi tables) {
  ARROW_RETURN_NOT_OK(Describe(config, tables));
  if (mode_ == LoadMode::kOverwrite) {
    const int code = mdb_drop(txn_.get(), dbi_, /*del=*/0);
    if (code != 0) return LmdbError(code, "clearing the table", txn_.environment().path());
  }
  ARROW_ASSIGN_OR_RAISE(last_key_, LastKey());
  return MakeEncoders();
}

// A table keeps its schema, key and value format; a new one gets them here.
Status LmdbTransaction::Describe(const LMDBConfig& config, MDB_dbi tables) {
  ARROW_ASSIGN_OR_RAISE(const auto known, ReadTableFormat(txn_, tables, table_));
  ARROW_ASSIGN_OR_RAISE(
      format_,
      ChooseFormat(
          {.table = table_, .schema = plain_, .config = config, .key = wanted_key_, .mode = mode_},
          known));
  ARROW_ASSIGN_OR_RAISE(places_, MatchColumns(*format_.schema, *plain_, table_));
  if (known) return Status::OK();
  MDB_stat stat{};
  const int code = mdb_stat(txn_.get(), dbi_, &stat);
  if (code != 0) return LmdbError(code, "looking at the table", txn_.environment().path());
  if (stat.ms_entries > 0) {
    return MakeError({.kind = ErrorKind::kAlreadyExists, .side = ErrorSide::kTarget},
                     fmt::format("the database '{}' holds entries that Ampload did not write; "
                                 "choose another table",
                                 table_));
  }
  return WriteTableFormat(txn_, tables, table_, format_);
}

Status LmdbTransaction::MakeEncoders() {
  const bool numbered = last_key_.size() == sizeof(uint64_t);
  const auto* last = reinterpret_cast<const uint8_t*>(last_key_.data());
  const uint64_t next = numbered ? Get<uint64_t>(last) + 1 : 0;
  ARROW_ASSIGN_OR_RAISE(keys_, MakeKeys(format_, table_, next));
  return MakeValueWriter(format_.value_format, *format_.schema).Value(&values_);
}

Result<std::string> LmdbTransaction::LastKey() const {
  ARROW_ASSIGN_OR_RAISE(const Cursor cursor, Cursor::Open(txn_, dbi_));
  MDB_val key{};
  MDB_val value{};
  ARROW_ASSIGN_OR_RAISE(const bool found, cursor.Get(MDB_LAST, &key, &value));
  return found ? std::string(View(key)) : std::string();
}

Result<int64_t> LmdbTransaction::Write(const BatchRecord& /*record*/,
                                       const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const auto plain, ToPlain(batch, plain_));
  ARROW_ASSIGN_OR_RAISE(const auto ordered, plain->SelectColumns(places_));
  ARROW_RETURN_NOT_OK(CheckNulls(*ordered));
  ARROW_ASSIGN_OR_RAISE(const TextColumn keys, keys_->Encode(*ordered, rows_));
  size_t done = 0;
  ARROW_RETURN_NOT_OK(values_->Write(*ordered, rows_, [&](const EncodedRows& rows) {
    ARROW_RETURN_NOT_OK(PutRows(keys, done, rows));
    done += rows.sizes.size();
    return Status::OK();
  }));
  rows_ += batch.num_rows();
  return batch.num_rows();
}

// The table says which columns have no nulls; the data may not know.
Status LmdbTransaction::CheckNulls(const arrow::RecordBatch& batch) const {
  for (int i = 0; i < batch.num_columns(); ++i) {
    const arrow::Array& column = *batch.column(i);
    if (format_.schema->field(i)->nullable() || column.null_count() == 0) continue;
    int64_t row = 0;
    while (column.IsValid(row)) ++row;
    return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget},
                     fmt::format("table '{}': column '{}', row {} of the load: is null, and the "
                                 "column has no nulls",
                                 table_, format_.schema->field(i)->name(), rows_ + row));
  }
  return Status::OK();
}

Status LmdbTransaction::PutRows(const TextColumn& keys, size_t first, const EncodedRows& rows) {
  const auto* at = reinterpret_cast<const char*>(rows.bytes.data());
  for (size_t i = 0; i < rows.sizes.size(); ++i) {
    ARROW_RETURN_NOT_OK(
        PutRow(keys[first + i], {at, rows.sizes[i]}, rows_ + static_cast<int64_t>(first + i)));
    at += rows.sizes[i];
  }
  return Status::OK();
}

Status LmdbTransaction::PutRow(std::string_view key, std::string_view value, int64_t row) {
  MDB_val key_val = Val(key);
  MDB_val value_val = Val(value);
  // Keys that come in order go to the end without a search, and fill their pages.
  const bool after_last = key > last_key_;
  const unsigned flags = after_last                   ? MDB_APPEND
                         : mode_ == LoadMode::kUpsert ? 0U
                                                      : MDB_NOOVERWRITE;
  const int code = mdb_put(txn_.get(), dbi_, &key_val, &value_val, flags);
  if (code == MDB_KEYEXIST) return KeyExists(key, row);
  if (code != 0) return LmdbError(code, "storing rows", txn_.environment().path());
  if (after_last) last_key_ = key;
  return Status::OK();
}

Status LmdbTransaction::KeyExists(std::string_view key, int64_t row) const {
  std::string shown;
  if (format_.key.pattern.empty()) {
    shown = "0x";
    AppendHex(reinterpret_cast<const uint8_t*>(key.data()), key.size(), &shown);
  } else {
    shown = key;
  }
  return MakeError({.kind = ErrorKind::kDataInvalid, .side = ErrorSide::kTarget},
                   fmt::format("table '{}', row {} of the load: the key {} exists already. Remove "
                               "the duplicate, or replace rows with --mode upsert",
                               table_, row, shown));
}

Status LmdbTransaction::Commit(const Checkpoint& /*checkpoint*/) { return txn_.Commit(); }

Status LmdbTransaction::Rollback() {
  txn_.Abort();
  return Status::OK();
}

}  // namespace amp::lmdb
