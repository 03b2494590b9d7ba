// Undo of what replaced other rows, and how far back it reaches.

#include <arrow/api.h>

#include <array>

#include "amp/testing/sample_tables.h"
#include "streaming_case.h"

namespace amp::testing {
namespace {

void ExpectReport(const UndoReport& report, int64_t removed, int64_t restored, int64_t left) {
  EXPECT_EQ(report.removed, removed) << "UndoReport.removed: rows that the batches had inserted";
  EXPECT_EQ(report.restored, restored) << "UndoReport.restored: rows that were there before";
  EXPECT_EQ(report.left, left) << "UndoReport.left: rows that someone else changed since";
}

// In both modes, as every row brings all columns.
void UndoByKey(StreamingCase& t, LoadMode mode) {
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader(), "main", mode));
  AMP_ASSERT_OK_AND_ASSIGN(const int64_t first, hand.Store({{1, "a"}, {2, "b"}}));
  AMP_ASSERT_OK(hand.Store({{1, "a2"}, {3, "c2"}}));
  AMP_ASSERT_OK(hand.Store({{1, "a3"}, {3, "c3"}, {4, "d3"}, {4, "d4"}}));
  t.ExpectRows({{1, "a3"}, {2, "b"}, {3, "c3"}, {4, "d4"}});
  t.Restart();
  AMP_ASSERT_OK_AND_ASSIGN(hand, t.Open(&t.loader(), "main", mode));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, hand.Undo(first));
  ExpectReport(report, 2, 1, 0);
  t.ExpectRows({{1, "a"}, {2, "b"}});
  AMP_ASSERT_OK_AND_ASSIGN(const auto ids, t.BatchIds());
  EXPECT_EQ(ids.at(0), std::to_string(first)) << "a restored row has its old batch id";
}

void UpsertUndo(StreamingCase& t) {
  AMP_PROMISE(
      "the undo of upserts brings back what the earliest undone batch replaced, and "
      "removes the keys that were inserted",
      "keep before-images in the target, committed with the rows");
  UndoByKey(t, LoadMode::kUpsert);
}

void MergeUndo(StreamingCase& t) {
  AMP_PROMISE(
      "the undo of merges brings back what the earliest undone batch replaced, and "
      "removes the keys that were inserted",
      "keep before-images in the target, committed with the rows");
  UndoByKey(t, LoadMode::kMerge);
}

