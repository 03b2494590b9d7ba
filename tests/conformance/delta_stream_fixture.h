#pragma once

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "amp/loader.h"
#include "amp/testing/asserts.h"
#include "amp/testing/sample_tables.h"
#include "amp/testing/servers.h"
#include "interop/delta_client.h"

namespace amp::testing {

/// Streams into Delta tables of a fresh folder; delta-rs looks at them, and writes them, too.
class DeltaStreamFixture : public ::testing::Test {
 protected:
  using Loaded = std::unique_ptr<Loader>;
  using Lines = std::vector<std::string>;
  struct Pair {
    int64_t k;
    std::string v;
  };

  Result<Loaded> Make(ConfigMap extra = {}) const {
    extra["path"] = {.value = folder_.path()};
    ARROW_ASSIGN_OR_RAISE(auto loader, Registry::Global().Make("delta", extra));
    ARROW_RETURN_NOT_OK(loader->Connect());
    return loader;
  }

  /// k int64, v utf8, and the batch's id.
  static std::shared_ptr<arrow::Schema> Schema() {
    return arrow::schema({arrow::field("k", arrow::int64()), arrow::field("v", arrow::utf8()),
                          arrow::field(std::string(kBatchIdColumn), arrow::int64())});
  }
  static std::shared_ptr<arrow::Schema> PlainSchema() {
    return arrow::schema({Schema()->field(0), Schema()->field(1)});
  }
  static StreamSpec Spec(const std::string& name = "main") {
    StreamSpec spec{.name = name, .table = "t", .schema = Schema()};
    spec.query = "SELECT 1";
    return spec;
  }
  static WriteSpec WriteOf(const StreamState& state) {
    return {.table = "t",
            .schema = Schema(),
            .stream = StreamRef{.name = state.name,
                                .slot = state.slot,
                                .epoch = state.epoch,
                                .sequence = state.checkpoint.sequence}};
  }
  static std::shared_ptr<arrow::RecordBatch> Batch(int64_t id, const std::vector<Pair>& rows) {
    std::string json;
    for (const Pair& row : rows) {
      json += fmt::format(R"({}{{"k":{},"v":"{}","_amp_batch_id":{}}})", json.empty() ? "" : ",",
                          row.k, row.v, id);
    }
    return BatchFromJson(Schema(), "[" + json + "]").ValueOrDie();
  }
  /// Of no stream.
  static std::shared_ptr<arrow::RecordBatch> Plain(int64_t k) {
    return BatchFromJson(PlainSchema(), fmt::format(R"([{{"k":{},"v":"load"}}])", k)).ValueOrDie();
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
  static Status CommitWith(Transaction* transaction, StreamState* state, int64_t last_id,
                           std::vector<BatchEntry> entries, int64_t final_id = -1) {
    Checkpoint next = Next(*state, last_id, std::move(entries));
    if (final_id >= 0) next.final_id = final_id;
    ARROW_RETURN_NOT_OK(transaction->Commit(next));
    state->checkpoint = next;
    return Status::OK();
  }

  /// One commit with one batch; moves the state on.
  static Status CommitBatch(Loader* loader, StreamState* state, int64_t id,
                            const std::vector<Pair>& rows, int64_t final_id = -1) {
    ARROW_ASSIGN_OR_RAISE(const auto transaction, loader->BeginTransaction(WriteOf(*state)));
    ARROW_RETURN_NOT_OK(Write(transaction.get(), id, rows));
    return CommitWith(transaction.get(), state, id,
                      {EntryOf(id, id, static_cast<int64_t>(rows.size()))}, final_id);
  }
  /// One commit that undoes what is above `id`.
  static Result<UndoReport> CommitUndo(Loader* loader, StreamState* state, int64_t id,
                                       int64_t final_id = -1) {
    ARROW_ASSIGN_OR_RAISE(const auto transaction, loader->BeginTransaction(WriteOf(*state)));
    ARROW_ASSIGN_OR_RAISE(const UndoReport report, transaction->UndoAfter(id));
    ARROW_RETURN_NOT_OK(CommitWith(transaction.get(), state, id, {}, final_id));
    return report;
  }

  std::string Table() const { return folder_.file("t"); }
  std::string LogFile(int64_t version) const {
    return fmt::format("{}/_delta_log/{:020}.json", Table(), version);
  }
  int64_t Version() const {
    int64_t version = -1;
    while (std::filesystem::exists(LogFile(version + 1))) ++version;
    return version;
  }
  /// The commit's actions.
  std::vector<nlohmann::json> Actions(int64_t version) const {
    std::vector<nlohmann::json> actions;
    std::ifstream in(LogFile(version));
    for (std::string line; std::getline(in, line);) actions.push_back(nlohmann::json::parse(line));
    return actions;
  }
  Status Delta(const std::string& what, nlohmann::json more = {}) const {
    return DoWithDelta(Table(), what, std::move(more));
  }
  /// "k v id" of each row as delta-rs finds them, sorted.
  Lines Rows() const {
    const auto read = ReadDelta(Table());
    if (!read.ok()) return {read.status().message()};
    if (*read == nullptr) return {"no table"};
    Lines lines;
    for (int64_t i = 0; i < (*read)->num_rows(); ++i) {
      std::string line;
      for (const char* name : {"k", "v", "_amp_batch_id"}) {
        const auto column = (*read)->GetColumnByName(name);
        if (column == nullptr) continue;
        line += (line.empty() ? "" : " ") + column->GetScalar(i).ValueOrDie()->ToString();
      }
      lines.push_back(line);
    }
    std::sort(lines.begin(), lines.end());
    return lines;
  }

  TemporaryFolder folder_;
};

}  // namespace amp::testing
