// What of a job is missing, and what its commits say.

#include "ledger/job_ledger.h"

#include <gtest/gtest.h>

#include "core/stream_state.h"

namespace amp {
namespace {

JobUnit Unit(const std::string& file, uint64_t part = 0, const std::string& fingerprint = "0x1") {
  return {.file = file, .part = part, .fingerprint = fingerprint};
}

/// A target: what it would have after each commit.
struct Target {
  StreamState state = [] {
    StreamState made = NewStreamState({.name = "j", .table = "t", .schema = nullptr}, 2);
    TakeOver({}, &made);
    return made;
  }();

  void Commit(JobLedger* ledger) {
    const Checkpoint checkpoint = ledger->NextCheckpoint();
    EXPECT_EQ(checkpoint.sequence, state.checkpoint.sequence + 1);
    AdvanceTo(checkpoint, &state);
    for (const BatchEntry& entry : checkpoint.entries) state.checkpoint.entries.push_back(entry);
    ledger->Committed();
  }
};

void Load(JobLedger* ledger, const JobUnit& unit, int64_t rows = 1) {
  ledger->Begin(unit);
  ledger->AddRows(rows);
  ledger->Complete(7);
}

using Places = std::vector<size_t>;

TEST(JobLedger, EverythingIsMissingAtFirst) {
  JobLedger ledger(Target().state);
  EXPECT_EQ(ledger.Missing({Unit("a", 0), Unit("a", 1), Unit("b")}).ValueOrDie(),
            (Places{0, 1, 2}));
  EXPECT_FALSE(ledger.dirty());
  EXPECT_FALSE(ledger.open());
}

TEST(JobLedger, WhatIsCommittedIsNotMissing) {
  Target target;
  JobLedger first(target.state);
  Load(&first, Unit("a", 1), 10);
  Load(&first, Unit("c"), 0);
  target.Commit(&first);
  EXPECT_EQ(first.units_committed(), 2);
  EXPECT_EQ(first.rows_committed(), 10);

  TakeOver({}, &target.state);
  const JobLedger second(target.state);
  // Added in the middle of the order; a vanished file is no matter.
  EXPECT_EQ(second.Missing({Unit("a", 0), Unit("a", 1), Unit("b", 0, "0x2")}).ValueOrDie(),
            (Places{0, 2}));
  EXPECT_EQ(second.Missing({Unit("a", 1), Unit("c")}).ValueOrDie(), Places{});
  EXPECT_EQ(second.units_committed(), 2);
  EXPECT_EQ(second.rows_committed(), 10);
}

TEST(JobLedger, UncommittedUnitsAreNotThere) {
  Target target;
  JobLedger ledger(target.state);
  Load(&ledger, Unit("a"));
  EXPECT_TRUE(ledger.dirty());
  EXPECT_EQ(ledger.units_committed(), 0);
  EXPECT_EQ(JobLedger(target.state).Missing({Unit("a")}).ValueOrDie(), Places{0});
}

TEST(JobLedger, AUnitThatIsGivenTwiceComesOnce) {
  const JobLedger ledger(Target().state);
  EXPECT_EQ(ledger.Missing({Unit("a"), Unit("b"), Unit("a")}).ValueOrDie(), (Places{0, 1}));
}

TEST(JobLedger, AChangedFileIsRefused) {
  Target target;
  JobLedger ledger(target.state);
  Load(&ledger, Unit("/data/a.parquet", 0, "0x1"));
  target.Commit(&ledger);
  const Status status = ledger.Missing({Unit("/data/a.parquet", 1, "0x2"), Unit("b")}).status();
  EXPECT_EQ(KindOf(status), ErrorKind::kDataInvalid);
  EXPECT_EQ(ErrorInfoOf(status).side, ErrorSide::kSource);
  EXPECT_EQ(ExitCodeOf(status), 3);
  EXPECT_NE(status.message().find("'/data/a.parquet' has changed"), std::string::npos);
  EXPECT_NE(status.message().find("--job NAME"), std::string::npos);
}

TEST(JobLedger, ACheckpointHasALineForEachUnitAndASmallWatermark) {
  Target target;
  JobLedger ledger(target.state);
  const int64_t number = target.state.checkpoint.next_number;
  Load(&ledger, Unit("a", 3, "0xaa"), 5);
  Load(&ledger, Unit("b", 0, "0xbb"), 6);
  const Checkpoint checkpoint = ledger.NextCheckpoint();
  ASSERT_EQ(checkpoint.entries.size(), 2U);
  const BlockRange range{.network = "a", .start = 3, .end = 3, .hash = "0xaa", .prev_hash = {}};
  EXPECT_EQ(checkpoint.entries[0], (BatchEntry{.first_id = SlotBase(2) + number,
                                               .last_id = SlotBase(2) + number,
                                               .ranges = {range},
                                               .rows = 5,
                                               .batches = 1,
                                               .completed_at = 7}));
  ASSERT_EQ(checkpoint.watermark.size(), 1U);
  EXPECT_EQ(checkpoint.watermark[0].network, "b");
  EXPECT_EQ(checkpoint.last_batch_id, SlotBase(2) + number + 1);
  EXPECT_EQ(checkpoint.final_id, checkpoint.last_batch_id);
  EXPECT_EQ(checkpoint.next_number, number + 2);
  EXPECT_EQ(ledger.numbers_since_commit(), 2);
  target.Commit(&ledger);
  EXPECT_EQ(ledger.numbers_since_commit(), 0);
  EXPECT_TRUE(ledger.NextCheckpoint().entries.empty());
}

TEST(JobLedger, AnInterruptedUnitIsTakenBackAndItsNumberNotUsedAgain) {
  Target target;
  JobLedger ledger(target.state);
  Load(&ledger, Unit("a"));
  const int64_t complete = ledger.last_complete_id();
  EXPECT_EQ(ledger.Interrupt(), std::nullopt);
  ledger.Begin(Unit("b"));
  const int64_t open = *ledger.open_record().id;
  EXPECT_GT(open, complete);
  EXPECT_EQ(ledger.Interrupt(), complete);
  EXPECT_FALSE(ledger.open());
  target.Commit(&ledger);
  const JobLedger again(target.state);
  EXPECT_EQ(again.Missing({Unit("a"), Unit("b")}).ValueOrDie(), Places{1});
  ledger.Begin(Unit("b"));
  EXPECT_GT(*ledger.open_record().id, open);
}

}  // namespace
}  // namespace amp
