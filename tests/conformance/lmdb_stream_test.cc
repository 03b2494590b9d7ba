// Streams in LMDB: opening, commits, fencing, undo of appended rows, reset.

#include <sys/resource.h>

#include <csignal>
#include <nlohmann/json.hpp>
#include <thread>

#include "conformance/lmdb_stream_fixture.h"

namespace amp::testing {
namespace {

class LMDBStreams : public LMDBStreamFixture {};

TEST_F(LMDBStreams, OpeningMakesTableAndStream) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(const auto none, loader->ReadStreams("t"));
  EXPECT_TRUE(none.empty());
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState one, loader->OpenStream(Spec()));
  EXPECT_EQ(one.slot, 0);
  EXPECT_EQ(one.epoch, 1);
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState two, loader->OpenStream(Spec("second")));
  EXPECT_EQ(two.slot, 1);
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState again, loader->OpenStream(Spec()));
  EXPECT_EQ(again.slot, 0);
  EXPECT_EQ(again.epoch, 2);
  EXPECT_GT(again.checkpoint.next_number, one.checkpoint.next_number);
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader->GetTableInfo("t"));
  ASSERT_EQ(info->streams.size(), 2U);
  EXPECT_EQ(info->streams[1].name, "second");
  EXPECT_EQ(info->row_count, 0);
}

TEST_F(LMDBStreams, RowsAndCheckpointAreOneCommit) {
  {
    AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
    AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
    AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}, {2, "b"}}));
    AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 2, {{3, "c"}}));
    // Given up without a commit.
    AMP_ASSERT_OK_AND_ASSIGN(auto lost, loader->BeginTransaction(WriteOf(Spec(), state)));
    AMP_ASSERT_OK(Write(lost.get(), 3, {{9, "x"}}));
  }
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, ReadLmdb(folder_.file("db"), "_amp_streams"));
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].first, std::string("t\0main", 6));
  const auto json = nlohmann::json::parse(streams[0].second);
  EXPECT_EQ(json["sequence"], 2);
  EXPECT_EQ(json["last_batch_id"], 2);
  AMP_ASSERT_OK_AND_ASSIGN(const auto tables, ReadLmdb(folder_.file("db"), "_amp_tables"));
  EXPECT_EQ(nlohmann::json::parse(tables.at(0).second)["id"], json["table_id"]);
  AMP_ASSERT_OK_AND_ASSIGN(const auto batches, ReadLmdb(folder_.file("db"), "_amp_batches"));
  ASSERT_EQ(batches.size(), 2U);
  EXPECT_EQ(batches[1].first, std::string("t\0\0\0\0\0\0\0\0\2", 10));
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  EXPECT_EQ(Rows(loader.get()), (Lines{"1 a 1", "2 b 1", "3 c 2"}));
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, loader->OpenStream(Spec()));
  EXPECT_EQ(state.checkpoint.last_batch_id, 2);
  EXPECT_EQ(state.checkpoint.entries, (std::vector<BatchEntry>{EntryOf(1, 1, 2), EntryOf(2, 2)}));
}

TEST_F(LMDBStreams, AnEmptyCommitKeepsTheCheckpoint) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader->BeginTransaction(WriteOf(Spec(), state)));
  AMP_ASSERT_OK(Write(transaction.get(), 1, {}));
  AMP_ASSERT_OK(transaction->Commit(Next(state, 1, {EntryOf(1, 1, 0)})));
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, loader->ReadStreams("t"));
  EXPECT_EQ(streams.at(0).checkpoint.sequence, 1);
  EXPECT_GT(streams[0].committed_at, 0);
  EXPECT_EQ(streams[0].checkpoint.entries.size(), 1U);
}

TEST_F(LMDBStreams, TheNewestWriterWins) {
  AMP_ASSERT_OK_AND_ASSIGN(auto old_writer, Make());
  AMP_ASSERT_OK_AND_ASSIGN(auto new_writer, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState old_state, old_writer->OpenStream(Spec()));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState new_state, new_writer->OpenStream(Spec()));
  const Status fenced = CommitBatch(old_writer.get(), Spec(), &old_state, 1, {{1, "a"}});
  AMP_EXPECT_ERROR(fenced, ErrorKind::kConflict, "taken over by another writer");
  EXPECT_EQ(ExitCodeOf(fenced), 4);
  AMP_ASSERT_OK(CommitBatch(new_writer.get(), Spec(), &new_state, 2, {{2, "b"}}));
  EXPECT_EQ(Rows(new_writer.get()), Lines{"2 b 2"});
  StreamSpec back = Spec();
  back.held_epoch = old_state.epoch;
  AMP_EXPECT_ERROR(old_writer->OpenStream(back), ErrorKind::kConflict, "taken over");
}

