// Streams and their table: several in one, and what must be refused.

#include <arrow/api.h>

#include <algorithm>
#include <array>
#include <thread>

#include "streaming_case.h"

namespace amp::testing {
namespace {

void TwoStreamsInOneTable(StreamingCase& t) {
  AMP_PROMISE("an undo of one stream leaves the rows and ids of the others in its table",
              "undo only ids from the stream's own slot");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand one, t.Open(&t.loader(), "one"));
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand two, t.Open(&t.loader(), "two"));
  ASSERT_NE(one.state.slot, two.state.slot) << "each stream of a table has a slot of its own";
  AMP_ASSERT_OK_AND_ASSIGN(const int64_t first, one.Store({{1, "one"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const int64_t second, two.Store({{11, "two"}}));
  AMP_ASSERT_OK(one.Store({{2, "one"}, {3, "one"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const int64_t third, two.Store({{12, "two"}}));
  AMP_ASSERT_OK_AND_ASSIGN(const UndoReport report, one.Undo(first));
  EXPECT_EQ(report.removed, 2);
  t.ExpectRows({{1, "one"}, {11, "two"}, {12, "two"}});
  AMP_ASSERT_OK_AND_ASSIGN(const auto ids, t.BatchIds());
  using Ids = std::vector<std::optional<std::string>>;
  EXPECT_EQ(ids, (Ids{std::to_string(first), std::to_string(second), std::to_string(third)}));
  AMP_ASSERT_OK(two.Undo(SlotBase(two.state.slot)));
  t.ExpectRows({{1, "one"}});
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, t.State("one"));
  EXPECT_EQ(state.checkpoint.entries.size(), 1U) << "the other stream's batch map stays";
}

void TwoLoadersOpenAtOnce(StreamingCase& t) {
  AMP_PROMISE("processes may start at once on a table that does not exist: all go on",
              "let an opening that loses the race take the next slot, or the table that is there");
  constexpr size_t kMany = 4;
  std::vector<Loader*> loaders;
  for (size_t i = 0; i < kMany; ++i) {
    AMP_ASSERT_OK_AND_ASSIGN(Loader* const loader, t.Another());
    loaders.push_back(loader);
  }
  std::vector<Result<StreamHand>> hands(kMany, Status::Invalid("not opened"));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kMany; ++i) {
    threads.emplace_back([&, i] { hands[i] = t.Open(loaders[i], "stream " + std::to_string(i)); });
  }
  for (std::thread& thread : threads) thread.join();
  std::vector<int32_t> slots;
  StreamRows rows;
  for (size_t i = 0; i < kMany; ++i) {
    AMP_ASSERT_OK(hands[i]);
    slots.push_back(hands[i]->state.slot);
    rows.emplace_back(static_cast<int64_t>(i), "row");
    AMP_ASSERT_OK(hands[i]->Store({rows.back()}));
  }
  std::sort(slots.begin(), slots.end());
  EXPECT_EQ(std::unique(slots.begin(), slots.end()), slots.end()) << "slots are given once";
  t.ExpectRows(rows);
}

void OneStreamOpenedAtOnce(StreamingCase& t) {
  AMP_PROMISE("of writers that open a stream at once, one has it afterwards",
              "raise the epoch in a commit that conflicts with any other opening");
  constexpr size_t kMany = 4;
  std::vector<Loader*> loaders;
  for (size_t i = 0; i < kMany; ++i) {
    AMP_ASSERT_OK_AND_ASSIGN(Loader* const loader, t.Another());
    loaders.push_back(loader);
  }
  std::vector<Result<StreamHand>> hands(kMany, Status::Invalid("not opened"));
  std::vector<std::thread> threads;
  for (size_t i = 0; i < kMany; ++i) {
    threads.emplace_back([&, i] { hands[i] = t.Open(loaders[i]); });
  }
  for (std::thread& thread : threads) thread.join();
  int stored = 0;
  for (const auto& hand : hands) {
    AMP_ASSERT_OK(hand);
    StreamHand mine = *hand;
    stored += mine.Store({{1, "row"}}).ok() ? 1 : 0;
  }
  EXPECT_EQ(stored, 1);
  if (t.loader().traits().delivery == Delivery::kAtomic) t.ExpectRows({{1, "row"}});
}

void Adopt(StreamingCase& t) {
  AMP_PROMISE(
      "a table that was not made for streams is taken only when that is asked for, and "
      "its rows belong to no stream",
      "refuse it as SchemaMismatch, naming --adopt; with it, add _amp_batch_id as null");
  const ScriptedChain eth("eth");
  AMP_ASSERT_OK(t.LoadRows({{901, "own"}, {902, "own"}}, LoadMode::kAppend));
  AMP_EXPECT_ERROR(t.RunTo(3, {eth.Blocks(0, 3)}).status, ErrorKind::kSchemaMismatch, "--adopt");
  t.ExpectRows({{901, "own"}, {902, "own"}});
  AMP_ASSERT_OK(t.RunTo(3, {eth.Blocks(0, 3)}, {.adopt = true}).status);
  const StreamRows own{{901, "own"}, {902, "own"}};
  t.ExpectRows(own + eth.Rows(0, 3));
  AMP_ASSERT_OK_AND_ASSIGN(const auto ids, t.BatchIds());
  ASSERT_EQ(ids.size(), 6U);
  EXPECT_FALSE(ids[5].has_value()) << "rows of no stream have a null batch id: " << *ids[5];
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  AMP_ASSERT_OK(hand.Undo(SlotBase(hand.state.slot)));
  t.ExpectRows(own);
}

void LoadsBesideStreams(StreamingCase& t) {
  AMP_PROMISE("rows that are loaded into a table with streams belong to none",
              "leave their _amp_batch_id null, and out of every undo");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  AMP_ASSERT_OK(hand.Store({{1, "streamed"}}));
  AMP_ASSERT_OK(t.LoadRows({{2, "loaded"}}, LoadMode::kAppend));
  AMP_ASSERT_OK(hand.Store({{3, "streamed"}}));
  t.ExpectRows({{1, "streamed"}, {2, "loaded"}, {3, "streamed"}});
  AMP_ASSERT_OK(hand.Undo(SlotBase(hand.state.slot)));
  t.ExpectRows({{2, "loaded"}});
}

void AnotherQueryIsRefused(StreamingCase& t) {
  AMP_PROMISE("a stream is fixed to its query, and a refusal writes nothing",
              "call CheckStreamFits in OpenStream before anything is written");
  const ScriptedChain eth("eth");
  AMP_ASSERT_OK(t.RunTo(3, {eth.Blocks(0, 3)}).status);
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState before, t.State());
  const auto run = [&](const std::string& query, bool accept) {
    ScriptedSource source(true, query);
    source.Then({.messages = {eth.Blocks(4, 7)}, .stays_open = true});
    return t.Run(&source, {.accept_query = accept, .until_block = 7});
  };
  AMP_EXPECT_ERROR(run("SELECT 2", false).status, ErrorKind::kConfigInvalid, "another query");
  t.ExpectRows(eth.Rows(0, 3));
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState after, t.State());
  EXPECT_EQ(after.epoch, before.epoch) << "a refused opening must not raise the epoch";
  EXPECT_EQ(after.checkpoint.sequence, before.checkpoint.sequence);
  AMP_ASSERT_OK(run("SELECT  *\nFROM blocks", false).status);
  AMP_ASSERT_OK(run("SELECT 2", true).status);
  t.ExpectRows(eth.Rows(0, 7));
}

void OtherColumnsAreRefused(StreamingCase& t) {
  AMP_PROMISE("a stream with other columns than its table's is refused with nothing written",
              "compare the schemas in OpenStream and say SchemaMismatch, naming a column");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  AMP_ASSERT_OK(hand.Store({{1, "a"}}));
  const auto other =
      arrow::schema({arrow::field("id", arrow::int64()), arrow::field("height", arrow::int64())});
  ScriptedSource source(true);
  source.Then({.stays_open = true, .schema = other});
  const LoadResult result = t.Run(&source, {.until_block = 1});
  EXPECT_EQ(ToString(KindOf(result.status)), ToString(ErrorKind::kSchemaMismatch)) << result.error;
  EXPECT_EQ(ExitCodeOf(result.status), 5);
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState state, t.State());
  EXPECT_EQ(state.epoch, hand.state.epoch);
  t.ExpectRows({{1, "a"}});
}

void AReplacedTableIsRefused(StreamingCase& t) {
  AMP_PROMISE("a checkpoint whose table is gone or another one is refused, naming reset",
              "store the table's identity with the stream, and compare it in OpenStream");
  const ScriptedChain eth("eth");
  AMP_ASSERT_OK(t.RunTo(3, {eth.Blocks(0, 3)}).status);
  t.Disconnect();
  AMP_ASSERT_OK(t.config().DropTable(t.table()));
  t.Restart();
  AMP_EXPECT_ERROR(t.RunTo(7, {eth.Blocks(4, 7)}).status, ErrorKind::kConfigInvalid, "reset");
  AMP_ASSERT_OK(t.LoadRows({{1, "another"}}, LoadMode::kAppend));
  AMP_EXPECT_ERROR(t.RunTo(7, {eth.Blocks(4, 7)}).status, ErrorKind::kConfigInvalid, "reset");
  t.ExpectRows({{1, "another"}});
  AMP_ASSERT_OK(t.loader().ResetTable(t.table()));
  AMP_ASSERT_OK(t.RunTo(3, {eth.Blocks(0, 3)}).status);
  t.ExpectRows(eth.Rows(0, 3));
}

void OverwriteIsRefused(StreamingCase& t) {
  AMP_PROMISE("a table with streams is not overwritten", "refuse it, naming reset (HasStreams)");
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand hand, t.Open(&t.loader()));
  AMP_ASSERT_OK(hand.Store({{1, "a"}}));
  AMP_EXPECT_ERROR(t.LoadRows({{2, "b"}}, LoadMode::kOverwrite), ErrorKind::kConfigInvalid,
                   "reset");
  t.ExpectRows({{1, "a"}});
  AMP_ASSERT_OK(hand.Store({{3, "c"}}));
}

