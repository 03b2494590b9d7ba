// Streams that append: exactly once, one writer, undone by batch.

#include <thread>

#include "conformance/postgresql_stream_fixture.h"

namespace amp::testing {
namespace {

class PostgreSQLStreams : public PostgreSQLStreamTest {};

TEST_F(PostgreSQLStreams, OpeningMakesTableIndexAndStream) {
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, loader_->OpenStream(Spec()));
  EXPECT_EQ(state.slot, 0);
  EXPECT_EQ(state.epoch, 1);
  EXPECT_GT(state.checkpoint.next_number, 1);
  EXPECT_EQ(Value("SELECT indexdef FROM pg_indexes WHERE tablename = 'pg_stream'"),
            "CREATE INDEX pg_stream__amp_batch_id_idx ON public.pg_stream USING brin "
            "(_amp_batch_id int8_minmax_multi_ops) WITH (pages_per_range='128', "
            "autosummarize='on')");
  EXPECT_EQ(Value("SELECT concat_ws(' ', slot, epoch, sequence, table_id::regclass) FROM "
                  "_amp_streams WHERE table_name = 'pg_stream' AND stream = 'main'"),
            "0 1 0 pg_stream");
}

TEST_F(PostgreSQLStreams, RowsCheckpointAndBatchMapAreOneCommit) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(transaction->Write({.id = 1, .ranges = {}}, *RowsOf(1, {{1, "a"}, {2, "b"}})));
  EXPECT_EQ(Value("SELECT count(*) FROM pg_stream"), "0");
  const Checkpoint checkpoint = NextCheckpoint(state, 1, {EntryOf(1, 2)});
  AMP_ASSERT_OK(transaction->Commit(checkpoint));
  EXPECT_EQ(TableText(), "1:a@1 2:b@1");

  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, Another()->ReadStreams(table_));
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].checkpoint.sequence, 1);
  EXPECT_EQ(streams[0].checkpoint.last_batch_id, 1);
  EXPECT_EQ(streams[0].checkpoint.watermark, checkpoint.watermark);
  EXPECT_EQ(streams[0].checkpoint.entries, checkpoint.entries);
  EXPECT_EQ(streams[0].checkpoint.entries[0].ranges[0].timestamp, 17);
  EXPECT_EQ(streams[0].query, "SELECT 1");
  EXPECT_TRUE(streams[0].schema->Equals(*RowSchema()));
  EXPECT_GT(streams[0].committed_at, 1'700'000'000'000);
}

TEST_F(PostgreSQLStreams, ATransactionWithoutCommitLeavesNothing) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  {
    AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state)));
    AMP_ASSERT_OK(transaction->Write({.id = 1, .ranges = {}}, *RowsOf(1, {{1, "a"}})));
  }
  EXPECT_EQ(TableText(), "");
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(2, {{1, "b"}})}));
  EXPECT_EQ(TableText(), "1:b@2");
}

TEST_F(PostgreSQLStreams, ACommitMayHaveNoRows) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {}));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(transaction->Commit(NextCheckpoint(state, 5, {EntryOf(5, 0)})));
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, loader_->ReadStreams(table_));
  EXPECT_EQ(streams[0].checkpoint.sequence, 2);
  EXPECT_EQ(streams[0].checkpoint.entries.size(), 1U);
}

TEST_F(PostgreSQLStreams, ACommitIsNotRepeated) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK_AND_ASSIGN(auto late, loader_->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(late->Write({.id = 1, .ranges = {}}, *RowsOf(1, {{1, "a"}})));
  StreamState before = state;
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}})}));
  AMP_EXPECT_ERROR(late->Commit(NextCheckpoint(before, 1)), ErrorKind::kConflict, "is at commit 1");
  AMP_EXPECT_ERROR(loader_->BeginTransaction(WriteOf(before)), ErrorKind::kConflict,
                   "go on from its checkpoint");
  EXPECT_EQ(TableText(), "1:a@1");
}