void UpsertUndoInTheSameTransaction(StreamingCase& t) {
  AMP_PROMISE("an undo of upserts reaches what the same transaction wrote",
              "note before-images also of rows that are not committed");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader(), "main", LoadMode::kUpsert));
  AMP_ASSERT_OK_AND_ASSIGN(const int64_t first, hand.Store({{1, "a"}, {2, "b"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto transaction, hand.Begin());
  const int64_t id = hand.NewId();
  AMP_ASSERT_OK(StreamHand::Write(transaction.get(), id, {{1, "x"}, {8, "x"}}));
  AMP_ASSERT_OK(StreamHand::Write(transaction.get(), id, {{1, "y"}, {9, "y"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, transaction->UndoAfter(first));
  ExpectReport(report, 2, 1, 0);
  AMP_ASSERT_OK(StreamHand::Write(transaction.get(), id + 1, {{5, "z"}}));
  AMP_ASSERT_OK(transaction->Commit(hand.Next(id + 1, {StreamHand::Entry(id + 1, 1)})));
  t.ExpectRows({{1, "a"}, {2, "b"}, {5, "z"}});
}

void UpsertUndoOfRowsOfNoStream(StreamingCase& t) {
  AMP_PROMISE("rows that no stream wrote come back when an upsert over them is undone",
              "keep before-images of all rows that are replaced");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader(), "main", LoadMode::kUpsert));
  AMP_ASSERT_OK(t.LoadRows({{1, "loaded"}, {2, "loaded"}}, LoadMode::kUpsert));
  AMP_ASSERT_OK(hand.Store({{1, "streamed"}, {3, "streamed"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, hand.Undo(SlotBase(hand.state.slot)));
  ExpectReport(report, 1, 1, 0);
  t.ExpectRows({{1, "loaded"}, {2, "loaded"}});
  AMP_ASSERT_OK_AND_ASSIGN(const auto ids, t.BatchIds());
  EXPECT_FALSE(ids.at(0).has_value()) << "a row of no stream has no batch id: " << *ids[0];
}

void UpsertUndoLeavesForeignChanges(StreamingCase& t) {
  AMP_PROMISE("rows that someone else has changed since are left as they are, and reported",
              "restore a row only where it still is as the stream wrote it");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader(), "main", LoadMode::kUpsert));
  AMP_ASSERT_OK(t.LoadRows({{1, "before"}, {2, "before"}}, LoadMode::kUpsert));
  AMP_ASSERT_OK(hand.Store({{1, "a"}, {2, "b"}, {3, "c"}}));
  AMP_ASSERT_OK(hand.Store({{1, "a2"}, {3, "c2"}, {4, "d2"}}));
  AMP_ASSERT_OK(t.LoadRows({{1, "foreign"}, {3, "foreign"}}, LoadMode::kUpsert));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, hand.Undo(SlotBase(hand.state.slot)));
  ExpectReport(report, 1, 1, 2);
  t.ExpectRows({{1, "foreign"}, {2, "before"}, {3, "foreign"}});
}

void UpsertUndoOfTwoStreams(StreamingCase& t) {
  AMP_PROMISE("streams that upsert the same keys are undone apart",
              "take another stream's row for a change by someone else");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand one, t.Open(&t.loader(), "one", LoadMode::kUpsert));
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand two, t.Open(&t.loader(), "two", LoadMode::kUpsert));
  AMP_ASSERT_OK(one.Store({{1, "one"}, {2, "one"}}));
  AMP_ASSERT_OK(two.Store({{2, "two"}, {3, "two"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, one.Undo(SlotBase(one.state.slot)));
  ExpectReport(report, 1, 0, 1);
  t.ExpectRows({{2, "two"}, {3, "two"}});
}

// A reorganisation of a stream whose rows replace others, from end to end.
void UpsertReorg(StreamingCase& t) {
  AMP_PROMISE("a reorganisation gives upserted rows back what they were",
              "restore in UndoAfter what the undone batches replaced");
  ScriptedChain eth("eth");
  StreamOptions options{.mode = LoadMode::kUpsert, .key = {"id"}};
  options.pipeline.commit_rows = 1;
  AMP_ASSERT_OK(t.RunTo(5,
                        {eth.Blocks(0, 1, {{1, "at 1"}, {2, "at 1"}}),
                         eth.Blocks(2, 3, {{1, "at 3"}, {3, "at 3"}}),
                         eth.Blocks(4, 5, {{2, "at 5"}, {3, "at 5"}, {4, "at 5"}})},
                        options)
                    .status);
  t.ExpectRows({{1, "at 3"}, {2, "at 5"}, {3, "at 5"}, {4, "at 5"}});
  t.Restart();
  eth.Fork(4);
  AMP_ASSERT_OK(t.RunTo(6, {eth.Blocks(4, 6, {{5, "at 6"}})}, options).status);
  t.ExpectRows({{1, "at 3"}, {2, "at 1"}, {3, "at 3"}, {5, "at 6"}});
}

void MergeUpdatesOnlyItsColumns(StreamingCase& t) {
  AMP_PROMISE("a merge leaves columns that it does not bring, and its undo gives back the row",
              "update by key only the columns of the batch");
  const auto wide =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("name", arrow::utf8()),
                     arrow::field("extra", arrow::utf8())});
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, BatchFromJson(wide, R"([
      {"id":1,"name":"a","extra":"x"},{"id":2,"name":"b","extra":"y"}])"));
  const LoadOptions upsert{.mode = LoadMode::kUpsert, .key = {"id"}};
  AMP_ASSERT_OK(t.loader().LoadBatch(*rows, t.table(), upsert).status);
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand,
                           t.Open(&t.loader(), "main", LoadMode::kMerge, /*adopt=*/true));
  AMP_ASSERT_OK(hand.Store({{1, "merged"}, {3, "merged"}}));
  t.ExpectRows({{1, "merged"}, {2, "b"}, {3, "merged"}});
  AMP_ASSERT_OK_AND_ASSIGN(const auto merged, t.config().QueryRows(t.table(), "", "id"));
  for (const Row& row : merged) {
    if (row.at("id") != "1") continue;
    EXPECT_EQ(row.at("extra"), "x") << "a column that was not brought";
  }
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, hand.Undo(SlotBase(hand.state.slot)));
  ExpectReport(report, 1, 1, 0);
  t.ExpectRows({{1, "a"}, {2, "b"}});
}

