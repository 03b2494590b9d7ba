// Streams into Delta tables: states, fencing, undo, and what other writers do in between.

#include <functional>
#include <thread>

#include "cli/run_ampload.h"
#include "conformance/delta_stream_fixture.h"
#include "loaders/delta/checkpoint_writer.h"
#include "storage/open_store.h"

namespace amp::testing {
namespace {

namespace fs = std::filesystem;

class DeltaStreams : public DeltaStreamFixture {
 protected:
  /// The number of the state that a commit names.
  int64_t StateNumber(int64_t version) const {
    for (const auto& action : Actions(version)) {
      if (action.contains("txn")) return action["txn"]["version"];
    }
    return -1;
  }
  std::string StateFile(int64_t number) const {
    return fmt::format("{}/_delta_log/_ampload/main/{:020}.json", Table(), number);
  }
  /// Batches 1 to `count`, a row each, a commit each.
  Result<StreamState> Begin(Loader* loader, int64_t count, const std::string& name = "main") {
    ARROW_ASSIGN_OR_RAISE(StreamState state, loader->OpenStream(Spec(name)));
    for (int64_t n = 1; n <= count; ++n) {
      const int64_t id = SlotBase(state.slot) + n;
      ARROW_RETURN_NOT_OK(CommitBatch(loader, &state, id, {{n, "x"}}));
    }
    return state;
  }
};

TEST_F(DeltaStreams, EveryCommitNamesAStateThatIsThereAndNumbersGrow) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(Begin(loader.get(), 3));
  AMP_ASSERT_OK(loader->OpenStream(Spec()));
  ASSERT_EQ(Version(), 4);
  int64_t last = 0;
  for (int64_t version = 0; version <= 4; ++version) {
    const int64_t number = StateNumber(version);
    EXPECT_GT(number, last);
    last = number;
    EXPECT_TRUE(fs::exists(StateFile(number))) << number;
  }
}

TEST_F(DeltaStreams, AMissingStateIsNoFreshStart) {
  {
    AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
    AMP_ASSERT_OK(Begin(loader.get(), 2));
  }
  const std::string state = StateFile(StateNumber(2));
  fs::remove(state);
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_EXPECT_ERROR(loader->OpenStream(Spec()), ErrorKind::kDataInvalid, state);
  AMP_EXPECT_ERROR(loader->ReadStreams("t"), ErrorKind::kDataInvalid, "reset");
  std::ofstream(state) << R"({"format":2})";
  AMP_EXPECT_ERROR(loader->OpenStream(Spec()), ErrorKind::kUnsupported, "newer");
  std::ofstream(state) << "{";
  AMP_EXPECT_ERROR(loader->OpenStream(Spec()), ErrorKind::kDataInvalid, "broken");
  EXPECT_EQ(Version(), 2);
  AMP_ASSERT_OK(loader->ResetTable("t"));
  EXPECT_FALSE(fs::exists(Table()));
  AMP_ASSERT_OK(Begin(loader.get(), 1));
  EXPECT_EQ(Rows(), Lines{"1 x 1"});
}

TEST_F(DeltaStreams, AWriterThatWasOvertakenLearnsItAlsoAfterAnError) {
  AMP_ASSERT_OK_AND_ASSIGN(auto older, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, Begin(older.get(), 1));
  AMP_ASSERT_OK_AND_ASSIGN(auto newer, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState taken, newer->OpenStream(Spec()));
  EXPECT_EQ(taken.epoch, state.epoch + 1);
  // The older one reads of it, and then comes to something that it cannot read.
  std::ofstream(LogFile(3)) << "{\"add\":{\"path\":1}}\n";
  AMP_EXPECT_ERROR(CommitBatch(older.get(), &state, 2, {{2, "y"}}), ErrorKind::kProtocol,
                   "00000000000000000003.json");
  fs::remove(LogFile(3));
  const Status fenced = CommitBatch(older.get(), &state, 2, {{2, "y"}});
  AMP_EXPECT_ERROR(fenced, ErrorKind::kConflict, "taken over");
  EXPECT_EQ(ExitCodeOf(fenced), 4);
  AMP_ASSERT_OK(CommitBatch(newer.get(), &taken, 2, {{2, "z"}}));
  EXPECT_EQ(Rows(), (Lines{"1 x 1", "2 z 2"}));
}

TEST_F(DeltaStreams, ManyMakeTheTableAndTheirStreamsAtOnce) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&, i] {
      const auto loader = Make();
      ASSERT_TRUE(loader.ok());
      const auto state = Begin(loader->get(), 10, fmt::format("s/{} ä", i));
      EXPECT_TRUE(state.ok()) << state.status().ToString();
    });
  }
  for (std::thread& thread : threads) thread.join();
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, loader->ReadStreams("t"));
  ASSERT_EQ(streams.size(), 4U);
  for (int32_t slot = 0; slot < 4; ++slot) {
    EXPECT_EQ(streams[static_cast<size_t>(slot)].slot, slot);
    EXPECT_EQ(streams[static_cast<size_t>(slot)].checkpoint.entries.size(), 10U);
  }
  const Lines rows = Rows();
  EXPECT_EQ(rows.size(), 40U);
  EXPECT_TRUE(std::adjacent_find(rows.begin(), rows.end()) == rows.end());
}

