#include "loaders/lmdb/table_reader.h"

#include <arrow/record_batch.h>

#include "loaders/lmdb/value_format.h"

namespace amp::lmdb {
namespace {

constexpr int64_t kRowsPerBatch = 8192;

class TableReader final : public arrow::RecordBatchReader {
 public:
  TableReader(Txn txn, Cursor cursor, std::unique_ptr<ValueReader> values,
              std::shared_ptr<arrow::Schema> schema, int64_t limit)
      : txn_(std::move(txn)),
        cursor_(std::move(cursor)),
        values_(std::move(values)),
        schema_(std::move(schema)),
        left_(limit < 0 ? INT64_MAX : limit) {}

  std::shared_ptr<arrow::Schema> schema() const override { return schema_; }

  Status ReadNext(std::shared_ptr<arrow::RecordBatch>* out) override {
    out->reset();
    const int64_t wanted = std::min(kRowsPerBatch, left_);
    int64_t rows = 0;
    for (; rows < wanted && !done_; ++rows) {
      MDB_val key{};
      MDB_val value{};
      ARROW_ASSIGN_OR_RAISE(const bool found, cursor_.Get(MDB_NEXT, &key, &value));
      done_ = !found;
      if (done_) break;
      ARROW_RETURN_NOT_OK(values_->Append(View(value)));
    }
    left_ -= rows;
    return rows == 0 ? Status::OK() : values_->Finish().Value(out);
  }

 private:
  Txn txn_;
  Cursor cursor_;
  std::unique_ptr<ValueReader> values_;
  std::shared_ptr<arrow::Schema> schema_;
  int64_t left_;
  bool done_ = false;
};

}  // namespace

Result<std::shared_ptr<arrow::RecordBatchReader>> ReadRows(Txn txn, MDB_dbi dbi,
                                                           const TableFormat& format,
                                                           int64_t limit) {
  ARROW_ASSIGN_OR_RAISE(Cursor cursor, Cursor::Open(txn, dbi));
  ARROW_ASSIGN_OR_RAISE(auto values, MakeValueReader(format.value_format, format.schema));
  return std::make_shared<TableReader>(std::move(txn), std::move(cursor), std::move(values),
                                       format.schema, limit);
}

}  // namespace amp::lmdb
