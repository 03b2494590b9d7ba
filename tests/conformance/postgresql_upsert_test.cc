// Rows that go by key: upserts and merges, of files and of streams, and how they are undone.

#include <thread>

#include "conformance/postgresql_stream_fixture.h"

namespace amp::testing {
namespace {

class PostgreSQLUpserts : public PostgreSQLStreamTest {
 protected:
  static std::shared_ptr<arrow::RecordBatch> PlainRows(
      const std::vector<std::pair<int64_t, std::string>>& rows) {
    return RowsOf(0, rows)->RemoveColumn(2).ValueOrDie();
  }
  /// With the columns "the id", counted from 0, and the batch id 1 before it.
  static Result<std::shared_ptr<arrow::RecordBatch>> Numbered(const arrow::RecordBatch& batch) {
    arrow::Int64Builder ids, batches;
    for (int64_t i = 0; i < batch.num_rows(); ++i) {
      ARROW_RETURN_NOT_OK(ids.Append(i));
      ARROW_RETURN_NOT_OK(batches.Append(1));
    }
    ARROW_ASSIGN_OR_RAISE(auto id, ids.Finish());
    ARROW_ASSIGN_OR_RAISE(auto ones, batches.Finish());
    ARROW_ASSIGN_OR_RAISE(auto with_id, batch.AddColumn(0, "the id", id));
    return with_id->AddColumn(0, std::string(kBatchIdColumn), ones);
  }
  LoadResult Load(LoadMode mode, const std::shared_ptr<arrow::RecordBatch>& rows,
                  std::vector<std::string> key = {"id"}) {
    return loader_->LoadBatch(*rows, table_, {.mode = mode, .key = std::move(key)});
  }
  /// Tries again where others were in the way.
  static void Persist(const std::function<Status()>& attempt) {
    Status status = attempt();
    for (int tries = 0; tries < 50 && !status.ok() && ErrorInfoOf(status).retryable; ++tries) {
      status = attempt();
    }
    EXPECT_TRUE(status.ok()) << status.message();
  }
  std::string Names() {
    return Value("SELECT string_agg(id || ':' || name, ' ' ORDER BY id) FROM pg_stream");
  }
};

TEST_F(PostgreSQLUpserts, ReplaceInsertAndTheLastOfAKeyWins) {
  AMP_ASSERT_OK(Load(LoadMode::kUpsert, PlainRows({{1, "a"}, {2, "b"}, {1, "c"}})).status);
  EXPECT_EQ(Names(), "1:c 2:b");
  AMP_ASSERT_OK(Load(LoadMode::kUpsert, PlainRows({{2, "d"}, {3, "e"}})).status);
  EXPECT_EQ(Names(), "1:c 2:d 3:e");
  const auto rows =
      arrow::Table::FromRecordBatches(
          {PlainRows({{1, "x"}}), PlainRows({{1, "y"}, {4, "f"}}), PlainRows({{1, "z"}})})
          .ValueOrDie();
  AMP_ASSERT_OK(
      loader_->LoadTable(*rows, table_, {.mode = LoadMode::kUpsert, .key = {"id"}}).status);
  EXPECT_EQ(Names(), "1:z 2:d 3:e 4:f");
}

TEST_F(PostgreSQLUpserts, UpsertReplacesTheRowAndMergeOnlyWhatItBrings) {
  Run("CREATE TABLE pg_stream (id bigint PRIMARY KEY, name text, extra text DEFAULT 'new', twice "
      "bigint GENERATED ALWAYS AS (id * 2) STORED, n int GENERATED ALWAYS AS IDENTITY)");
  Run("INSERT INTO pg_stream (id, name, extra) VALUES (1, 'a', 'old'), (2, 'b', 'old')");
  AMP_ASSERT_OK(Load(LoadMode::kMerge, PlainRows({{1, "merged"}, {3, "c"}})).status);
  AMP_ASSERT_OK(Load(LoadMode::kUpsert, PlainRows({{2, "replaced"}, {4, "d"}})).status);
  EXPECT_EQ(Value("SELECT string_agg(concat_ws('/', id, name, extra, twice), ' ' ORDER BY id) FROM "
                  "pg_stream"),
            "1/merged/old/2 2/replaced/new/4 3/c/new/6 4/d/new/8");
  EXPECT_EQ(Value("SELECT count(*) FROM pg_indexes WHERE tablename = 'pg_stream'"), "1");
}

TEST_F(PostgreSQLUpserts, KeysOfSeveralColumns) {
  AMP_ASSERT_OK(
      Load(LoadMode::kUpsert, PlainRows({{1, "a"}, {1, "b"}, {1, "a"}}), {"name", "id"}).status);
  AMP_ASSERT_OK(Load(LoadMode::kMerge, PlainRows({{1, "a"}, {2, "a"}}), {"id", "name"}).status);
  EXPECT_EQ(Value("SELECT count(*) FROM pg_stream"), "3");
  EXPECT_EQ(Value("SELECT count(*) FROM pg_indexes WHERE tablename = 'pg_stream'"), "1");
}

TEST_F(PostgreSQLUpserts, KeysAreChecked) {
  AMP_EXPECT_ERROR(Load(LoadMode::kUpsert, PlainRows({{1, "a"}}), {}).status,
                   ErrorKind::kConfigInvalid, "needs a key");
  AMP_EXPECT_ERROR(Load(LoadMode::kUpsert, PlainRows({{1, "a"}}), {"id", "id"}).status,
                   ErrorKind::kConfigInvalid, "twice");
  AMP_EXPECT_ERROR(Load(LoadMode::kAppend, PlainRows({{1, "a"}})).status, ErrorKind::kConfigInvalid,
                   "no use for a key");
  AMP_ASSERT_OK_AND_ASSIGN(const auto nulls,
                           BatchFromJson(PlainRows({})->schema(),
                                         R"([{"id": 1, "name": "a"}, {"id": null, "name": "b"}])"));
  AMP_EXPECT_ERROR(Load(LoadMode::kUpsert, nulls).status, ErrorKind::kDataInvalid,
                   "column 'id', row 1 of the load: NULL in a key");
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader_->GetTableInfo(table_));
  EXPECT_FALSE(info.has_value());
}

TEST_F(PostgreSQLUpserts, CreateKeySaysWhetherTheIndexMayBeMade) {
  Run("CREATE TABLE pg_stream (id bigint, name text)");
  Run("CREATE UNIQUE INDEX ON pg_stream (id) WHERE id > 5");
  Run("CREATE UNIQUE INDEX ON pg_stream (id, name)");
  AMP_ASSERT_OK_AND_ASSIGN(auto careful, Make({{"create_key", {.value = false}}}));
  AMP_ASSERT_OK(careful->Connect());
  AMP_EXPECT_ERROR(
      careful->LoadBatch(*PlainRows({{1, "a"}}), table_, {.mode = LoadMode::kMerge, .key = {"id"}})
          .status,
      ErrorKind::kConfigInvalid, "CREATE UNIQUE INDEX ON \"public\".\"pg_stream\" (\"id\")");
  AMP_ASSERT_OK_AND_ASSIGN(const TablePlan plan,
                           loader_->PlanTable({.table = table_,
                                               .schema = PlainRows({})->schema(),
                                               .mode = LoadMode::kMerge,
                                               .key = {"id"}}));
  ASSERT_EQ(plan.statements.size(), 1U);
  Run("INSERT INTO pg_stream VALUES (1, 'a'), (1, 'b')");
  AMP_EXPECT_ERROR(Load(LoadMode::kMerge, PlainRows({{1, "a"}})).status, ErrorKind::kDataInvalid,
                   "(id)=(1) is duplicated");
  Run("DELETE FROM pg_stream");
  AMP_ASSERT_OK(Load(LoadMode::kMerge, PlainRows({{1, "a"}})).status);
}

TEST_F(PostgreSQLUpserts, EveryTypeGoesByKey) {
  const auto batch = AllTypesBatch();
  AMP_ASSERT_OK_AND_ASSIGN(const auto numbered, Numbered(*batch));
  const auto plain = numbered->RemoveColumn(0).ValueOrDie();
  AMP_ASSERT_OK(Load(LoadMode::kUpsert, plain, {"the id"}).status);
  const std::string hash =
      "SELECT string_agg(md5((t.*)::text), ' ' ORDER BY \"the id\") FROM pg_stream t";
  StreamSpec spec{.table = table_,
                  .schema = numbered->schema(),
                  .mode = LoadMode::kUpsert,
                  .key = {"the id"},
                  .query = "q",
                  .adopt = true};
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(spec));
  const std::string before = Value(hash);
  WriteSpec write = WriteOf(state);
  write.schema = numbered->schema();
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(write));
  AMP_ASSERT_OK(transaction->Write({.id = 1, .ranges = {}}, *numbered));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, transaction->UndoAfter(0));
  EXPECT_EQ(report.restored, batch->num_rows());
  AMP_ASSERT_OK(transaction->Commit(NextCheckpoint(state, 0)));
  EXPECT_EQ(Value(hash), before);
}