TEST_F(DeltaStreams, AMapOfThousandsIsKeptInFilesAndUndone) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  constexpr int64_t kStep = 500;
  std::vector<BatchEntry> all;
  for (int64_t first = 1; first <= 10 * kStep; first += kStep) {
    AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader->BeginTransaction(WriteOf(state)));
    std::vector<BatchEntry> entries;
    for (int64_t id = first; id < first + kStep; ++id) entries.push_back(EntryOf(id, id, 0));
    entries.front().rows = 1;
    AMP_ASSERT_OK(Write(transaction.get(), first, {{first, "x"}}));
    all.insert(all.end(), entries.begin(), entries.end());
    AMP_ASSERT_OK(CommitWith(transaction.get(), &state, first + kStep - 1, std::move(entries),
                             first + kStep - 1));
  }
  AMP_ASSERT_OK_AND_ASSIGN(auto streams, loader->ReadStreams("t"));
  EXPECT_EQ(streams.at(0).checkpoint.entries, all);
  EXPECT_LT(fs::file_size(StateFile(StateNumber(Version()))), 200'000U);
  // Into the third of the older files.
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), &state, 1234, 1000));
  EXPECT_EQ(report.removed, 7);
  AMP_ASSERT_OK_AND_ASSIGN(auto again, Make());
  AMP_ASSERT_OK_AND_ASSIGN(streams, again->ReadStreams("t"));
  all.resize(1234);
  EXPECT_EQ(streams.at(0).checkpoint.entries, all);
  EXPECT_EQ(Rows(), (Lines{"1 x 1", "1001 x 1001", "501 x 501"}));
  AMP_ASSERT_OK(CommitBatch(loader.get(), &state, 6000, {{6000, "new"}}));
  // Files that an earlier final id has made forgotten are found all the same.
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport second, CommitUndo(loader.get(), &state, 1000, 1000));
  EXPECT_EQ(second.removed, 2);
  EXPECT_EQ(Rows(), (Lines{"1 x 1", "501 x 501"}));
}

TEST_F(DeltaStreams, BatchesThatOthersHaveCompactedAreUndone) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, Begin(loader.get(), 5));
  AMP_ASSERT_OK(loader->LoadBatch(*Plain(9), "t").status);
  AMP_ASSERT_OK(Delta("compact"));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), &state, 3));
  EXPECT_EQ(report.removed, 2);
  EXPECT_EQ(Rows(), (Lines{"1 x 1", "2 x 2", "3 x 3", "9 load null"}));
  AMP_ASSERT_OK(Delta("compact"));
  AMP_ASSERT_OK_AND_ASSIGN(auto again, Make());
  AMP_ASSERT_OK_AND_ASSIGN(state, again->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitBatch(again.get(), &state, state.checkpoint.next_number, {{7, "y"}}));
  AMP_ASSERT_OK(CommitUndo(again.get(), &state, 0));
  EXPECT_EQ(Rows(), Lines{"9 load null"});
}

TEST_F(DeltaStreams, BatchesOfWhichOthersDeletedRowsAreUndone) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  AMP_ASSERT_OK(CommitBatch(loader.get(), &state, 1, {{1, "a"}, {2, "b"}}));
  AMP_ASSERT_OK(CommitBatch(loader.get(), &state, 2, {{3, "c"}, {4, "d"}, {5, "e"}}));
  AMP_ASSERT_OK(Delta("delete", {{"where", "k = 2 OR k = 4"}}));
  EXPECT_EQ(Rows(), (Lines{"1 a 1", "3 c 2", "5 e 2"}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), &state, 1));
  EXPECT_EQ(report.removed, 2);
  EXPECT_EQ(Rows(), Lines{"1 a 1"});
}

