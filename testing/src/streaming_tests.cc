#include "amp/testing/streaming_tests.h"

#include <algorithm>
#include <array>

#include "streaming_case.h"

namespace amp::testing {
namespace {

void MetadataColumns(StreamingCase& t) {
  AMP_PROMISE("rows of streams tell which batch brought them",
              "store the columns _amp_batch_id and, where asked for, _amp_block_ranges");
  const ScriptedChain eth("eth");
  StreamOptions options;
  options.pipeline.block_ranges = true;
  const LoadResult result = t.RunEvents({eth.Blocks(100, 102), eth.Blocks(103, 104)}, options);
  ASSERT_TRUE(result.success) << result.error;
  EXPECT_EQ(result.rows_loaded, 5);
  t.ExpectRows(eth.Rows(100, 104));
  AMP_ASSERT_OK_AND_ASSIGN(const auto columns, t.config().GetColumnNames(t.table()));
  for (const std::string_view name : {kBatchIdColumn, kBlockRangesColumn}) {
    EXPECT_EQ(std::count(columns.begin(), columns.end(), name), 1) << "column " << name;
  }
  AMP_ASSERT_OK_AND_ASSIGN(const auto ids, t.BatchIds());
  ASSERT_EQ(ids.size(), 5U);
  EXPECT_TRUE(ids[0].has_value()) << "_amp_batch_id must not be null in rows of streams";
  EXPECT_EQ(ids[0], ids[2]) << "rows of one batch share its id";
  EXPECT_NE(ids[2], ids[3]) << "another batch has another id";
  AMP_ASSERT_OK_AND_ASSIGN(const auto rows, t.config().QueryRows(t.table(), "", "id"));
  for (const Row& row : rows) {
    const auto cell = row.find(std::string(kBlockRangesColumn));
    ASSERT_TRUE(cell != row.end() && cell->second.has_value());
    EXPECT_NE(cell->second->find("\"network\":\"eth\""), std::string::npos) << *cell->second;
  }
}

void ReorgDeletion(StreamingCase& t) {
  AMP_PROMISE("a reorganisation takes back the batches that hold orphaned blocks",
              "remove in UndoAfter(id) all rows of the stream with a batch id above it");
  const ScriptedChain eth("eth");
  const std::vector<StreamMessage> batches{eth.Blocks(100, 102), eth.Blocks(103, 104),
                                           eth.Blocks(105, 106), eth.Blocks(107, 108)};
  AMP_ASSERT_OK(t.RunEvents(batches).status);
  t.ExpectRows(eth.Rows(100, 108));
  std::vector<LoadResult> results;
  StreamOptions options;
  options.on_result = [&](const LoadResult& result) {
    results.push_back(result);
    return true;
  };
  AMP_ASSERT_OK(t.RunEvents({ReorgOf("eth", 104)}, options).status);
  t.ExpectRows(eth.Rows(100, 102));
  ASSERT_FALSE(results.empty());
  EXPECT_TRUE(results[0].is_reorg);
  ASSERT_EQ(results[0].invalidation_ranges.size(), 1U);
  EXPECT_EQ(results[0].invalidation_ranges[0].start, 104U);
  EXPECT_EQ(results[0].invalidation_ranges[0].end, 108U);
  const Metadata::Value* removed = results[0].metadata.Find("rows_removed");
  ASSERT_NE(removed, nullptr);
  EXPECT_EQ(*removed, Metadata::Value(int64_t{6})) << "UndoReport.removed counts the rows";
}

void ReorgDeletionInOneRun(StreamingCase& t) {
  AMP_PROMISE("a reorganisation also takes back rows that no commit holds yet",
              "let UndoAfter see rows that the same transaction wrote");
  ScriptedChain eth("eth");
  std::vector<StreamMessage> events{eth.Blocks(100, 102), eth.Blocks(103, 104),
                                    eth.Blocks(105, 106), eth.Blocks(107, 108),
                                    ReorgOf("eth", 104)};
  eth.Fork(104);
  events.push_back(eth.Blocks(103, 107));
  AMP_ASSERT_OK(t.RunEvents(events).status);
  t.ExpectRows(eth.Rows(100, 107));
}

void ReorgOverlappingRanges(StreamingCase& t) {
  AMP_PROMISE("a batch goes whole where any of its blocks is orphaned",
              "remove in UndoAfter(id) all rows of the stream with a batch id above it");
  const ScriptedChain eth("eth");
  AMP_ASSERT_OK(t.RunEvents({eth.Blocks(140, 149), eth.Blocks(150, 175)}).status);
  t.ExpectRows(eth.Rows(140, 175));
  AMP_ASSERT_OK(t.RunEvents({ReorgOf("eth", 160)}).status);
  t.ExpectRows(eth.Rows(140, 149));
}

void ReorgMultiNetwork(StreamingCase& t) {
  AMP_PROMISE("a reorganisation of one network leaves the rows of the others",
              "keep the batches of streams apart by their ids");
  ScriptedChain eth("eth");
  const ScriptedChain base("base", 1'000'000);
  std::vector<StreamMessage> events{eth.Blocks(100, 102), base.Blocks(100, 102),
                                    eth.Blocks(103, 105), base.Blocks(103, 105),
                                    ReorgOf("eth", 103),  base.Blocks(106, 106)};
  AMP_ASSERT_OK(t.RunEvents(events).status);
  t.ExpectRows(eth.Rows(100, 102) + base.Rows(100, 106));
  AMP_ASSERT_OK(t.RunEvents({ReorgOf("base", 105)}).status);
  t.ExpectRows(eth.Rows(100, 102) + base.Rows(100, 102));
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState one, t.State("main:eth"));
  AMP_ASSERT_OK_AND_ASSIGN(const StreamState two, t.State("main:base"));
  EXPECT_NE(one.slot, two.slot) << "each network set is a stream of its own";
}

void MicrobatchDeduplication(StreamingCase& t) {
  AMP_PROMISE("a microbatch that is delivered twice is there once",
              "give back the stream's batch map as it was committed");
  const ScriptedChain eth("eth");
  AMP_ASSERT_OK(
      t.RunEvents({eth.Blocks(100, 102), eth.Blocks(100, 102), eth.Blocks(103, 104)}).status);
  t.ExpectRows(eth.Rows(100, 104));
  const LoadResult again = t.RunEvents({eth.Blocks(100, 102), eth.Blocks(103, 104)});
  AMP_ASSERT_OK(again.status);
  EXPECT_EQ(again.rows_loaded, 0);
  t.Restart();
  AMP_ASSERT_OK(t.RunEvents({eth.Blocks(103, 104), eth.Blocks(105, 105)}).status);
  t.ExpectRows(eth.Rows(100, 105));
}

constexpr std::array<StreamingTest, 6> kTests{
    {{"MetadataColumns", &MetadataColumns},
     {"ReorgDeletion", &ReorgDeletion},
     {"ReorgDeletionInOneRun", &ReorgDeletionInOneRun},
     {"ReorgOverlappingRanges", &ReorgOverlappingRanges},
     {"ReorgMultiNetwork", &ReorgMultiNetwork, &LoaderTestConfig::supports_multi_network},
     {"MicrobatchDeduplication", &MicrobatchDeduplication}}};

bool Applies(const StreamingTest& test, const LoaderTestConfig& config) {
  if (test.needs != nullptr && !(config.*test.needs)) return false;
  const auto entry = Registry::Global().Find(config.loader());
  // A loader that is not there yet: the test will say so.
  return !entry.ok() || (*entry)->traits->stream_modes.contains(test.mode);
}

void Register(std::string_view suite, const std::shared_ptr<LoaderTestConfig>& config,
              std::span<const StreamingTest> tests) {
  for (const StreamingTest& test : tests) {
    if (!Applies(test, *config)) continue;
    ::testing::RegisterTest(
        std::string(suite).c_str(), test.name, nullptr, nullptr, __FILE__, __LINE__,
        [config, body = test.body]() -> StreamingCase* { return new StreamingCase(config, body); });
  }
}

}  // namespace

bool RegisterStreamingTests(std::string_view suite,
                            const std::shared_ptr<LoaderTestConfig>& config) {
  if (!config->supports_streaming) return true;
  for (const auto tests : {std::span<const StreamingTest>(kTests), StreamRecoveryTests(),
                           StreamFaultTests(), StreamTableTests(), StreamUndoTests()}) {
    Register(suite, config, tests);
  }
  return true;
}

}  // namespace amp::testing