TEST_F(LMDBStreams, ACommitThatWasDoneIsRefused) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  StreamState before = state;
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
  AMP_EXPECT_ERROR(CommitBatch(loader.get(), Spec(), &before, 1, {{1, "a"}}), ErrorKind::kConflict,
                   "is at commit 1, not at 0");
  EXPECT_EQ(Rows(loader.get()), Lines{"1 a 1"});
}

TEST_F(LMDBStreams, WhatDoesNotFitIsRefusedAndNothingWritten) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(loader->OpenStream(Spec()));
  StreamSpec other = Spec();
  other.query = "SELECT 2";
  AMP_EXPECT_ERROR(loader->OpenStream(other), ErrorKind::kConfigInvalid, "another query");
  StreamSpec narrow = Spec("narrow");
  narrow.schema = arrow::schema({Schema()->field(0), Schema()->field(2)});
  AMP_EXPECT_ERROR(loader->OpenStream(narrow), ErrorKind::kSchemaMismatch, "'v' is missing");
  AMP_EXPECT_ERROR(loader->OpenStream(Spec("u", LoadMode::kUpsert)), ErrorKind::kSchemaMismatch,
                   "its key is");
  StreamSpec long_name = Spec(std::string(600, 'x'));
  AMP_EXPECT_ERROR(loader->OpenStream(long_name), ErrorKind::kConfigInvalid, "LMDB allows");
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, loader->ReadStreams("t"));
  ASSERT_EQ(streams.size(), 1U);
  EXPECT_EQ(streams[0].epoch, 1);
  other.accept_query = true;
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState accepted, loader->OpenStream(other));
  EXPECT_EQ(accepted.query, "SELECT 2");
}

TEST_F(LMDBStreams, UndoRemovesExactlyTheRowsAboveAnId) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 2, {{2, "b"}, {3, "c"}}));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 3, {{4, "d"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), Spec(), &state, 1));
  EXPECT_EQ(report.removed, 3);
  EXPECT_EQ(Rows(loader.get()), Lines{"1 a 1"});
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 4, {{5, "e"}}));
  EXPECT_EQ(Rows(loader.get()), (Lines{"1 a 1", "5 e 4"}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, loader->ReadStreams("t"));
  EXPECT_EQ(streams[0].checkpoint.entries, (std::vector<BatchEntry>{EntryOf(1, 1), EntryOf(4, 4)}));
  loader.reset();
  EXPECT_EQ(Entries("_amp_undo"), 2U);
}

TEST_F(LMDBStreams, UndoReachesWhatTheSameTransactionWrote) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader->BeginTransaction(WriteOf(Spec(), state)));
  AMP_ASSERT_OK(Write(transaction.get(), 2, {{2, "b"}}));
  AMP_ASSERT_OK(Write(transaction.get(), 3, {{3, "c"}}));
  AMP_ASSERT_OK(Write(transaction.get(), 3, {{4, "d"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport first, transaction->UndoAfter(2));
  EXPECT_EQ(first.removed, 2);
  AMP_ASSERT_OK(Write(transaction.get(), 4, {{5, "e"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport all, transaction->UndoAfter(0));
  EXPECT_EQ(all.removed, 3);
  AMP_ASSERT_OK(Write(transaction.get(), 5, {{6, "f"}, {7, "g"}}));
  AMP_ASSERT_OK(transaction->Commit(Next(state, 5, {EntryOf(5, 5, 2)})));
  EXPECT_EQ(Rows(loader.get()), (Lines{"6 f 5", "7 g 5"}));
}

TEST_F(LMDBStreams, UndoWorksAfterARestart) {
  StreamState state;
  {
    AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
    AMP_ASSERT_OK_AND_ASSIGN(state, loader->OpenStream(Spec()));
    for (int64_t id = 1; id <= 5; ++id) {
      AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, id, {{id, "x"}}));
    }
  }
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), Spec(), &state, 3));
  EXPECT_EQ(report.removed, 2);
  EXPECT_EQ(Rows(loader.get()).size(), 3U);
}

