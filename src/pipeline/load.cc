// LoadBatch, LoadTable and LoadStream: one way of writing, three ways of getting batches.

#include <arrow/record_batch.h>
#include <arrow/table.h>
#include <fmt/format.h>

#include <chrono>

#include "amp/loader.h"
#include "core/log.h"
#include "pipeline/read_ahead.h"
#include "pipeline/result_facts.h"

namespace amp {
namespace {

Status Stopped() {
  return MakeError(ErrorKind::kCancelled,
                   "stopped on request; the load was rolled back and nothing of it is stored");
}

/// One load: a transaction, the batches written in it, and its end.
class LoadRun {
 public:
  LoadRun(Loader* loader, const LoadOptions& options) : loader_(loader), options_(options) {}

  Status Begin(const TableName& table, std::shared_ptr<arrow::Schema> schema) {
    const WriteSpec spec{
        .table = table, .schema = std::move(schema), .mode = options_.mode, .key = options_.key};
    ARROW_ASSIGN_OR_RAISE(transaction_, loader_->BeginTransaction(spec));
    schema_ = spec.schema;
    return Status::OK();
  }

  Status Write(const RecordBatch& batch) {
    if (options_.stop != nullptr && options_.stop->load()) return Stopped();
    if (batch.schema() != schema_ && !batch.schema()->Equals(*schema_, false)) {
      return MakeError(ErrorKind::kSchemaMismatch,
                       fmt::format("the schema changed between batches from ({}) to ({})",
                                   fmt::join(schema_->field_names(), ", "),
                                   fmt::join(batch.schema()->field_names(), ", ")));
    }
    ARROW_ASSIGN_OR_RAISE(const int64_t stored, transaction_->Write(BatchRecord{}, batch));
    stored_ += stored;
    progress_.rows += batch.num_rows();
    progress_.bytes += BytesOf(batch);
    ++progress_.batches;
    if (options_.on_progress) options_.on_progress(progress_);
    return Status::OK();
  }

  /// Commits when all went well so far, else rolls back. Rows count as loaded only when committed.
  Status End(const Status& so_far, LoadResult* result) {
    const Status status = EndTransaction(so_far);
    if (!status.ok()) return status;
    result->rows_loaded = stored_;
    return transaction_->row_errors() == nullptr ? status : ReportSkipped(result);
  }

  const LoadProgress& progress() const { return progress_; }

 private:
  Status EndTransaction(const Status& so_far) {
    if (transaction_ == nullptr) return so_far;
    if (so_far.ok()) return transaction_->Commit(Checkpoint{});
    const Status rolled_back = transaction_->Rollback();
    if (!rolled_back.ok()) Log().warn("rolling back: {}", rolled_back.message());
    return so_far;
  }

  Status ReportSkipped(LoadResult* result) const {
    const RowErrors& errors = *transaction_->row_errors();
    if (errors.empty()) return Status::OK();
    for (const std::string& message : errors.messages()) Log().warn("skipped {}", message);
    result->metadata.Set("rows_failed", static_cast<int64_t>(errors.messages().size()));
    result->metadata.Set("errors", errors.messages());
    return errors.Judge(stored_);
  }

  Loader* loader_;
  const LoadOptions& options_;
  std::shared_ptr<arrow::Schema> schema_;
  std::unique_ptr<Transaction> transaction_;
  int64_t stored_ = 0;
  LoadProgress progress_;
};

Status WriteAll(LoadRun* run, ReadAhead* source) {
  while (true) {
    ARROW_ASSIGN_OR_RAISE(const std::shared_ptr<RecordBatch> batch, source->Next());
    if (batch == nullptr) return Status::OK();
    ARROW_RETURN_NOT_OK(WithSide(run->Write(*batch), ErrorSide::kTarget));
  }
}

Status WriteStream(LoadRun* run, std::shared_ptr<arrow::RecordBatchReader> reader,
                   const TableName& table, const LoadOptions& options) {
  if (reader == nullptr) return MakeError(ErrorKind::kConfigInvalid, "the reader is null");
  ARROW_RETURN_NOT_OK(WithSide(run->Begin(table, reader->schema()), ErrorSide::kTarget));
  ReadAhead source(std::move(reader), options.pipeline);
  return WriteAll(run, &source);
}

Status WriteOne(LoadRun* run, const RecordBatch& batch, const TableName& table) {
  ARROW_RETURN_NOT_OK(run->Begin(table, batch.schema()));
  return run->Write(batch);
}

Metadata TableFacts(const LoadProgress& progress, int fields, double seconds) {
  const double batches = static_cast<double>(progress.batches);
  return {{"operation", std::string("load_table")},
          {"batch_count", progress.batches},
          {"batches_processed", progress.batches},
          {"total_rows", progress.rows},
          {"schema_fields", int64_t{fields}},
          {"avg_batch_size",
           progress.batches > 0 ? RoundedTo2(static_cast<double>(progress.rows) / batches) : 0.0},
          {"table_size_mb", RoundedTo2(static_cast<double>(progress.bytes) / 1024 / 1024)},
          {"throughput_rows_per_sec", RowsPerSecond(progress.rows, seconds)}};
}

Metadata BatchFacts(const RecordBatch& batch, double seconds) {
  return {{"operation", std::string("load_batch")},
          {"batch_size", batch.num_rows()},
          {"schema_fields", int64_t{batch.num_columns()}},
          {"throughput_rows_per_sec", RowsPerSecond(batch.num_rows(), seconds)}};
}

}  // namespace

LoadResult Loader::NewResult(const TableName& table, const LoadOptions& options) const {
  LoadResult result;
  result.table_name = table;
  result.loader = traits().name;
  result.mode = options.mode;
  return result;
}

LoadResult Loader::LoadBatch(const RecordBatch& batch, const TableName& table,
                             const LoadOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  LoadResult result = NewResult(table, options);
  LoadRun run(this, options);
  const Status status =
      WithSide(run.End(WriteOne(&run, batch, table), &result), ErrorSide::kTarget);
  const double seconds = SecondsSince(start);
  SetOutcome(status, seconds, &result);
  Metadata facts = BatchFacts(batch, seconds);
  facts.Merge(result.metadata);
  facts.Merge(BatchMetadata(batch, seconds));
  result.metadata = std::move(facts);
  return result;
}

LoadResult Loader::LoadTable(const arrow::Table& rows, const TableName& table,
                             const LoadOptions& options) {
  return LoadStream(std::make_shared<arrow::TableBatchReader>(rows), table, options);
}

LoadResult Loader::LoadStream(std::shared_ptr<arrow::RecordBatchReader> reader,
                              const TableName& table, const LoadOptions& options) {
  const auto start = std::chrono::steady_clock::now();
  LoadResult result = NewResult(table, options);
  const int fields = reader == nullptr ? 0 : reader->schema()->num_fields();
  LoadRun run(this, options);
  const Status written = WriteStream(&run, std::move(reader), table, options);
  const Status status = WithSide(run.End(written, &result), ErrorSide::kTarget);
  const double seconds = SecondsSince(start);
  SetOutcome(status, seconds, &result);
  Metadata facts = TableFacts(run.progress(), fields, seconds);
  facts.Merge(result.metadata);
  facts.Merge(TableMetadata(run.progress().rows, run.progress().batches, seconds));
  result.metadata = std::move(facts);
  return result;
}

}  // namespace amp
