#include "amp/testing/asserts.h"
#include "loaders/delta/protocol/conflict.h"
#include "loaders/delta/protocol/log_files.h"
#include "loaders/delta/protocol/log_replay.h"
#include "loaders/delta/protocol/snapshot.h"

// Names of log files, and what becomes of the actions in them.
namespace amp::delta {
namespace {

std::vector<LogFile> Named(const Strings& names) {
  std::vector<LogFile> files;
  for (const std::string& name : names) {
    auto file = ParseLogFileName(name);
    EXPECT_TRUE(file) << name;
    if (file) files.push_back(*file);
  }
  return files;
}

constexpr const char* kUuid = "80a083e8-7026-4e79-81be-64bd76c43a11";
std::string V(int64_t version) { return VersionPrefix(version); }

Strings NamesOf(const std::vector<LogFile>& files) {
  Strings names;
  for (const LogFile& file : files) names.push_back(file.name);
  return names;
}

TEST(DeltaLogFiles, NamesSayWhatTheyAre) {
  const auto kind = [](const std::string& name) {
    const auto file = ParseLogFileName(name);
    return file ? std::optional(file->kind) : std::nullopt;
  };
  EXPECT_EQ(kind("00000000000000000007.json"), LogFileKind::kCommit);
  EXPECT_EQ(kind(V(7) + ".checkpoint.parquet"), LogFileKind::kClassicCheckpoint);
  EXPECT_EQ(kind(V(7) + ".checkpoint.0000000002.0000000003.parquet"), LogFileKind::kCheckpointPart);
  EXPECT_EQ(kind(V(7) + ".checkpoint." + kUuid + ".json"), LogFileKind::kV2CheckpointJson);
  EXPECT_EQ(kind(V(7) + ".checkpoint." + kUuid + ".parquet"), LogFileKind::kV2CheckpointParquet);
  EXPECT_EQ(kind(V(7) + "." + V(9) + ".compacted.json"), LogFileKind::kCompacted);
  EXPECT_EQ(kind(V(7) + ".crc"), LogFileKind::kChecksum);
  for (const std::string name :
       {"_last_checkpoint", ".00000000000000000007.json.tmp", "7.json", "-0000000000000000007.json",
        "99999999999999999999.json",
        "00000000000000000007.checkpoint.0000000004.0000000003.parquet",
        "00000000000000000007.json.tmp", "00000000000000000007.checkpoint.x.parquet"}) {
    EXPECT_EQ(kind(name), std::nullopt) << name;
  }
}

TEST(DeltaLogFiles, TheNewestWholeCheckpointBegins) {
  const auto files =
      Named({V(0) + ".json", V(1) + ".json", V(1) + ".checkpoint.parquet", V(2) + ".json",
             V(2) + ".checkpoint.0000000001.0000000002.parquet", V(3) + ".json"});
  AMP_ASSERT_OK_AND_ASSIGN(const auto segment, FindSegment(files));
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->version, 3);
  EXPECT_EQ(segment->checkpoint_version, 1);
  EXPECT_EQ(NamesOf(segment->commits), (Strings{V(3) + ".json", V(2) + ".json"}));
  AMP_ASSERT_OK_AND_ASSIGN(const auto first, FindSegment(files, 0));
  EXPECT_EQ(first->checkpoint_version, -1);
  AMP_EXPECT_ERROR(FindSegment(files, 4), ErrorKind::kNotFound, "version 4");
}

TEST(DeltaLogFiles, PartsMakeUpACheckpointTogether) {
  const auto files = Named({V(2) + ".checkpoint.0000000002.0000000002.parquet",
                            V(2) + ".checkpoint.0000000001.0000000002.parquet"});
  AMP_ASSERT_OK_AND_ASSIGN(const auto segment, FindSegment(files));
  ASSERT_TRUE(segment);
  EXPECT_EQ(segment->version, 2);
  ASSERT_EQ(segment->checkpoint.size(), 2U);
  EXPECT_EQ(segment->checkpoint[0].part, 1);
}

TEST(DeltaLogFiles, CompactedCommitsStandForThoseTheyHold) {
  Strings names;
  for (int i = 0; i < 8; ++i) names.push_back(CommitName(i));
  names.push_back(V(2) + "." + V(5) + ".compacted.json");
  names.push_back(V(4) + "." + V(5) + ".compacted.json");
  names.push_back(V(6) + "." + V(7) + ".compacted.json");
  AMP_ASSERT_OK_AND_ASSIGN(const auto segment, FindSegment(Named(names)));
  EXPECT_EQ(NamesOf(segment->commits),
            (Strings{CommitName(7), CommitName(6), V(2) + "." + V(5) + ".compacted.json",
                     CommitName(1), CommitName(0)}));
}

TEST(DeltaLogFiles, GapsAreNamed) {
  AMP_EXPECT_ERROR(FindSegment(Named({CommitName(0), CommitName(2)})), ErrorKind::kProtocol,
                   "00000000000000000001.json is missing");
  AMP_EXPECT_ERROR(FindSegment(Named({CommitName(3)})), ErrorKind::kProtocol,
                   "00000000000000000002.json is missing");
  AMP_EXPECT_ERROR(FindSegment(Named({CommitName(3)}), 3), ErrorKind::kNotFound, "version 3");
  AMP_ASSERT_OK_AND_ASSIGN(const auto none, FindSegment(Named({V(1) + ".crc"})));
  EXPECT_FALSE(none);
}

TEST(DeltaLogFiles, TheHintMayBeAnything) {
  const auto hint = ParseLastCheckpoint(
      R"({"version":10,"size":6,"parts":2,"sizeInBytes":15370,"numOfAddFiles":4,"checksum":"x"})");
  ASSERT_TRUE(hint);
  EXPECT_EQ(ToJson(*hint),
            R"({"version":10,"size":6,"parts":2,"sizeInBytes":15370,"numOfAddFiles":4})");
  for (const char* text : {"", "{", "[]", "{}", R"({"version":"1"})", R"({"version":-1})"}) {
    EXPECT_FALSE(ParseLastCheckpoint(text)) << text;
  }
}

Add File(const std::string& path, int64_t rows, int64_t size = 10) {
  return {.file = {.path = path},
          .size = size,
          .stats = "{\"numRecords\":" + std::to_string(rows) + "}"};
}

Add WithVector(Add add, int64_t deleted) {
  add.file.deletion_vector = DeletionVectorDescriptor{
      .storage_type = "i", .path_or_inline_dv = "x", .cardinality = deleted};
  return add;
}

Snapshot Table(Snapshot::Keep keep = {}) {
  Snapshot snapshot(std::move(keep));
  const std::vector<Action> first{Protocol{}, Metadata{.id = "m"}};
  EXPECT_TRUE(snapshot.Advance(0, first).ok());
  return snapshot;
}

Status Commit(Snapshot* snapshot, const std::vector<Action>& actions) {
  return snapshot->Advance(snapshot->version() + 1, actions);
}

TEST(DeltaSnapshot, CountsFilesAsTheyComeAndGo) {
  Snapshot table = Table();
  AMP_ASSERT_OK(Commit(&table, {File("a", 3), File("b", 4), Txn{"s", 1}}));
  AMP_ASSERT_OK(Commit(&table, {RemoveOf(File("a", 3), 1), Txn{"s", 2}}));
  EXPECT_EQ(table.totals().files, 1);
  EXPECT_EQ(table.totals().rows, 4);
  EXPECT_EQ(table.totals().bytes, 10);
  EXPECT_EQ(table.txns().at("s").version, 2);
  // The same file with other statistics.
  AMP_ASSERT_OK(Commit(&table, {File("b", 5)}));
  EXPECT_EQ(table.totals().files, 1);
  EXPECT_EQ(table.totals().rows, 5);
  // A deletion vector makes another logical file of it.
  AMP_ASSERT_OK(Commit(&table, {RemoveOf(File("b", 5), 1), WithVector(File("b", 5), 2)}));
  EXPECT_EQ(table.totals().files, 1);
  EXPECT_EQ(table.totals().rows, 3);
  EXPECT_TRUE(table.totals().exact);
  AMP_EXPECT_ERROR(table.Advance(9, {}), ErrorKind::kInternal, "cannot follow");
}

TEST(DeltaSnapshot, FilesThatAreNotKeptAreCountedStill) {
  Snapshot table = Table([](const Add& add) { return add.file.path.starts_with("keep"); });
  AMP_ASSERT_OK(Commit(&table, {File("keep1", 1), File("old", 5)}));
  EXPECT_EQ(table.files().size(), 1U);
  AMP_ASSERT_OK(Commit(&table, {RemoveOf(File("old", 5), 1)}));
  EXPECT_EQ(table.totals().rows, 1);
  EXPECT_TRUE(table.totals().exact);
  AMP_ASSERT_OK(Commit(&table, {Remove{.file = {.path = "unknown"}}}));
  EXPECT_FALSE(table.totals().exact);
  table.Forget([](const Add&) { return false; });
  EXPECT_TRUE(table.files().empty());
}

TEST(DeltaSnapshot, DomainsAreKeptUntilRemoved) {
  Snapshot table = Table();
  AMP_ASSERT_OK(Commit(&table, {DomainMetadata{"d", "{}", false}}));
  EXPECT_EQ(table.domains().size(), 1U);
  AMP_ASSERT_OK(Commit(&table, {DomainMetadata{"d", "", true}}));
  EXPECT_TRUE(table.domains().empty());
}

TEST(DeltaReplay, TheNewestWordCounts) {
  LogReplay replay;
  EXPECT_TRUE(replay.Keeps(RemoveOf(File("a", 1), 1)));
  EXPECT_FALSE(replay.Keeps(File("a", 1)));
  EXPECT_TRUE(replay.Keeps(Txn{"s", 5}));
  EXPECT_FALSE(replay.KeepsFromCheckpoint(Txn{"s", 4}));
  EXPECT_TRUE(replay.Keeps(Protocol{}));
  EXPECT_FALSE(replay.KeepsFromCheckpoint(Protocol{}));
  EXPECT_FALSE(replay.KeepsFromCheckpoint(File("a", 1)));
  EXPECT_TRUE(replay.KeepsFromCheckpoint(WithVector(File("a", 1), 1)));
  EXPECT_FALSE(replay.Keeps(CommitInfo{}));
}

std::optional<ConflictKind> Judge(const CommitIntent& intent, const std::vector<Action>& winner) {
  const auto conflict = FindConflict(intent, 7, winner);
  return conflict ? std::optional(conflict->kind) : std::nullopt;
}

TEST(DeltaConflict, AppendsGoOnAfterAppends) {
  const std::vector<Action> ours{File("x", 1), Txn{"s", 1}};
  const CommitIntent intent{.actions = ours};
  EXPECT_EQ(Judge(intent, {File("y", 1), Txn{"other", 3}, CommitInfo{}}), std::nullopt);
  EXPECT_EQ(Judge(intent, {RemoveOf(File("z", 1), 1)}), std::nullopt);
  EXPECT_EQ(Judge(intent, {Txn{"s", 9}}), ConflictKind::kTransaction);
  EXPECT_EQ(Judge(intent, {Metadata{}}), ConflictKind::kMetadata);
  EXPECT_EQ(Judge(intent, {Metadata{}, Txn{"s", 9}, Protocol{}}), ConflictKind::kProtocol);
}

TEST(DeltaConflict, AFileOfOursMustStillBeThere) {
  const std::vector<Action> ours{RemoveOf(File("x", 1), 1)};
  const CommitIntent intent{.actions = ours};
  EXPECT_EQ(Judge(intent, {RemoveOf(File("x", 1), 1)}), ConflictKind::kFileRemoved);
  // Another deleted rows of it by a deletion vector.
  EXPECT_EQ(Judge(intent, {RemoveOf(File("x", 1), 1), WithVector(File("x", 1), 1)}),
            ConflictKind::kFileRemoved);
  EXPECT_EQ(Judge(intent, {RemoveOf(File("y", 1), 1)}), std::nullopt);
}

TEST(DeltaConflict, WhoReadTheTableMindsNewRows) {
  const CommitInfo blind{.operation = "WRITE", .is_blind_append = true, .engine_info = "e"};
  CommitIntent intent{.read = ReadScope::kTable};
  EXPECT_EQ(Judge(intent, {blind, File("y", 1)}), ConflictKind::kConcurrentRows);
  EXPECT_EQ(Judge(intent, {RemoveOf(File("y", 1), 1)}), ConflictKind::kConcurrentRows);
  // OPTIMIZE only moves rows.
  Add moved = File("y", 1);
  moved.data_change = false;
  EXPECT_EQ(Judge(intent, {RemoveOf(moved, 1, false), moved}), std::nullopt);
  intent.serializable = false;
  EXPECT_EQ(Judge(intent, {blind, File("y", 1)}), std::nullopt);
  EXPECT_EQ(Judge(intent, {CommitInfo{}, File("y", 1)}), ConflictKind::kConcurrentRows);
  const std::vector<Action> winner{blind, Metadata{}};
  AMP_EXPECT_ERROR(ToStatus(*FindConflict(intent, 7, winner), "t"), ErrorKind::kConflict,
                   "version 7 (WRITE by e) of table 't', came first");
}

TEST(DeltaConflict, OwnCommitsAreKnownByTheirId) {
  const std::vector<Action> commit{Txn{}, CommitInfo{.txn_id = "1-2"}};
  EXPECT_TRUE(HasTxnId(commit, "1-2"));
  EXPECT_FALSE(HasTxnId(commit, "1-3"));
  EXPECT_FALSE(HasTxnId({}, ""));
}

}  // namespace
}  // namespace amp::delta