TEST_F(PostgreSQLUpserts, UndoBringsBackTheEarliestImage) {
  Run("CREATE TABLE pg_stream (id bigint, name text, _amp_batch_id bigint)");
  Run("INSERT INTO pg_stream VALUES (1, 'own', NULL)");
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(KeyedSpec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{2, "a"}})}));
  AMP_ASSERT_OK(CommitRows(
      loader_.get(), &state,
      {RowsOf(2, {{1, "b"}, {2, "c"}, {3, "d"}, {1, "e"}}), RowsOf(3, {{1, "f"}, {4, "g"}})}));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(4, {{1, "h"}, {2, "i"}, {3, "j"}})}));
  EXPECT_EQ(TableText(), "1:h@4 2:i@4 3:j@4 4:g@3");
  AMP_ASSERT_OK_AND_ASSIGN(UndoReport report, UndoAfter(loader_.get(), &state, 3));
  EXPECT_EQ(TextOf(report), "removed 0 restored 3 left 0");
  EXPECT_EQ(TableText(), "1:f@3 2:c@2 3:d@2 4:g@3");
  AMP_ASSERT_OK_AND_ASSIGN(report, UndoAfter(loader_.get(), &state, 1));
  EXPECT_EQ(TextOf(report), "removed 2 restored 2 left 0");
  EXPECT_EQ(TableText(), "1:own 2:a@1");
  AMP_ASSERT_OK_AND_ASSIGN(report, UndoAfter(loader_.get(), &state, 0));
  EXPECT_EQ(TextOf(report), "removed 1 restored 0 left 0");
  EXPECT_EQ(TableText(), "1:own");
}