TEST_F(DeltaStreams, ACompactionBetweenUndoAndCommitIsFollowed) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, Begin(loader.get(), 4));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(transaction->UndoAfter(2));
  AMP_ASSERT_OK(Write(transaction.get(), 5, {{5, "new"}}));
  AMP_ASSERT_OK(Delta("compact"));
  AMP_ASSERT_OK(CommitWith(transaction.get(), &state, 5, {EntryOf(5, 5)}));
  EXPECT_EQ(Rows(), (Lines{"1 x 1", "2 x 2", "5 new 5"}));
}

// The snapshot is shared: it has gone beyond the compaction when the undo is committed.
TEST_F(DeltaStreams, ACompactionThatAnotherThreadHasSeenIsFollowed) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, Begin(loader.get(), 4));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(transaction->UndoAfter(2));
  AMP_ASSERT_OK(Write(transaction.get(), 5, {{5, "new"}}));
  AMP_ASSERT_OK(Delta("compact"));
  AMP_ASSERT_OK(loader->GetTableInfo("t"));
  AMP_ASSERT_OK(CommitWith(transaction.get(), &state, 5, {EntryOf(5, 5)}));
  EXPECT_EQ(Rows(), (Lines{"1 x 1", "2 x 2", "5 new 5"}));
}

TEST_F(DeltaStreams, AStreamThatOthersBeganIsUndoneByAWriterWhoKnewTheTableBefore) {
  AMP_ASSERT_OK_AND_ASSIGN(auto first, Make());
  AMP_ASSERT_OK(first->LoadBatch(*Plain(0), "t").status);
  AMP_ASSERT_OK(first->GetTableInfo("t"));
  AMP_ASSERT_OK_AND_ASSIGN(auto other, Make());
  StreamSpec spec = Spec();
  spec.adopt = true;
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, other->OpenStream(spec));
  for (int64_t id = 1; id <= 3; ++id) {
    AMP_ASSERT_OK(CommitBatch(other.get(), &state, id, {{id, "x"}}));
  }
  AMP_ASSERT_OK_AND_ASSIGN(state, first->OpenStream(Spec()));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(first.get(), &state, 1));
  EXPECT_EQ(report.removed, 2);
  EXPECT_EQ(Rows(), (Lines{"0 load null", "1 x 1"}));
}

TEST_F(DeltaStreams, TakesTurnsWithDeltaRs) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(Spec()));
  Lines wanted;
  for (int64_t id = 1; id <= 50; ++id) {
    AMP_ASSERT_OK(CommitBatch(loader.get(), &state, id, {{id, "ours"}}));
    AMP_ASSERT_OK(Delta("append", {{"rows", {{"k", {id}}, {"v", {"theirs"}}}}}));
    wanted.push_back(fmt::format("{} ours {}", id, id));
    wanted.push_back(fmt::format("{} theirs null", id));
  }
  std::sort(wanted.begin(), wanted.end());
  EXPECT_EQ(Rows(), wanted);
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, CommitUndo(loader.get(), &state, 0));
  EXPECT_EQ(report.removed, 50);
  EXPECT_EQ(Rows().size(), 50U);
}

TEST_F(DeltaStreams, UndoIsRefusedWhereATableMayOnlyGrow) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader,
                           Make({{"properties.delta.appendOnly", {.value = std::string("true")}}}));
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, Begin(loader.get(), 2));
  AMP_EXPECT_ERROR(CommitUndo(loader.get(), &state, 1), ErrorKind::kUnsupported,
                   "delta.appendOnly");
  EXPECT_EQ(Rows(), (Lines{"1 x 1", "2 x 2"}));
  // What was never committed may go.
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(Write(transaction.get(), 3, {{3, "orphan"}}));
  AMP_ASSERT_OK(transaction->UndoAfter(2));
  AMP_ASSERT_OK(Write(transaction.get(), 4, {{4, "x"}}));
  AMP_ASSERT_OK(CommitWith(transaction.get(), &state, 4, {EntryOf(4, 4)}));
  EXPECT_EQ(Rows(), (Lines{"1 x 1", "2 x 2", "4 x 4"}));
}