TEST_F(PostgreSQLStreams, TheNewestWriterWins) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState old, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &old, {RowsOf(1, {{1, "a"}})}));
  AMP_ASSERT_OK_AND_ASSIGN(auto open, loader_->BeginTransaction(WriteOf(old)));
  AMP_ASSERT_OK(open->Write({.id = 2, .ranges = {}}, *RowsOf(2, {{2, "old"}})));

  const auto another = Another();
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, another->OpenStream(Spec()));
  EXPECT_EQ(state.epoch, 2);
  EXPECT_EQ(state.checkpoint.last_batch_id, 1);
  EXPECT_GT(state.checkpoint.next_number, 2);
  const Status refused = open->Commit(NextCheckpoint(old, 2, {EntryOf(2, 1)}));
  AMP_EXPECT_ERROR(refused, ErrorKind::kConflict, "was taken over by another writer");
  EXPECT_FALSE(ErrorInfoOf(refused).retryable);
  AMP_EXPECT_ERROR(loader_->BeginTransaction(WriteOf(old)), ErrorKind::kConflict, "taken over");
  StreamSpec back = Spec();
  back.held_epoch = old.epoch;
  AMP_EXPECT_ERROR(loader_->OpenStream(back), ErrorKind::kConflict, "taken over");
  AMP_ASSERT_OK(CommitRows(another.get(), &state, {RowsOf(9, {{2, "new"}})}));
  EXPECT_EQ(TableText(), "1:a@1 2:new@9");
}

TEST_F(PostgreSQLStreams, ManyMayOpenAtOnceAndTheLastOneWins) {
  std::vector<std::unique_ptr<Loader>> loaders;
  for (int i = 0; i < 8; ++i) loaders.push_back(Another());
  std::vector<Result<StreamState>> states(8, Status::Invalid("not opened"));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < 8; ++i) {
    threads.emplace_back(
        [&, i] { states[i] = loaders[i]->OpenStream(Spec(i % 2 == 0 ? "even" : "odd")); });
  }
  for (std::thread& thread : threads) thread.join();
  int written = 0;
  for (size_t i = 0; i < 8; ++i) {
    AMP_ASSERT_OK(states[i]);
    StreamState state = *states[i];
    const int64_t id = SlotBase(state.slot) + state.checkpoint.next_number;
    written += CommitRows(loaders[i].get(), &state, {RowsOf(id, {{1, "x"}})}).ok() ? 1 : 0;
  }
  EXPECT_EQ(written, 2) << "one of each stream's writers";
  EXPECT_EQ(Value("SELECT string_agg(slot || '/' || epoch, ' ' ORDER BY slot) FROM _amp_streams "
                  "WHERE table_name = 'pg_stream'"),
            "0/4 1/4");
}

TEST_F(PostgreSQLStreams, UndoTakesBatchesAfterAnId) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState one, loader_->OpenStream(Spec("one")));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState two, loader_->OpenStream(Spec("two")));
  const int64_t base = SlotBase(two.slot);
  ASSERT_EQ(two.slot, 1);
  AMP_ASSERT_OK(loader_->LoadBatch(*SampleBatch(0), "pg_other").status);
  AMP_ASSERT_OK(CommitRows(loader_.get(), &one,
                           {RowsOf(1, {{1, "a"}}), RowsOf(2, {{2, "b"}}), RowsOf(3, {{3, "c"}})}));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &two, {RowsOf(base + 7, {{7, "z"}})}));
  Run("INSERT INTO pg_stream (id, name) VALUES (0, 'own')");
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(one)));
  AMP_ASSERT_OK(transaction->Write({.id = 4, .ranges = {}}, *RowsOf(4, {{4, "d"}})));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, transaction->UndoAfter(1));
  EXPECT_EQ(report.removed, 3);
  AMP_ASSERT_OK(transaction->Write({.id = 5, .ranges = {}}, *RowsOf(5, {{5, "e"}})));
  AMP_ASSERT_OK(transaction->Commit(NextCheckpoint(one, 5, {EntryOf(5, 1)})));
  EXPECT_EQ(TableText(), "0:own 1:a@1 5:e@5 7:z@7");
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, loader_->ReadStreams(table_));
  ASSERT_EQ(streams.size(), 2U);
  EXPECT_EQ(streams[0].checkpoint.entries, (std::vector<BatchEntry>{EntryOf(1, 1), EntryOf(5, 1)}));
  EXPECT_EQ(streams[1].checkpoint.entries, std::vector<BatchEntry>{EntryOf(base + 7, 1)});
  Run("DROP TABLE pg_other");
}