TEST_F(PostgreSQLUpserts, UndoInTheSameTransaction) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(KeyedSpec(LoadMode::kMerge)));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}, {2, "b"}})}));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(transaction->Write({.id = 2, .ranges = {}}, *RowsOf(2, {{1, "c"}})));
  AMP_ASSERT_OK(transaction->Write({.id = 3, .ranges = {}}, *RowsOf(3, {{1, "d"}, {3, "e"}})));
  AMP_ASSERT_OK(transaction->Write({.id = 3, .ranges = {}}, *RowsOf(3, {{3, "f"}, {2, "g"}})));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, transaction->UndoAfter(2));
  EXPECT_EQ(TextOf(report), "removed 1 restored 2 left 0");
  AMP_ASSERT_OK(transaction->Write({.id = 4, .ranges = {}}, *RowsOf(4, {{3, "h"}})));
  AMP_ASSERT_OK(transaction->Commit(NextCheckpoint(state, 4)));
  EXPECT_EQ(TableText(), "1:c@2 2:b@1 3:h@4");
}

TEST_F(PostgreSQLUpserts, RowsThatSomeoneElseChangedAreLeftAndReported) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(KeyedSpec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}, {2, "b"}, {3, "c"}})}));
  AMP_ASSERT_OK(
      CommitRows(loader_.get(), &state, {RowsOf(2, {{1, "d"}, {2, "e"}, {3, "f"}, {4, "g"}})}));
  Run("UPDATE pg_stream SET name = 'changed' WHERE id = 1");
  Run("DELETE FROM pg_stream WHERE id = 2");
  Run("UPDATE pg_stream SET name = name WHERE id = 3");  // the same row still
  AMP_ASSERT_OK_AND_ASSIGN(UndoReport report, UndoAfter(loader_.get(), &state, 1));
  EXPECT_EQ(TextOf(report), "removed 1 restored 1 left 2");
  EXPECT_EQ(TableText(), "1:changed@2 3:c@1");
}

TEST_F(PostgreSQLUpserts, StreamsThatShareKeysAreUndoneApart) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState one,
                           loader_->OpenStream(KeyedSpec(LoadMode::kUpsert, "one")));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState two,
                           loader_->OpenStream(KeyedSpec(LoadMode::kUpsert, "two")));
  const int64_t base = SlotBase(two.slot);
  AMP_ASSERT_OK(CommitRows(loader_.get(), &one, {RowsOf(1, {{1, "first"}})}));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &one, {RowsOf(2, {{1, "orphan"}, {2, "orphan"}})}));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &two, {RowsOf(base + 9, {{1, "two"}, {2, "two"}})}));
  AMP_ASSERT_OK_AND_ASSIGN(UndoReport report, UndoAfter(loader_.get(), &one, 1));
  EXPECT_EQ(TextOf(report), "removed 0 restored 0 left 2");
  EXPECT_EQ(TableText(), "1:two@9 2:two@9");
  // Nor do the orphaned rows come back when the other stream is undone.
  AMP_ASSERT_OK_AND_ASSIGN(report, UndoAfter(loader_.get(), &two, base));
  EXPECT_EQ(TextOf(report), "removed 1 restored 1 left 0");
  EXPECT_EQ(TableText(), "1:first@1");
  StreamSpec other = KeyedSpec(LoadMode::kUpsert, "three");
  other.key = {"name"};
  AMP_EXPECT_ERROR(loader_->OpenStream(other), ErrorKind::kConfigInvalid, "must have the same");
}