TEST_F(DeltaStreams, ATableOfDeltaRsIsAdopted) {
  AMP_ASSERT_OK(Delta("create", {{"rows", {{"k", {1, 2}}, {"v", {"a", "b"}}}}}));
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  StreamSpec spec = Spec();
  AMP_EXPECT_ERROR(loader->OpenStream(spec), ErrorKind::kSchemaMismatch, "--adopt");
  spec.adopt = true;
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, loader->OpenStream(spec));
  AMP_ASSERT_OK(CommitBatch(loader.get(), &state, 1, {{3, "c"}}));
  EXPECT_EQ(Rows(), (Lines{"1 a null", "2 b null", "3 c 1"}));
  AMP_ASSERT_OK(Delta("compact"));
  AMP_ASSERT_OK(CommitUndo(loader.get(), &state, 0));
  EXPECT_EQ(Rows(), (Lines{"1 a null", "2 b null"}));
}

TEST_F(DeltaStreams, ATableThatWasReplacedIsNotTheStreams) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, Begin(loader.get(), 2));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(Write(transaction.get(), 3, {{3, "x"}}));
  AMP_ASSERT_OK(Delta("replace"));
  AMP_EXPECT_ERROR(CommitWith(transaction.get(), &state, 3, {EntryOf(3, 3)}),
                   ErrorKind::kConfigInvalid, "another one");
  AMP_EXPECT_ERROR(loader->OpenStream(Spec()), ErrorKind::kConfigInvalid, "reset");
  EXPECT_EQ(Rows(), Lines{});
}

TEST_F(DeltaStreams, ColumnsThatOthersAddAreFollowed) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK_AND_ASSIGN(StreamState state, Begin(loader.get(), 1));
  AMP_ASSERT_OK_AND_ASSIGN(auto transaction, loader->BeginTransaction(WriteOf(state)));
  AMP_ASSERT_OK(Write(transaction.get(), 2, {{2, "y"}}));
  AMP_ASSERT_OK(Delta("append", {{"rows", {{"k", {9}}, {"v", {"more"}}, {"note", {"a column"}}}}}));
  const Status changed = CommitWith(transaction.get(), &state, 2, {EntryOf(2, 2)});
  ASSERT_FALSE(changed.ok());
  EXPECT_NE(changed.message().find("column"), std::string::npos) << changed.message();
  EXPECT_EQ(Rows(), (Lines{"1 x 1", "9 more null"}));
  transaction.reset();
  // Where the table does not take the stream's columns any more, that is said; nothing is lost.
  const Status next = CommitBatch(loader.get(), &state, 3, {{3, "z"}});
  AMP_EXPECT_ERROR(next, ErrorKind::kSchemaMismatch, "note");
}

TEST_F(DeltaStreams, AWriterWhoComesLateDoesNotBringBackWhatWasReset) {
  for (const bool drops_while_writing : {true, false}) {
    AMP_ASSERT_OK_AND_ASSIGN(auto writer, Make());
    AMP_ASSERT_OK_AND_ASSIGN(StreamState state, Begin(writer.get(), 2));
    AMP_ASSERT_OK_AND_ASSIGN(auto transaction, writer->BeginTransaction(WriteOf(state)));
    AMP_ASSERT_OK(Write(transaction.get(), 3, {{3, "late"}}));
    AMP_ASSERT_OK_AND_ASSIGN(auto other, Make());
    // Also the writer's own process may do it.
    AMP_ASSERT_OK((drops_while_writing ? other : writer)->ResetTable("t"));
    AMP_EXPECT_ERROR(CommitWith(transaction.get(), &state, 3, {EntryOf(3, 3)}),
                     ErrorKind::kConflict, "");
    transaction.reset();
    EXPECT_EQ(Version(), -1);
    EXPECT_FALSE(fs::exists(LogFile(3)));
    AMP_ASSERT_OK_AND_ASSIGN(const auto info, other->GetTableInfo("t"));
    EXPECT_FALSE(info);
    AMP_ASSERT_OK(other->LoadBatch(*Plain(1), "t").status);
    AMP_ASSERT_OK(other->ResetTable("t"));
    EXPECT_FALSE(fs::exists(Table()));
  }
}