TEST_F(PostgreSQLStreams, CoarserLinesTakeThePlaceOfFinerOnes) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state,
                           {RowsOf(1, {{1, "a"}}), RowsOf(2, {{2, "b"}}), RowsOf(3, {{3, "c"}})}));
  BatchEntry merged = EntryOf(1, 2);
  merged.last_id = 2;
  merged.batches = 2;
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(transaction->Commit(NextCheckpoint(state, 3, {merged})));
  ++state.checkpoint.sequence;
  AMP_ASSERT_OK_AND_ASSIGN(auto streams, loader_->ReadStreams(table_));
  EXPECT_EQ(streams[0].checkpoint.entries, (std::vector<BatchEntry>{merged, EntryOf(3, 1)}));
  // A line that reaches above the id goes too.
  AMP_ASSERT_OK_AND_ASSIGN(transaction, loader_->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(transaction->UndoAfter(1));
  AMP_ASSERT_OK(transaction->Commit(NextCheckpoint(state, 1)));
  AMP_ASSERT_OK_AND_ASSIGN(streams, loader_->ReadStreams(table_));
  EXPECT_TRUE(streams[0].checkpoint.entries.empty());
  EXPECT_EQ(TableText(), "1:a@1");
}

// What undo searches is the pages whose summary says so, not the table.
TEST_F(PostgreSQLStreams, UndoUsesTheIndexOfBatchIds) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  const std::string text(1000, 'x');
  std::vector<std::pair<int64_t, std::string>> rows(5000, {1, text});
  for (int64_t id = 1; id <= 4; ++id) {
    AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(id, rows)}));
  }
  Run("SET enable_seqscan = off");
  const std::string searched =
      Value("SELECT sum(1) FROM pg_stream WHERE _amp_batch_id > 3 AND _amp_batch_id < 100");
  EXPECT_EQ(searched, "5000");
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto plan,
      client_->Query("EXPLAIN (ANALYZE, COSTS off, TIMING off, SUMMARY off) DELETE FROM pg_stream "
                     "WHERE _amp_batch_id > 3 AND _amp_batch_id <= 281474976710655"));
  std::string lines;
  for (const auto& row : plan) lines += *row.begin()->second + "\n";
  EXPECT_NE(lines.find("Bitmap Index Scan on pg_stream__amp_batch_id_idx"), std::string::npos);
  const size_t removed = lines.find("Rows Removed by Index Recheck: ");
  ASSERT_NE(removed, std::string::npos) << lines;
  EXPECT_LT(std::stoi(lines.substr(removed + 31)), 2500) << "all full ranges have summaries\n"
                                                         << lines;
  Run("RESET enable_seqscan");
}

TEST_F(PostgreSQLStreams, ATableThatIsGoneOrAnotherOneIsRefused) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}})}));
  Run("DROP TABLE pg_stream");
  AMP_EXPECT_ERROR(loader_->BeginTransaction(WriteOf(state)), ErrorKind::kConfigInvalid,
                   "ampload reset --table 'pg_stream'");
  AMP_EXPECT_ERROR(loader_->OpenStream(Spec()), ErrorKind::kConfigInvalid, "is gone");
  Run("CREATE TABLE pg_stream (id bigint, name text, _amp_batch_id bigint)");
  AMP_EXPECT_ERROR(loader_->OpenStream(Spec()), ErrorKind::kConfigInvalid, "is another one");
  AMP_EXPECT_ERROR(loader_->OpenStream(Spec("new")), ErrorKind::kConfigInvalid, "is another one");
  AMP_EXPECT_ERROR(loader_->BeginTransaction(WriteOf(state)), ErrorKind::kConfigInvalid,
                   "is another one");
  AMP_ASSERT_OK(loader_->ResetTable(table_));
  AMP_ASSERT_OK(loader_->OpenStream(Spec()));
}

TEST_F(PostgreSQLStreams, ARunningWriterLearnsOfAReset) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}})}));
  AMP_ASSERT_OK(Another()->ResetTable(table_));
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader_->GetTableInfo(table_));
  EXPECT_FALSE(info.has_value());
  EXPECT_EQ(Value("SELECT count(*) FROM _amp_batches WHERE table_name = 'pg_stream'"), "0");
  AMP_EXPECT_ERROR(loader_->BeginTransaction(WriteOf(state)), ErrorKind::kConflict,
                   "someone has reset the table");
  StreamSpec back = Spec();
  back.held_epoch = state.epoch;
  AMP_EXPECT_ERROR(loader_->OpenStream(back), ErrorKind::kConflict, "reset");
  AMP_ASSERT_OK(Another()->OpenStream(Spec()));
  AMP_EXPECT_ERROR(loader_->BeginTransaction(WriteOf(state)), ErrorKind::kConflict, "is at commit");
  AMP_ASSERT_OK(loader_->ResetTable("never there"));
}

