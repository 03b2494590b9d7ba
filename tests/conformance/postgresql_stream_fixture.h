#pragma once

#include <arrow/api.h>
#include <fmt/format.h>

#include <utility>

#include "amp/loader.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "conformance/postgres_client.h"

namespace amp::testing {

/// A connected loader, a client beside it, and a table that streams may write: id, name and the
/// batch id.
class PostgreSQLStreamTest : public ::testing::Test {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(url_, ServerUrl("postgresql"));
    AMP_ASSERT_OK_AND_ASSIGN(client_, PostgresClient::Connect(url_));
    AMP_ASSERT_OK_AND_ASSIGN(loader_, Make());
    AMP_ASSERT_OK(loader_->Connect());
    AMP_ASSERT_OK(loader_->ResetTable(table_));
  }
  void TearDown() override {
    if (loader_ != nullptr) AMP_ASSERT_OK(loader_->ResetTable(table_));
  }

  Result<std::unique_ptr<Loader>> Make(const ConfigMap& extra = {}) {
    return Registry::Global().MakeFromUrl(url_, extra);
  }
  /// A loader of its own, as another process would have.
  std::unique_ptr<Loader> Another() {
    auto made = Make();
    if (!made.ok() || !(*made)->Connect().ok()) return nullptr;
    return *std::move(made);
  }
  std::string Value(const std::string& sql) {
    const auto value = client_->Value(sql);
    return value.ok() ? *value : value.status().ToString();
  }
  void Run(const std::string& sql) { AMP_ASSERT_OK(client_->Query(sql)); }

  static std::shared_ptr<arrow::Schema> RowSchema() {
    return arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8()),
                          arrow::field(std::string(kBatchIdColumn), arrow::int64())});
  }
  StreamSpec Spec(const std::string& name = "main") const {
    return {.name = name, .table = table_, .schema = RowSchema(), .query = "SELECT 1"};
  }
  static StreamRef RefOf(const StreamState& state) {
    return {.name = state.name,
            .slot = state.slot,
            .epoch = state.epoch,
            .sequence = state.checkpoint.sequence};
  }
  WriteSpec WriteOf(const StreamState& state) const {
    return {.table = table_,
            .schema = RowSchema(),
            .mode = state.mode,
            .key = state.key,
            .stream = RefOf(state)};
  }
  /// Rows of one batch: ids with names.
  static std::shared_ptr<arrow::RecordBatch> RowsOf(
      int64_t batch, const std::vector<std::pair<int64_t, std::string>>& rows) {
    arrow::Int64Builder ids, batches;
    arrow::StringBuilder names;
    for (const auto& [id, name] : rows) {
      EXPECT_TRUE(ids.Append(id).ok() && names.Append(name).ok() && batches.Append(batch).ok());
    }
    return arrow::RecordBatch::Make(RowSchema(), static_cast<int64_t>(rows.size()),
                                    {*ids.Finish(), *names.Finish(), *batches.Finish()});
  }
  static BatchEntry EntryOf(int64_t id, int64_t rows) {
    const auto block = static_cast<uint64_t>(id & 0xFFFF);
    return {.first_id = id,
            .last_id = id,
            .ranges = {{.network = "eth",
                        .start = block,
                        .end = block,
                        .hash = "0xab",
                        .prev_hash = "0xcd",
                        .timestamp = 17}},
            .rows = rows,
            .completed_at = 1'700'000'000'123};
  }
  /// The checkpoint of the commit after `state`'s last, up to a batch.
  static Checkpoint NextCheckpoint(const StreamState& state, int64_t last_id,
                                   std::vector<BatchEntry> entries = {}) {
    return {.sequence = state.checkpoint.sequence + 1,
            .last_batch_id = last_id,
            .watermark = {{.network = "eth",
                           .start = 0,
                           .end = 9,
                           .hash = "0xab",
                           .prev_hash = "0xcd",
                           .timestamp = {}}},
            .entries = std::move(entries),
            .final_id = state.checkpoint.final_id,
            .next_number = (last_id - SlotBase(state.slot)) + 1};
  }
  /// Commits batches, each a line of the map; moves the state on.
  Status CommitRows(Loader* loader, StreamState* state,
                    const std::vector<std::shared_ptr<arrow::RecordBatch>>& batches) {
    ARROW_ASSIGN_OR_RAISE(auto transaction, loader->BeginTransaction(WriteOf(*state)));
    std::vector<BatchEntry> entries;
    for (const auto& batch : batches) {
      const int64_t id = std::static_pointer_cast<arrow::Int64Array>(batch->column(2))->Value(0);
      ARROW_RETURN_NOT_OK(transaction->Write({.id = id, .ranges = {}}, *batch));
      entries.push_back(EntryOf(id, batch->num_rows()));
    }
    const int64_t last = entries.empty() ? state->checkpoint.last_batch_id : entries.back().last_id;
    const Checkpoint checkpoint = NextCheckpoint(*state, last, entries);
    ARROW_RETURN_NOT_OK(transaction->Commit(checkpoint));
    state->checkpoint = checkpoint;
    return Status::OK();
  }
  /// "id:name@batch …" in the order of ids.
  std::string TableText() {
    return Value(
        "SELECT coalesce(string_agg(id || ':' || name || coalesce('@' || "
        "(_amp_batch_id & 281474976710655), ''), ' ' ORDER BY id, name), '') FROM "
        "pg_stream");
  }

  std::string url_;
  std::optional<PostgresClient> client_;
  std::unique_ptr<Loader> loader_;
  const TableName table_ = "pg_stream";
};

}  // namespace amp::testing