void UpsertPrune(StreamingCase& t) {
  AMP_PROMISE("an undo within the window works although older before-images were dropped",
              "drop before-images only of batches up to the checkpoint's final_id");
  ScriptedChain eth("eth");
  StreamOptions options{.mode = LoadMode::kUpsert, .key = {"id"}};
  options.pipeline.retention = 4;
  options.pipeline.commit_rows = 2;
  std::vector<StreamMessage> batches;
  for (uint64_t block = 0; block < 20; ++block) {
    batches.push_back(eth.Blocks(block, block, {{1, "at " + std::to_string(block)}}));
  }
  AMP_ASSERT_OK(t.RunTo(19, batches, options).status);
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, t.State());
  EXPECT_GT(state.checkpoint.final_id, SlotBase(state.slot)) << "old batches are final";
  t.Restart();
  eth.Fork(17);
  AMP_ASSERT_OK(t.RunTo(20, {eth.Blocks(17, 20, {{2, "new"}})}, options).status);
  t.ExpectRows({{1, "at 16"}, {2, "new"}});
  t.Restart();
  eth.Fork(3);
  const LoadResult refused = t.RunTo(30, {eth.Blocks(3, 30, {{3, "deep"}})}, options);
  EXPECT_EQ(ToString(KindOf(refused.status)), ToString(ErrorKind::kReorgTooDeep)) << refused.error;
  t.ExpectRows({{1, "at 16"}, {2, "new"}});
}

// The map of a long stream is short and still reaches back to its start.
void LongStreamAndDeepUndo(StreamingCase& t) {
  AMP_PROMISE("the batch map of a long stream stays short, and an append is undone to any depth",
              "put the checkpoint's entries in place of those whose ids lie within theirs");
  constexpr uint64_t kBlocks = 400;
  ScriptedChain eth("eth");
  StreamOptions options;
  options.pipeline.retention = 4;
  options.pipeline.commit_rows = 20;
  AMP_ASSERT_OK(t.RunTo(kBlocks - 1, eth.Batches(0, kBlocks - 1, 1), options).status);
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, t.State());
  const auto& lines = state.checkpoint.entries;
  ASSERT_FALSE(lines.empty());
  EXPECT_LT(lines.size(), kBlocks / 2) << "lines of the batch map";
  int64_t rows = 0;
  uint64_t next_block = 0;
  for (const BatchEntry& line : lines) {
    EXPECT_EQ(line.ranges.at(0).start, next_block) << "lines follow one another, by their ids";
    next_block = line.ranges.at(0).end + 1;
    rows += line.rows;
  }
  EXPECT_EQ(rows, static_cast<int64_t>(kBlocks));
  EXPECT_EQ(next_block, kBlocks);

  t.Restart();
  eth.Fork(100);
  ScriptedSource source(true);
  source.Always([&](const std::vector<BlockRange>& resume) {
    return ScriptedSource::Script{.messages = eth.Answer(resume, kBlocks, 50), .stays_open = true};
  });
  options.max_undo = 1000;
  options.until_block = kBlocks;
  AMP_ASSERT_OK(t.Run(&source, options).status);
  t.ExpectRows(eth.Rows(0, kBlocks));
}

constexpr LoadMode kUpsert = LoadMode::kUpsert;
constexpr LoadMode kMerge = LoadMode::kMerge;

constexpr std::array<StreamingTest, 10> kTests{
    {{"UpsertUndo", &UpsertUndo, nullptr, kUpsert},
     {"UpsertUndoInTheSameTransaction", &UpsertUndoInTheSameTransaction, nullptr, kUpsert},
     {"UpsertUndoOfRowsOfNoStream", &UpsertUndoOfRowsOfNoStream, nullptr, kUpsert},
     {"UpsertUndoLeavesForeignChanges", &UpsertUndoLeavesForeignChanges, nullptr, kUpsert},
     {"UpsertUndoOfTwoStreams", &UpsertUndoOfTwoStreams, nullptr, kUpsert},
     {"UpsertReorg", &UpsertReorg, nullptr, kUpsert},
     {"UpsertPrune", &UpsertPrune, nullptr, kUpsert},
     {"MergeUndo", &MergeUndo, nullptr, kMerge},
     {"MergeUpdatesOnlyItsColumns", &MergeUpdatesOnlyItsColumns, nullptr, kMerge},
     {"LongStreamAndDeepUndo", &LongStreamAndDeepUndo}}};

}  // namespace

std::span<const StreamingTest> StreamUndoTests() { return kTests; }

}  // namespace amp::testing