TEST_F(LMDBStreams, TwoStreamsInOneTableUndoTheirOwnRows) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(loader->OpenStream(Spec("one")));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState one, loader->OpenStream(Spec("one")));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState two, loader->OpenStream(Spec("two")));
  const int64_t base = SlotBase(two.slot);
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec("one"), &one, 1, {{1, "a"}}));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec("two"), &two, base + 1, {{2, "b"}}));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec("one"), &one, 2, {{3, "c"}}));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec("two"), &two, base + 2, {{4, "d"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), Spec("one"), &one, 0));
  EXPECT_EQ(report.removed, 2);
  EXPECT_EQ(Rows(loader.get()),
            (Lines{fmt::format("2 b {}", base + 1), fmt::format("4 d {}", base + 2)}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, loader->ReadStreams("t"));
  EXPECT_TRUE(streams[0].checkpoint.entries.empty());
  EXPECT_EQ(streams[1].checkpoint.entries.size(), 2U);
  // The numbers of rows that went are not given to others that remain.
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec("one"), &one, 3, {{5, "e"}}));
  AMP_ASSERT_OK(CommitUndo(loader.get(), Spec("two"), &two, base));
  EXPECT_EQ(Rows(loader.get()), Lines{"5 e 3"});
}

TEST_F(LMDBStreams, CoarserEntriesAreUndoneWhole) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState two, loader->OpenStream(Spec("two")));
  for (int64_t id = 1; id <= 6; ++id) {
    AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, id, {{id, "x"}, {id, "y"}}));
    // In between, so that the runs are not neighbours everywhere.
    if (id != 4) continue;
    AMP_ASSERT_OK(CommitBatch(loader.get(), Spec("two"), &two, SlotBase(1) + 1, {{0, "two"}}));
  }
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader->BeginTransaction(WriteOf(Spec(), state)));
  Checkpoint next = Next(state, 6, {EntryOf(2, 5, 8)});
  next.final_id = 5;
  AMP_ASSERT_OK(transaction->Commit(next));
  transaction.reset();
  state.checkpoint = next;
  loader.reset();
  EXPECT_EQ(Entries("_amp_batches"), 4U);
  EXPECT_EQ(Entries("_amp_undo"), 4U);  // 1, 2 to 5, 6, and one of the other stream
  AMP_ASSERT_OK_AND_ASSIGN(loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), Spec(), &state, 1));
  EXPECT_EQ(report.removed, 10);
  EXPECT_EQ(Rows(loader.get()),
            (Lines{"1 x 1", "1 y 1", fmt::format("0 two {}", SlotBase(1) + 1)}));
}

TEST_F(LMDBStreams, AppendedRowsWithKeysAreUndone) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make({{"key_columns", {.value = std::string("k")}}}));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{5, "a"}, {1, "b"}}));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 2, {{3, "c"}, {9, "d"}}));
  AMP_EXPECT_ERROR(CommitBatch(loader.get(), Spec(), &state, 3, {{3, "again"}}),
                   ErrorKind::kDataInvalid, "exists already");
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), Spec(), &state, 1));
  EXPECT_EQ(report.removed, 2);
  EXPECT_EQ(Rows(loader.get()), (Lines{"1 b 1", "5 a 1"}));
  // The largest key went: smaller ones must not be taken for larger than it.
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 4, {{7, "e"}, {6, "f"}}));
  EXPECT_EQ(Rows(loader.get()), (Lines{"1 b 1", "5 a 1", "6 f 4", "7 e 4"}));
}

TEST_F(LMDBStreams, ATableOfLoadsIsTakenOnlyWhenAdopted) {
  const auto plain = arrow::schema({Schema()->field(0), Schema()->field(1)});
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, BatchFromJson(plain, R"([{"k":1,"v":"a"}])"));
  for (const std::string format : {"msgpack", "json", "arrow_ipc"}) {
    AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make({{"value_format", {.value = format}}}));
    StreamSpec spec = Spec();
    spec.table = format;
    AMP_ASSERT_OK(loader->LoadBatch(*rows, format).status);
    AMP_EXPECT_ERROR(loader->OpenStream(spec), ErrorKind::kSchemaMismatch, "--adopt");
    spec.adopt = true;
    AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(spec));
    EXPECT_EQ(Rows(loader.get(), format), Lines{"1 a null"});
    AMP_ASSERT_OK(CommitBatch(loader.get(), spec, &state, 1, {{2, "b"}}));
    // A load into it belongs to no stream.
    AMP_ASSERT_OK(loader->LoadBatch(*rows, format).status);
    EXPECT_EQ(Rows(loader.get(), format), (Lines{"1 a null", "2 b 1", "1 a null"}));
    AMP_ASSERT_OK(CommitUndo(loader.get(), spec, &state, 0));
    EXPECT_EQ(Rows(loader.get(), format), (Lines{"1 a null", "1 a null"}));
    spec.adopt = false;
    AMP_ASSERT_OK(loader->OpenStream(spec));
  }
}

