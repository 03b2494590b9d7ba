#include "loaders/lmdb/lmdb_transaction.h"

#include <arrow/record_batch.h>

#include "core/cell_encoder.h"
#include "core/failpoint.h"
#include "core/schema.h"
#include "core/stream_state.h"
#include "core/text.h"

namespace amp::lmdb {
namespace {

Status AnswerLost(const std::string& table) {
  return MakeError(
      {.kind = ErrorKind::kCommitUnknown, .side = ErrorSide::kTarget, .operation = "commit"},
      fmt::format("table '{}': it is not known whether the commit was done; read the checkpoint "
                  "again",
                  table));
}

}  // namespace

LmdbTransaction::LmdbTransaction(Txn txn, const Databases& databases, const WriteSpec& spec)
    : txn_(std::move(txn)),
      databases_(databases),
      table_(spec.table),
      mode_(spec.mode),
      wanted_key_(spec.key) {}

Result<LmdbTransaction::Databases> LmdbTransaction::FindDatabases(
    const std::shared_ptr<Environment>& environment, const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const auto tables, environment->Find(kTablesDatabase, /*create=*/true));
  ARROW_ASSIGN_OR_RAISE(const auto rows, environment->Find(spec.table, /*create=*/true));
  ARROW_ASSIGN_OR_RAISE(const auto streams,
                        StreamDatabases::Find(environment.get(), spec.stream.has_value()));
  return Databases{*tables, *rows, streams};
}

Result<std::unique_ptr<Transaction>> LmdbTransaction::Begin(
    const std::shared_ptr<Environment>& environment, const LMDBConfig& config,
    const WriteSpec& spec) {
  ARROW_ASSIGN_OR_RAISE(const auto plain, PlainSchema(*spec.schema));
  ARROW_ASSIGN_OR_RAISE(const Databases databases, FindDatabases(environment, spec));
  ARROW_ASSIGN_OR_RAISE(Txn txn, Txn::Begin(environment, /*read_only=*/false));
  std::unique_ptr<LmdbTransaction> transaction(
      new LmdbTransaction(std::move(txn), databases, spec));
  transaction->plain_ = plain;
  if (spec.stream) {
    ARROW_ASSIGN_OR_RAISE(
        transaction->stream_,
        StreamWriter::Make(&transaction->txn_, *databases.streams, databases.rows, spec));
  }
  const Status prepared = transaction->Prepare(config);
  if (prepared.ok()) return transaction;
  // Where the stream is not ours any more, that is why.
  const bool ours = transaction->stream_ == nullptr || transaction->stream_->fits().ok();
  return ours ? prepared : transaction->stream_->fits();
}

Status LmdbTransaction::Prepare(const LMDBConfig& config) {
  ARROW_RETURN_NOT_OK(Describe(config));
  if (mode_ == LoadMode::kOverwrite) ARROW_RETURN_NOT_OK(Clear());
  if (mode_ == LoadMode::kMerge) {
    merge_ = std::make_unique<RowMerge>(&txn_, databases_.rows, format_, places_);
  }
  return MakeEncoders();
}

// A table keeps its schema, key and value format; a new one gets them here.
Status LmdbTransaction::Describe(const LMDBConfig& config) {
  ARROW_ASSIGN_OR_RAISE(const auto known, ReadTableFormat(txn_, databases_.tables, table_));
  ARROW_ASSIGN_OR_RAISE(
      format_,
      ChooseFormat(
          {.table = table_, .schema = plain_, .config = config, .key = wanted_key_, .mode = mode_},
          known));
  ARROW_ASSIGN_OR_RAISE(places_, PlaceColumns(format_, *plain_, table_, mode_));
  if (known) return Status::OK();
  ARROW_RETURN_NOT_OK(CheckEmpty(txn_, databases_.rows, table_));
  format_.id = NewTableId();
  return WriteTableFormat(txn_, databases_.tables, table_, format_);
}

Status LmdbTransaction::Clear() {
  if (databases_.streams) {
    ARROW_ASSIGN_OR_RAISE(const bool any, StreamStore(&txn_, *databases_.streams, table_).Any());
    if (any) return HasStreams(table_);
  }
  const int code = mdb_drop(txn_.get(), databases_.rows, /*del=*/0);
  return code == 0 ? Status::OK()
                   : LmdbError(code, "clearing the table", txn_.environment().path());
}

Status LmdbTransaction::MakeEncoders() {
  ARROW_ASSIGN_OR_RAISE(last_key_, LastKey());
  const bool any = last_key_.size() == sizeof(uint64_t);
  const auto* last = reinterpret_cast<const uint8_t*>(last_key_.data());
  const uint64_t next = any ? Get<uint64_t>(last) + 1 : 0;
  ARROW_ASSIGN_OR_RAISE(keys_, MakeKeys(format_, table_, next));
  return MakeValueWriter(format_.value_format, *format_.schema).Value(&values_);
}