TEST_F(PostgreSQLUpserts, WhatAnotherStreamWroteInBetweenComesBack) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState one,
                           loader_->OpenStream(KeyedSpec(LoadMode::kUpsert, "one")));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState two,
                           loader_->OpenStream(KeyedSpec(LoadMode::kUpsert, "two")));
  const int64_t base = SlotBase(two.slot);
  AMP_ASSERT_OK(CommitRows(loader_.get(), &one, {RowsOf(1, {{1, "a"}})}));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &two, {RowsOf(base + 8, {{1, "two"}})}));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &one, {RowsOf(2, {{1, "b"}}), RowsOf(3, {{1, "c"}})}));
  AMP_ASSERT_OK_AND_ASSIGN(UndoReport report, UndoAfter(loader_.get(), &one, 0));
  EXPECT_EQ(TextOf(report), "removed 0 restored 1 left 0");
  EXPECT_EQ(TableText(), "1:two@8");
  AMP_ASSERT_OK_AND_ASSIGN(report, UndoAfter(loader_.get(), &two, base));
  EXPECT_EQ(TextOf(report), "removed 1 restored 0 left 0");
}

TEST_F(PostgreSQLUpserts, ImagesAreDroppedWhenTheirBatchesAreFinal) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(KeyedSpec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state,
                           {RowsOf(1, {{1, "a"}}), RowsOf(2, {{1, "b"}}), RowsOf(3, {{1, "c"}})}));
  const std::string images = "_amp_images_" + Value("SELECT 'pg_stream'::regclass::oid");
  EXPECT_EQ(Value("SELECT count(*) FROM " + images), "3");
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state)));
  Checkpoint checkpoint = NextCheckpoint(state, 3);
  checkpoint.final_id = 2;
  AMP_ASSERT_OK(transaction->Commit(checkpoint));
  EXPECT_EQ(Value("SELECT string_agg(_amp_image_id::text, ' ') FROM " + images), "3");
  AMP_ASSERT_OK(loader_->ResetTable(table_));
  EXPECT_EQ(Value("SELECT to_regclass('" + images + "')"), "NULL");
}

TEST_F(PostgreSQLUpserts, AColumnThatCameLaterIsRestoredToo) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(KeyedSpec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}})}));
  Run("ALTER TABLE pg_stream ADD COLUMN note text");
  Run("UPDATE pg_stream SET note = 'mine'");
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(2, {{1, "b"}})}));
  EXPECT_EQ(Value("SELECT note FROM pg_stream"), "NULL") << "an upsert replaces the row";
  AMP_ASSERT_OK(UndoAfter(loader_.get(), &state, 1));
  EXPECT_EQ(Value("SELECT name || note FROM pg_stream"), "amine");
}

TEST_F(PostgreSQLUpserts, WritersOfTheSameKeysDoNotLoseImages) {
  AMP_ASSERT_OK(loader_->OpenStream(KeyedSpec(LoadMode::kUpsert, "0")));
  std::vector<std::thread> threads;
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      const auto loader = Another();
      auto state = loader->OpenStream(KeyedSpec(LoadMode::kUpsert, std::to_string(i)));
      ASSERT_TRUE(state.ok()) << state.status().message();
      const int64_t base = SlotBase(state->slot);
      for (int64_t n = 1; n <= 20; ++n) {
        Persist([&] {
          return CommitRows(loader.get(), &*state,
                            {RowsOf(base + n, {{n, "x"}, {n + 1, "y"}, {7, "z"}})});
        });
      }
      Persist([&] { return UndoAfter(loader.get(), &*state, base).status(); });
    });
  }
  for (std::thread& thread : threads) thread.join();
  // Whatever the order was: nothing of undone batches stays.
  EXPECT_EQ(TableText(), "");
}

}  // namespace
}  // namespace amp::testing
