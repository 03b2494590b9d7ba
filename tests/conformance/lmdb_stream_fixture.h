#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "amp/loader.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "conformance/lmdb_client.h"

namespace amp::testing {

/// Streams in a fresh LMDB folder.
class LMDBStreamFixture : public ::testing::Test {
 protected:
  using Loaded = std::unique_ptr<Loader>;

  Result<Loaded> Make(ConfigMap extra = {}) {
    extra["path"] = {.value = folder_.file("db")};
    ARROW_ASSIGN_OR_RAISE(auto loader, Registry::Global().Make("lmdb", extra));
    ARROW_RETURN_NOT_OK(loader->Connect());
    return loader;
  }

  /// k int64, v utf8, and the batch's id.
  static std::shared_ptr<arrow::Schema> Schema() {
    return arrow::schema({arrow::field("k", arrow::int64()), arrow::field("v", arrow::utf8()),
                          arrow::field(std::string(kBatchIdColumn), arrow::int64())});
  }
  static StreamSpec Spec(const std::string& name = "main", LoadMode mode = LoadMode::kAppend) {
    StreamSpec spec{.name = name, .table = "t", .schema = Schema(), .mode = mode};
    spec.query = "SELECT 1";
    if (mode != LoadMode::kAppend) spec.key = {"k"};
    return spec;
  }
  static WriteSpec WriteOf(const StreamSpec& spec, const StreamState& state) {
    return {.table = spec.table,
            .schema = spec.schema,
            .mode = spec.mode,
            .key = spec.key,
            .stream = StreamRef{.name = state.name,
                                .slot = state.slot,
                                .epoch = state.epoch,
                                .sequence = state.checkpoint.sequence}};
  }

  struct Pair {
    int64_t k;
    std::string v;
  };
  static std::shared_ptr<arrow::RecordBatch> Batch(int64_t id, const std::vector<Pair>& rows) {
    std::string json;
    for (const Pair& row : rows) {
      json += fmt::format(R"({}{{"k":{},"v":"{}","_amp_batch_id":{}}})", json.empty() ? "" : ",",
                          row.k, row.v, id);
    }
    return BatchFromJson(Schema(), "[" + json + "]").ValueOrDie();
  }
  static Status Write(Transaction* transaction, int64_t id, const std::vector<Pair>& rows) {
    return transaction->Write({.id = id, .ranges = {}}, *Batch(id, rows)).status();
  }

  static BatchEntry EntryOf(int64_t first, int64_t last, int64_t rows = 1) {
    return {.first_id = first,
            .last_id = last,
            .ranges = {{.network = "eth",
                        .start = static_cast<uint64_t>(first),
                        .end = static_cast<uint64_t>(last),
                        .hash = "0xa",
                        .prev_hash = "0xb"}},
            .rows = rows,
            .batches = last - first + 1,
            .completed_at = 5};
  }
  /// The checkpoint after the next commit of `state`.
  static Checkpoint Next(const StreamState& state, int64_t last_id,
                         std::vector<BatchEntry> entries) {
    Checkpoint checkpoint = state.checkpoint;
    ++checkpoint.sequence;
    checkpoint.last_batch_id = last_id;
    checkpoint.entries = std::move(entries);
    return checkpoint;
  }

  /// One commit with one batch; moves the state on.
  static Status CommitBatch(Loader* loader, const StreamSpec& spec, StreamState* state, int64_t id,
                            const std::vector<Pair>& rows, int64_t final_id = 0) {
    ARROW_ASSIGN_OR_RAISE(const auto transaction, loader->BeginTransaction(WriteOf(spec, *state)));
    ARROW_RETURN_NOT_OK(Write(transaction.get(), id, rows));
    Checkpoint next = Next(*state, id, {EntryOf(id, id, static_cast<int64_t>(rows.size()))});
    next.final_id = std::max(final_id, SlotBase(state->slot));
    ARROW_RETURN_NOT_OK(transaction->Commit(next));
    state->checkpoint = next;
    return Status::OK();
  }
  /// One commit that undoes what is above `id`.
  static Result<UndoReport> CommitUndo(Loader* loader, const StreamSpec& spec, StreamState* state,
                                       int64_t id) {
    ARROW_ASSIGN_OR_RAISE(const auto transaction, loader->BeginTransaction(WriteOf(spec, *state)));
    ARROW_ASSIGN_OR_RAISE(const UndoReport report, transaction->UndoAfter(id));
    const Checkpoint next = Next(*state, id, {});
    ARROW_RETURN_NOT_OK(transaction->Commit(next));
    state->checkpoint = next;
    return report;
  }

  /// The table as "k:v@id" lines, in the order of the keys, read through the loader.
  static std::vector<std::string> Rows(Loader* loader, const std::string& table = "t") {
    std::vector<std::string> lines;
    const auto reader = loader->ReadTable(table);
    if (!reader.ok()) return {reader.status().message()};
    const auto batch = (*reader)->ToTable().ValueOrDie()->CombineChunksToBatch().ValueOrDie();
    for (int64_t i = 0; i < batch->num_rows(); ++i) {
      std::string line;
      for (int c = 0; c < batch->num_columns(); ++c) {
        line += (c == 0 ? "" : " ") + batch->column(c)->GetScalar(i).ValueOrDie()->ToString();
      }
      lines.push_back(line);
    }
    return lines;
  }
  using Lines = std::vector<std::string>;

  size_t Entries(const std::string& database) {
    return ReadLmdb(folder_.file("db"), database).ValueOrDie().size();
  }

  TemporaryFolder folder_;
};

}  // namespace amp::testing