TEST_F(PostgreSQLStreams, ATableThatWasNotMadeForStreamsMayBeAdopted) {
  Run("CREATE TABLE pg_stream (id bigint, name text)");
  Run("INSERT INTO pg_stream VALUES (0, 'own')");
  AMP_EXPECT_ERROR(loader_->OpenStream(Spec()), ErrorKind::kSchemaMismatch, "--adopt");
  EXPECT_EQ(Value("SELECT count(*) FROM pg_attribute WHERE attrelid = 'pg_stream'::regclass AND "
                  "attnum > 0"),
            "2");
  StreamSpec spec = Spec();
  spec.adopt = true;
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(spec));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}})}));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(transaction->UndoAfter(0));
  AMP_ASSERT_OK(transaction->Commit(NextCheckpoint(state, 1)));
  EXPECT_EQ(TableText(), "0:own");
}

TEST_F(PostgreSQLStreams, ColumnsThatDoNotFitAreRefusedWithNothingWritten) {
  Run("CREATE TABLE pg_stream (id text, name text, _amp_batch_id bigint)");
  AMP_EXPECT_ERROR(loader_->OpenStream(Spec()), ErrorKind::kSchemaMismatch, "'id' is text");
  Run("ALTER TABLE pg_stream ALTER id TYPE bigint USING 1, ALTER _amp_batch_id TYPE int");
  AMP_EXPECT_ERROR(loader_->OpenStream(Spec()), ErrorKind::kSchemaMismatch, "must be bigint");
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, loader_->ReadStreams(table_));
  EXPECT_TRUE(streams.empty());
}

TEST_F(PostgreSQLStreams, SlotsWhoseIdsAreInTheTableAreNotTaken) {
  Run("CREATE TABLE pg_stream (id bigint, name text, _amp_batch_id bigint)");
  Run("INSERT INTO pg_stream VALUES (1, 'lost', 5), (2, 'own', NULL), (3, 'lost', " +
      std::to_string(SlotBase(1) + 3) + ")");
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, loader_->OpenStream(Spec()));
  EXPECT_EQ(state.slot, 2);
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState next, loader_->OpenStream(Spec("next")));
  EXPECT_EQ(next.slot, 3);
}

TEST_F(PostgreSQLStreams, AnotherQueryOrSchemaIsRefused) {
  AMP_ASSERT_OK(loader_->OpenStream(Spec()));
  StreamSpec spec = Spec();
  spec.query = "SELECT 2";
  AMP_EXPECT_ERROR(loader_->OpenStream(spec), ErrorKind::kConfigInvalid, "another query");
  spec.accept_query = true;
  AMP_ASSERT_OK(loader_->OpenStream(spec));
}

TEST_F(PostgreSQLStreams, LoadsOfFilesLeaveTheBatchIdEmpty) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}})}));
  const auto plain = RowsOf(0, {{5, "file"}})->RemoveColumn(2).ValueOrDie();
  AMP_ASSERT_OK(loader_->LoadBatch(*plain, table_).status);
  EXPECT_EQ(TableText(), "1:a@1 5:file");
  AMP_EXPECT_ERROR(loader_->LoadBatch(*plain, table_, {.mode = LoadMode::kOverwrite}).status,
                   ErrorKind::kConfigInvalid, "has streams");
  AMP_EXPECT_ERROR(loader_->PlanTable(
                       {.table = table_, .schema = plain->schema(), .mode = LoadMode::kOverwrite}),
                   ErrorKind::kConfigInvalid, "has streams");
  EXPECT_EQ(TableText(), "1:a@1 5:file");
}

TEST_F(PostgreSQLStreams, AColumnWhoseTypeChangedMeanwhileIsSeen) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(1, {{1, "a"}})}));
  // As wide as bigint in COPY BINARY: what is known of the table must not be trusted.
  Run("ALTER TABLE pg_stream ALTER id TYPE timestamp USING to_timestamp(id)");
  AMP_EXPECT_ERROR(loader_->BeginTransaction(WriteOf(state)), ErrorKind::kSchemaMismatch,
                   "'id' is timestamp");
  Run("ALTER TABLE pg_stream ALTER id TYPE bigint USING 1");
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(2, {{2, "b"}})}));
  EXPECT_EQ(TableText(), "1:a@1 2:b@2");
}