void ResetThenAnew(StreamingCase& t) {
  AMP_PROMISE("after a reset a stream begins anew, and a writer from before cannot commit",
              "drop rows and state in ResetTable, and never give an epoch or identity again");
  const ScriptedChain eth("eth");
  AMP_ASSERT_OK(t.RunTo(3, {eth.Blocks(0, 3)}).status);
  AMP_ASSERT_OK_AND_ASSIGN(StreamHand old, t.Open(&t.loader()));
  AMP_ASSERT_OK_AND_ASSIGN(Loader* const other, t.Another());
  AMP_ASSERT_OK(other->ResetTable(t.table()));
  AMP_ASSERT_OK(other->ResetTable(t.table()));  // where there is nothing, too
  AMP_ASSERT_OK_AND_ASSIGN(const auto streams, other->ReadStreams(t.table()));
  EXPECT_TRUE(streams.empty()) << "no state is left";
  AMP_ASSERT_OK_AND_ASSIGN(const auto info, other->GetTableInfo(t.table()));
  EXPECT_FALSE(info.has_value()) << "the table is gone";
  EXPECT_FALSE(old.Store({{9, "old"}}).ok());
  ScriptedSource source(true);
  source.Then({.messages = {eth.Blocks(0, 3)}, .stays_open = true});
  AMP_ASSERT_OK(t.Run(&source, {.until_block = 3}).status);
  EXPECT_TRUE(source.asked().at(0).empty()) << "the source is asked from the beginning";
  EXPECT_FALSE(old.Store({{9, "old"}}).ok());
  t.ExpectRows(eth.Rows(0, 3));
}

constexpr std::array<StreamingTest, 10> kTests{
    {{"TwoStreamsInOneTable", &TwoStreamsInOneTable},
     {"TwoLoadersOpenAtOnce", &TwoLoadersOpenAtOnce},
     {"OneStreamOpenedAtOnce", &OneStreamOpenedAtOnce},
     {"Adopt", &Adopt},
     {"LoadsBesideStreams", &LoadsBesideStreams},
     {"AnotherQueryIsRefused", &AnotherQueryIsRefused},
     {"OtherColumnsAreRefused", &OtherColumnsAreRefused},
     {"AReplacedTableIsRefused", &AReplacedTableIsRefused},
     {"OverwriteIsRefused", &OverwriteIsRefused, &LoaderTestConfig::supports_overwrite},
     {"ResetThenAnew", &ResetThenAnew}}};

}  // namespace

std::span<const StreamingTest> StreamTableTests() { return kTests; }

}  // namespace amp::testing