Result<std::string> LmdbTransaction::LastKey() const {
  ARROW_ASSIGN_OR_RAISE(const Cursor cursor, Cursor::Open(txn_, databases_.rows));
  MDB_val key{};
  MDB_val value{};
  ARROW_ASSIGN_OR_RAISE(const bool found, cursor.Get(MDB_LAST, &key, &value));
  return found ? std::string(View(key)) : std::string();
}

Result<int64_t> LmdbTransaction::Write(const BatchRecord& record, const arrow::RecordBatch& batch) {
  ARROW_ASSIGN_OR_RAISE(const KeyedRows rows, Shape(batch));
  batch_id_ = stream_ == nullptr ? std::nullopt : record.id;
  size_t done = 0;
  ARROW_RETURN_NOT_OK(values_->Write(*rows.batch, rows_, [&](const EncodedRows& encoded) {
    ARROW_RETURN_NOT_OK(PutRows(rows.keys, done, encoded));
    done += encoded.sizes.size();
    return Status::OK();
  }));
  if (numbered()) ARROW_RETURN_NOT_OK(LogRun(rows.keys));
  rows_ += batch.num_rows();
  return batch.num_rows();
}

// The batch as the table has its rows.
Result<KeyedRows> LmdbTransaction::Shape(const arrow::RecordBatch& batch) {
  KeyedRows rows;
  ARROW_ASSIGN_OR_RAISE(const auto plain, ToPlain(batch, plain_));
  ARROW_ASSIGN_OR_RAISE(rows.batch, Arrange(*plain, *format_.schema, places_));
  ARROW_RETURN_NOT_OK(CheckNulls(*rows.batch));
  ARROW_ASSIGN_OR_RAISE(rows.keys, keys_->Encode(*rows.batch, rows_));
  return merge_ == nullptr ? rows : merge_->Complete(std::move(rows));
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
  const unsigned flags = after_last ? MDB_APPEND : MDB_NOOVERWRITE;
  int code = mdb_put(txn_.get(), databases_.rows, &key_val, &value_val, flags);
  if (code == MDB_KEYEXIST) {
    if (mode_ != LoadMode::kUpsert && mode_ != LoadMode::kMerge) return KeyExists(key, row);
    // What lies there is in `value_val` now.
    ARROW_RETURN_NOT_OK(LogPut(key, value, View(value_val)));
    value_val = Val(value);
    code = mdb_put(txn_.get(), databases_.rows, &key_val, &value_val, 0);
  } else if (code == 0) {
    ARROW_RETURN_NOT_OK(LogPut(key, value, std::nullopt));
  }
  if (code != 0) return LmdbError(code, "storing rows", txn_.environment().path());
  if (after_last) last_key_ = key;
  return Status::OK();
}

Status LmdbTransaction::LogPut(std::string_view key, std::string_view value,
                               std::optional<std::string_view> before) {
  if (!batch_id_ || numbered()) return Status::OK();
  return stream_->log().AddPut(*batch_id_, {.key = key, .hash = HashOf(value), .before = before});
}

// Rows of one Write have neighbouring numbers.
Status LmdbTransaction::LogRun(const TextColumn& keys) {
  if (!batch_id_ || keys.ends.empty()) return Status::OK();
  const auto number = [&keys](size_t row) {
    return Get<uint64_t>(reinterpret_cast<const uint8_t*>(keys[row].data()));
  };
  return stream_->log().AddRun(*batch_id_, {number(0), number(keys.ends.size() - 1)});
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

// The rows that follow get the numbers after those that are left.
Result<UndoReport> LmdbTransaction::UndoAfter(int64_t batch_id) {
  if (stream_ == nullptr) return Transaction::UndoAfter(batch_id);
  ARROW_ASSIGN_OR_RAISE(const UndoReport report, stream_->UndoAfter(batch_id));
  ARROW_RETURN_NOT_OK(MakeEncoders());
  return report;
}

Status LmdbTransaction::Commit(const Checkpoint& checkpoint) {
  Status status = stream_ == nullptr ? Status::OK() : stream_->Put(checkpoint);
  if (status.ok()) status = Failpoint("lmdb.before_commit");
  if (!status.ok()) {
    txn_.Abort();
    return status;
  }
  ARROW_RETURN_NOT_OK(txn_.Commit());
  return FailpointAt("lmdb.after_commit") == FailpointAction::kNone ? Status::OK()
                                                                    : AnswerLost(table_);
}

Status LmdbTransaction::Rollback() {
  txn_.Abort();
  return Status::OK();
}

}  // namespace amp::lmdb