TEST_F(LMDBStreams, AnotherTableOfTheNameIsNotTheStreams) {
  {
    AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
    AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
    AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
  }
  AMP_ASSERT_OK(DropLmdb(folder_.file("db"), "t"));
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_EXPECT_ERROR(loader->OpenStream(Spec()), ErrorKind::kConfigInvalid, "reset");
  AMP_ASSERT_OK(loader->LoadBatch(*Batch(0, {{1, "a"}}), "t").status);
  AMP_EXPECT_ERROR(loader->OpenStream(Spec()), ErrorKind::kConfigInvalid, "is another one");
  AMP_ASSERT_OK(loader->ResetTable("t"));
  AMP_ASSERT_OK(loader->OpenStream(Spec()));
}

TEST_F(LMDBStreams, ResetDropsRowsAndStateAndStopsAnOlderWriter) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(loader->ResetTable("t"));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  StreamState fresh = state;
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
  AMP_EXPECT_ERROR(
      loader->LoadBatch(*Batch(0, {{1, "a"}}), "t", {.mode = LoadMode::kOverwrite}).status,
      ErrorKind::kConfigInvalid, "cannot be overwritten");
  AMP_EXPECT_ERROR(
      loader->PlanTable({.table = "t", .schema = Schema(), .mode = LoadMode::kOverwrite}),
      ErrorKind::kConfigInvalid, "cannot be overwritten");
  AMP_ASSERT_OK(loader->ResetTable("t"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader->GetTableInfo("t"));
  EXPECT_FALSE(info.has_value());
  AMP_EXPECT_ERROR(CommitBatch(loader.get(), Spec(), &state, 2, {{2, "b"}}), ErrorKind::kConflict,
                   "has reset the table");
  AMP_ASSERT_OK(loader->OpenStream(Spec()));
  // A writer from before the reset that never committed is not taken for the new one.
  AMP_EXPECT_ERROR(CommitBatch(loader.get(), Spec(), &fresh, 2, {{2, "b"}}), ErrorKind::kConflict,
                   "taken over");
  EXPECT_TRUE(Rows(loader.get()).empty());
  loader.reset();
  EXPECT_EQ(Entries("_amp_undo"), 0U);
  EXPECT_EQ(Entries("_amp_batches"), 0U);
}

TEST_F(LMDBStreams, StreamsOfSeveralThreadsWaitForEachOther) {
  std::vector<std::thread> threads;
  std::atomic<int> good = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this, i, &good] {
      const StreamSpec spec = Spec(fmt::format("s{}", i));
      auto loader = Make();
      if (!loader.ok()) return;
      auto state = (*loader)->OpenStream(spec);
      if (!state.ok()) return;
      for (int64_t n = 1; n <= 20; ++n) {
        const int64_t id = SlotBase(state->slot) + n;
        good += CommitBatch(loader->get(), spec, &*state, id, {{n, "x"}}).ok() ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 80);
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  EXPECT_EQ(Rows(loader.get()).size(), 80U);
}

TEST_F(LMDBStreams, AFullMapRollsBackAndALaterCommitWorks) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make({{"map_size", {.value = std::string("1MiB")}}}));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
  const std::vector<Pair> many(20'000, Pair{2, std::string(200, 'x')});
  const Status full = CommitBatch(loader.get(), Spec(), &state, 2, many);
  AMP_EXPECT_ERROR(full, ErrorKind::kUnavailable, "Raise map_size");
  EXPECT_EQ(ExitCodeOf(full), 4);
  EXPECT_EQ(Rows(loader.get()), Lines{"1 a 1"});
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 3, {{3, "c"}}));
  EXPECT_EQ(Rows(loader.get()), (Lines{"1 a 1", "3 c 3"}));
}

TEST_F(LMDBStreams, AFileThatMayNotGrowRollsBackAndALaterCommitWorks) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 1, {{1, "a"}}));
  rlimit before{};
  getrlimit(RLIMIT_FSIZE, &before);
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  const rlimit small{.rlim_cur = 1 << 20, .rlim_max = before.rlim_max};
  setrlimit(RLIMIT_FSIZE, &small);
  const std::vector<Pair> many(20'000, Pair{2, std::string(200, 'x')});
  const Status full = CommitBatch(loader.get(), Spec(), &state, 2, many);
  setrlimit(RLIMIT_FSIZE, &before);
  std::signal(SIGXFSZ, handler);
  AMP_EXPECT_ERROR(full, ErrorKind::kUnavailable, "ulimit -f");
  EXPECT_EQ(Rows(loader.get()), Lines{"1 a 1"});
  AMP_ASSERT_OK(CommitBatch(loader.get(), Spec(), &state, 3, {{3, "c"}}));
  EXPECT_EQ(Rows(loader.get()), (Lines{"1 a 1", "3 c 3"}));
}

}  // namespace
}  // namespace amp::testing