TEST_F(PostgreSQLStreams, ALostConnectionIsRetryableAndTheNextIsNew) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(transaction->Write({.id = 1, .ranges = {}}, *RowsOf(1, {{1, "a"}})));
  const auto kill = [&] {
    Run("SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = "
        "'ampload'");
  };
  kill();
  const auto undone = transaction->UndoAfter(0);
  EXPECT_EQ(KindOf(undone.status()), ErrorKind::kUnavailable) << undone.status().message();
  EXPECT_TRUE(ErrorInfoOf(undone.status()).retryable);
  transaction.reset();
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(2, {{2, "b"}})}));
  kill();  // idle connections
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state, {RowsOf(3, {{3, "c"}})}));
  AMP_ASSERT_OK_AND_ASSIGN(transaction, loader_->BeginTransaction(WriteOf(state)));
  kill();
  AMP_EXPECT_ERROR(transaction->Commit(NextCheckpoint(state, 3)), ErrorKind::kCommitUnknown,
                   "not known");
  EXPECT_EQ(TableText(), "2:b@2 3:c@3");
}

TEST_F(PostgreSQLStreams, StreamsMayCommitAtOnceAndWhileVacuumRuns) {
  std::vector<std::thread> threads;
  std::atomic<int> committed = 0;
  AMP_ASSERT_OK(loader_->OpenStream(Spec("0")));
  for (int i = 0; i < 3; ++i) {
    threads.emplace_back([&, i] {
      const auto loader = Another();
      auto state = loader->OpenStream(Spec(std::to_string(i)));
      ASSERT_TRUE(state.ok()) << state.status().message();
      const std::vector<std::pair<int64_t, std::string>> rows(2000, {i, std::string(500, 'x')});
      for (int64_t n = 1; n <= 10; ++n) {
        const Status status =
            CommitRows(loader.get(), &*state, {RowsOf(SlotBase(state->slot) + n, rows)});
        EXPECT_TRUE(status.ok()) << status.message();
        committed += status.ok() ? 1 : 0;
      }
    });
  }
  for (int i = 0; i < 5; ++i) Run("VACUUM pg_stream");
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(committed, 30);
  EXPECT_EQ(Value("SELECT count(*) FROM pg_stream"), "60000");
}

TEST_F(PostgreSQLStreams, PartitionedTablesTakeRowsAndUndo) {
  Run("CREATE TABLE pg_stream (id bigint, name text, _amp_batch_id bigint) PARTITION BY RANGE "
      "(id)");
  Run("CREATE TABLE pg_stream_low PARTITION OF pg_stream FOR VALUES FROM (0) TO (10)");
  Run("CREATE TABLE pg_stream_high PARTITION OF pg_stream FOR VALUES FROM (10) TO (20)");
  AMP_EXPECT_ERROR(loader_->OpenStream(KeyedSpec()), ErrorKind::kUnsupported, "is partitioned");
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader_->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitRows(loader_.get(), &state,
                           {RowsOf(1, {{1, "a"}, {11, "b"}}), RowsOf(2, {{2, "c"}, {12, "d"}})}));
  AMP_ASSERT_OK(UndoAfter(loader_.get(), &state, 1));
  EXPECT_EQ(TableText(), "1:a@1 11:b@1");
}

TEST_F(PostgreSQLStreams, TheSchemaOptionHoldsAlsoForStateTables) {
  Run("CREATE SCHEMA \"my streams\"");
  AMP_ASSERT_OK_AND_ASSIGN(auto there, Make({{"schema", {.value = std::string("my streams")}}}));
  AMP_ASSERT_OK(there->Connect());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, there->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitRows(there.get(), &state, {RowsOf(1, {{1, "a"}})}));
  EXPECT_EQ(Value("SELECT count(*) FROM \"my streams\"._amp_batches"), "1");
  AMP_ASSERT_OK_AND_ASSIGN(const auto here, loader_->ReadStreams(table_));
  EXPECT_TRUE(here.empty());
  Run("DROP SCHEMA \"my streams\" CASCADE");
}

}  // namespace
}  // namespace amp::testing
