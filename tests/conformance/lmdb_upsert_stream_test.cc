// Upserts and merges of streams in LMDB, what undo brings back, and merges of loads.

#include <iterator>
#include <map>
#include <random>

#include "conformance/lmdb_stream_fixture.h"

namespace amp::testing {
namespace {

class LMDBUpserts : public LMDBStreamFixture {
 protected:
  void SetUp() override {
    AMP_ASSERT_OK_AND_ASSIGN(loader_, Make());
    AMP_ASSERT_OK_AND_ASSIGN(state_, loader_->OpenStream(spec_));
  }
  Status Commit(int64_t id, const std::vector<Pair>& rows, int64_t final_id = 0) {
    return CommitBatch(loader_.get(), spec_, &state_, id, rows, final_id);
  }
  Result<UndoReport> Undo(int64_t id) { return CommitUndo(loader_.get(), spec_, &state_, id); }
  Status Load(const std::vector<Pair>& rows, LoadMode mode = LoadMode::kUpsert) {
    const auto plain = Batch(0, rows)->SelectColumns({0, 1}).ValueOrDie();
    return loader_->LoadBatch(*plain, "t", {.mode = mode, .key = {"k"}}).status;
  }
  Lines Now() { return Rows(loader_.get()); }

  const StreamSpec spec_ = Spec("main", LoadMode::kUpsert);
  Loaded loader_;
  StreamState state_;
};

void ExpectReport(const UndoReport& report, int64_t removed, int64_t restored, int64_t left) {
  EXPECT_EQ(report.removed, removed);
  EXPECT_EQ(report.restored, restored);
  EXPECT_EQ(report.left, left);
}

TEST_F(LMDBUpserts, TheImageBeforeTheEarliestUndoneBatchComesBack) {
  AMP_ASSERT_OK(Commit(1, {{1, "a"}, {2, "b"}}));
  AMP_ASSERT_OK(Commit(2, {{1, "a2"}, {3, "c2"}}));
  AMP_ASSERT_OK(Commit(3, {{1, "a3"}, {3, "c3"}, {4, "d3"}}));
  EXPECT_EQ(Now(), (Lines{"1 a3 3", "2 b 1", "3 c3 3", "4 d3 3"}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, Undo(1));
  ExpectReport(report, 2, 1, 0);
  EXPECT_EQ(Now(), (Lines{"1 a 1", "2 b 1"}));
}

TEST_F(LMDBUpserts, OnlyTheNewestBatchIsUndone) {
  AMP_ASSERT_OK(Commit(1, {{1, "a"}}));
  AMP_ASSERT_OK(Commit(2, {{1, "a2"}}));
  AMP_ASSERT_OK(Commit(3, {{1, "a3"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, Undo(2));
  ExpectReport(report, 0, 1, 0);
  EXPECT_EQ(Now(), Lines{"1 a2 2"});
}

TEST_F(LMDBUpserts, DuplicatesInABatchAreFoldedAfterTheImageWasTaken) {
  AMP_ASSERT_OK(Commit(1, {{1, "a"}}));
  AMP_ASSERT_OK(Commit(2, {{1, "x"}, {5, "x"}, {1, "y"}, {5, "y"}, {1, "z"}}));
  EXPECT_EQ(Now(), (Lines{"1 z 2", "5 y 2"}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, Undo(1));
  ExpectReport(report, 1, 1, 0);
  EXPECT_EQ(Now(), Lines{"1 a 1"});
}

TEST_F(LMDBUpserts, RowsOfNoStreamComeBack) {
  AMP_ASSERT_OK(Load({{1, "loaded"}, {2, "loaded"}}));
  AMP_ASSERT_OK(Commit(1, {{1, "streamed"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, Undo(0));
  ExpectReport(report, 0, 1, 0);
  EXPECT_EQ(Now(), (Lines{"1 loaded null", "2 loaded null"}));
}

TEST_F(LMDBUpserts, ARowThatSomeoneElseChangedStays) {
  AMP_ASSERT_OK(Load({{1, "before"}, {2, "before"}}));
  AMP_ASSERT_OK(Commit(1, {{1, "a"}, {2, "b"}, {3, "c"}}));
  AMP_ASSERT_OK(Commit(2, {{1, "a2"}, {3, "c2"}}));
  AMP_ASSERT_OK(Load({{1, "foreign"}, {3, "foreign"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, Undo(0));
  ExpectReport(report, 0, 1, 2);
  EXPECT_EQ(Now(), (Lines{"1 foreign null", "2 before null", "3 foreign null"}));
}

TEST_F(LMDBUpserts, AChangeBetweenTwoBatchesComesBackAndStays) {
  AMP_ASSERT_OK(Commit(1, {{1, "a"}}));
  AMP_ASSERT_OK(Load({{1, "foreign"}}));
  AMP_ASSERT_OK(Commit(2, {{1, "a2"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, Undo(0));
  ExpectReport(report, 0, 1, 0);
  EXPECT_EQ(Now(), Lines{"1 foreign null"});
}

TEST_F(LMDBUpserts, UndoReachesWhatTheSameTransactionWrote) {
  AMP_ASSERT_OK(Commit(1, {{1, "a"}, {2, "b"}}));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(spec_, state_)));
  AMP_ASSERT_OK(Write(transaction.get(), 2, {{1, "x"}, {9, "x"}}));
  AMP_ASSERT_OK(Write(transaction.get(), 2, {{1, "y"}, {8, "y"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, transaction->UndoAfter(1));
  ExpectReport(report, 2, 1, 0);
  AMP_ASSERT_OK(Write(transaction.get(), 3, {{7, "z"}, {5, "z"}}));
  AMP_ASSERT_OK(transaction->Commit(Next(state_, 3, {EntryOf(3, 3, 2)})));
  EXPECT_EQ(Now(), (Lines{"1 a 1", "2 b 1", "5 z 3", "7 z 3"}));
}

TEST_F(LMDBUpserts, ImagesGoWhenTheirBatchesAreFinal) {
  AMP_ASSERT_OK(Commit(1, {{1, "a"}}));
  AMP_ASSERT_OK(Commit(2, {{1, "a2"}}));
  AMP_ASSERT_OK(Commit(3, {{1, "a3"}}, /*final_id=*/2));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, Undo(2));
  ExpectReport(report, 0, 1, 0);
  EXPECT_EQ(Now(), Lines{"1 a2 2"});
  loader_.reset();
  EXPECT_EQ(Entries("_amp_undo"), 0U);
}

TEST_F(LMDBUpserts, TwoStreamsOfOneTableUndoTheirOwnChanges) {
  const StreamSpec other = Spec("other", LoadMode::kUpsert);
  AMP_ASSERT_OK_AND_ASSIGN(StreamState two, loader_->OpenStream(other));
  const int64_t base = SlotBase(two.slot);
  AMP_ASSERT_OK(Commit(1, {{1, "a"}, {2, "b"}}));
  AMP_ASSERT_OK(CommitBatch(loader_.get(), other, &two, base + 1, {{2, "theirs"}, {3, "theirs"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, Undo(0));
  ExpectReport(report, 1, 0, 1);
  EXPECT_EQ(Now(),
            (Lines{fmt::format("2 theirs {}", base + 1), fmt::format("3 theirs {}", base + 1)}));
}

TEST_F(LMDBUpserts, ManyRowsOverManyLinesComeBackAfterARestart) {
  std::vector<Pair> before;
  std::vector<Pair> after;
  for (int64_t k = 0; k < 5000; ++k) {
    if (k % 2 == 0) before.push_back({k, fmt::format("before {}", k)});
    after.push_back({4999 - k, "after"});
  }
  AMP_ASSERT_OK(Commit(1, before));
  const Lines wanted = Now();
  AMP_ASSERT_OK(Commit(2, after));
  AMP_ASSERT_OK(Commit(3, after));
  loader_.reset();
  EXPECT_GT(Entries("_amp_undo"), 10U);
  AMP_ASSERT_OK_AND_ASSIGN(loader_, Make());
  AMP_ASSERT_OK_AND_ASSIGN(state_, loader_->OpenStream(spec_));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, Undo(1));
  ExpectReport(report, 2500, 2500, 0);
  EXPECT_EQ(Now(), wanted);
}

// Whatever was written, an undo to a batch leaves the table as it was after that batch.
TEST_F(LMDBUpserts, RandomWritesAndUndosFollowAModel) {
  std::mt19937 random(7);
  const auto below = [&random](int64_t limit) { return static_cast<int64_t>(random()) % limit; };
  std::map<int64_t, Lines> after;  // by batch id
  AMP_ASSERT_OK(Load({{3, "loaded"}, {8, "loaded"}}));
  after[0] = Now();
  int64_t next_id = 1;
  for (int step = 0; step < 60; ++step) {
    AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader_->BeginTransaction(WriteOf(spec_, state_)));
    const int64_t id = next_id++;
    for (int64_t parts = below(4); parts > 0; --parts) {
      std::vector<Pair> rows(static_cast<size_t>(below(12)));
      for (Pair& row : rows) row = {below(15), fmt::format("{}.{}", id, below(100))};
      AMP_ASSERT_OK(Write(transaction.get(), id, rows));
    }
    int64_t last = id;
    if (below(3) == 0) {
      last = std::next(after.begin(), below(static_cast<int64_t>(after.size())))->first;
      AMP_ASSERT_OK(transaction->UndoAfter(last));
      after.erase(after.upper_bound(last), after.end());
    }
    const Checkpoint next = Next(state_, last, {});
    AMP_ASSERT_OK(transaction->Commit(next));
    state_.checkpoint = next;
    if (last == id) {
      after[id] = Now();
    } else {
      ASSERT_EQ(Now(), after[last]) << "after step " << step;
    }
  }
  AMP_ASSERT_OK(Undo(0));
  EXPECT_EQ(Now(), after[0]);
  loader_.reset();
  EXPECT_EQ(Entries("_amp_undo"), 0U);
}

TEST_F(LMDBStreamFixture, AMergingStreamUpdatesItsColumnsAndUndoBringsBackTheRow) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  const auto wide =
      arrow::schema({Schema()->field(0), Schema()->field(1),
                     arrow::field("extra", arrow::list(arrow::int32())), Schema()->field(2)});
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, BatchFromJson(wide, R"([{"k":1,"v":"a","extra":[1]},
      {"k":2,"v":"b","extra":[2]}])"));
  AMP_ASSERT_OK(loader->LoadBatch(*rows, "t", {.mode = LoadMode::kUpsert, .key = {"k"}}).status);
  const StreamSpec spec = Spec("main", LoadMode::kMerge);
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(spec));
  AMP_ASSERT_OK(CommitBatch(loader.get(), spec, &state, 1, {{3, "x"}, {1, "x"}, {3, "y"}}));
  EXPECT_EQ(Rows(loader.get()),
            (Lines{"1 x list<item: int32>[1] 1", "2 b list<item: int32>[2] null", "3 y null 1"}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), spec, &state, 0));
  ExpectReport(report, 1, 1, 0);
  EXPECT_EQ(Rows(loader.get()),
            (Lines{"1 a list<item: int32>[1] null", "2 b list<item: int32>[2] null"}));
}

class LMDBMerges : public LMDBStreamFixture, public ::testing::WithParamInterface<std::string> {};

TEST_P(LMDBMerges, ALoadUpdatesOnlyTheColumnsThatItBrings) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make({{"value_format", {.value = GetParam()}}}));
  // A key, and every type there is.
  const auto all = AllTypesBatch();
  AMP_ASSERT_OK_AND_ASSIGN(
      const auto key, BatchFromJson(arrow::schema({arrow::field("the key", arrow::int32(), false),
                                                   arrow::field("note", arrow::utf8())}),
                                    R"([{"the key":1,"note":"a"},{"the key":2,"note":"b"},
                                        {"the key":3,"note":"c"},{"the key":4,"note":"d"}])"));
  auto full = key;
  for (int i = 0; i < all->num_columns(); ++i) {
    AMP_ASSERT_OK_AND_ASSIGN(
        full, full->AddColumn(full->num_columns(), all->schema()->field(i)->WithNullable(true),
                              all->column(i)));
  }
  const LoadOptions merge{.mode = LoadMode::kMerge, .key = {"the key"}};
  AMP_ASSERT_OK(loader->LoadBatch(*full, "t", merge).status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto notes,
                           BatchFromJson(key->schema(), R"([{"the key":2,"note":"old"},
                               {"the key":4,"note":"D"},{"the key":2,"note":"B"},
                               {"the key":9,"note":"new"}])"));
  AMP_ASSERT_OK(loader->LoadBatch(*notes, "t", merge).status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto reader, loader->ReadTable("t"));
  AMP_ASSERT_OK_AND_ASSIGN(const auto table, reader->ToTable());
  AMP_ASSERT_OK_AND_ASSIGN(const auto got, table->CombineChunksToBatch());
  ASSERT_EQ(got->num_rows(), 5);
  const auto same = got->Slice(0, 4);
  AMP_ASSERT_OK_AND_ASSIGN(const auto others, same->RemoveColumn(1));
  AMP_ASSERT_OK_AND_ASSIGN(const auto wanted, full->RemoveColumn(1));
  EXPECT_TRUE(others->Equals(*wanted)) << others->ToString();
  std::string texts;
  for (int64_t i = 0; i < 5; ++i) texts += got->column(1)->GetScalar(i).ValueOrDie()->ToString();
  EXPECT_EQ(texts, "aBcDnew");
  EXPECT_EQ(got->column(2)->null_count() + got->column(3)->null_count(),
            2 + full->column(2)->null_count() + full->column(3)->null_count());
}

TEST_F(LMDBStreamFixture, AMergeBringsTheKeyAndWhatMayNotBeNull) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  const auto schema =
      arrow::schema({arrow::field("k", arrow::int32()), arrow::field("must", arrow::int32(), false),
                     arrow::field("may", arrow::int32())});
  const LoadOptions merge{.mode = LoadMode::kMerge, .key = {"k"}};
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, BatchFromJson(schema, R"([{"k":1,"must":2,"may":3}])"));
  AMP_ASSERT_OK(loader->LoadBatch(*rows, "t", merge).status);
  AMP_ASSERT_OK_AND_ASSIGN(const auto no_must, rows->SelectColumns({0, 2}));
  AMP_EXPECT_ERROR(loader->LoadBatch(*no_must, "t", merge).status, ErrorKind::kSchemaMismatch,
                   "'must' is missing");
  AMP_ASSERT_OK_AND_ASSIGN(const auto no_key, rows->SelectColumns({1, 2}));
  AMP_EXPECT_ERROR(loader->LoadBatch(*no_key, "t", {.mode = LoadMode::kMerge}).status,
                   ErrorKind::kSchemaMismatch, "'k' is missing");
  AMP_ASSERT_OK_AND_ASSIGN(const auto no_may, rows->SelectColumns({0, 1}));
  AMP_EXPECT_ERROR(
      loader->LoadBatch(*no_may, "t", {.mode = LoadMode::kUpsert, .key = {"k"}}).status,
      ErrorKind::kSchemaMismatch, "'may' is missing");
  AMP_ASSERT_OK(loader->LoadBatch(*no_may, "t", merge).status);
}

INSTANTIATE_TEST_SUITE_P(All, LMDBMerges, ::testing::Values("msgpack", "json", "arrow_ipc"),
                         [](const auto& format) { return format.param; });

}  // namespace
}  // namespace amp::testing