/// A folder whose table someone drops just before a checkpoint is put there.
class DroppedStore final : public storage::ObjectStore {
 public:
  DroppedStore(std::shared_ptr<ObjectStore> store, std::function<void()> drop)
      : store_(std::move(store)), drop_(std::move(drop)) {}
  Status Put(const std::string& path, std::string_view bytes) override {
    drop_();
    return store_->Put(path, bytes);
  }
  Result<std::shared_ptr<arrow::Buffer>> Read(const std::string& path) override {
    return store_->Read(path);
  }
  Result<std::shared_ptr<arrow::io::RandomAccessFile>> Open(const std::string& path) override {
    return store_->Open(path);
  }
  Result<std::vector<storage::ObjectInfo>> List(const std::string& folder,
                                                const ListOptions& options) override {
    return store_->List(folder, options);
  }
  Result<storage::PutOutcome> PutIfAbsent(const std::string& path,
                                          std::string_view bytes) override {
    return store_->PutIfAbsent(path, bytes);
  }
  Result<std::unique_ptr<storage::OutputObject>> Create(const std::string& path) override {
    return store_->Create(path);
  }
  Status SyncFolders(const std::vector<std::string>& folders) override {
    return store_->SyncFolders(folders);
  }
  Status Delete(const std::vector<std::string>& paths) override { return store_->Delete(paths); }
  Status RemoveEmptyFolders() override { return store_->RemoveEmptyFolders(); }
  std::string Describe(std::string_view path) const override { return store_->Describe(path); }

 private:
  std::shared_ptr<ObjectStore> store_;
  std::function<void()> drop_;
};

TEST_F(DeltaStreams, ACheckpointThatComesLateDoesNotBringBackWhatWasReset) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(Begin(loader.get(), 3));
  AMP_ASSERT_OK_AND_ASSIGN(auto folder, storage::OpenStore(Table(), {}));
  const auto store = std::make_shared<DroppedStore>(
      std::move(folder), [&] { EXPECT_TRUE(loader->ResetTable("t").ok()); });
  delta::LogReader reader{delta::LogStore(store, "")};
  EXPECT_FALSE(delta::WriteCheckpoint(&reader, 2, {}).ok());
  EXPECT_FALSE(fs::exists(Table()));
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, loader->GetTableInfo("t"));
  EXPECT_FALSE(info);
}

TEST_F(DeltaStreams, WhatWritersHaveLeftWhenTheyDiedIsVacuumed) {
  AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
  AMP_ASSERT_OK(Begin(loader.get(), 1));
  const auto old = fs::file_time_type::clock::now() - std::chrono::hours(24 * 30);
  const std::vector<std::string> left{".1f-1.amp-tmp", "_delta_log/.1f-2.amp-tmp",
                                      "_delta_log/_ampload/main/.1f-3.amp-tmp"};
  for (const std::string& name : left) {
    std::ofstream(Table() + "/" + name) << "x";
    fs::last_write_time(Table() + "/" + name, old);
  }
  const std::string fresh = Table() + "/.1f-4.amp-tmp";
  std::ofstream(fresh) << "x";
  const CommandResult result =
      RunAmpload({"maintain", "--to", "delta:" + folder_.path(), "--table", "t"});
  ASSERT_EQ(result.exit_code, 0) << result.err;
  for (const std::string& name : left) EXPECT_FALSE(fs::exists(Table() + "/" + name)) << name;
  EXPECT_TRUE(fs::exists(fresh));
  EXPECT_EQ(Rows(), Lines{"1 x 1"});
}

TEST_F(DeltaStreams, AResetThatWasBrokenOffIsDoneAgain) {
  for (const char* gone : {"00000000000000000000.json", "00000000000000000002.json", "_ampload"}) {
    AMP_ASSERT_OK_AND_ASSIGN(auto loader, Make());
    AMP_ASSERT_OK(Begin(loader.get(), 3));
    loader.reset();
    fs::remove_all(Table() + "/_delta_log/" + gone);
    AMP_ASSERT_OK_AND_ASSIGN(loader, Make());
    AMP_ASSERT_OK(loader->ResetTable("t"));
    EXPECT_FALSE(fs::exists(Table())) << gone;
    AMP_ASSERT_OK(loader->ResetTable("t"));
  }
}

}  // namespace
}  // namespace amp::testing
