// Streams against an LMDB table: a scripted source, cut where the target is and where it is not.

#include "amp/stream_source.h"
#include "conformance/lmdb_stream_fixture.h"
#include "pipeline/verify.h"

namespace amp::testing {
namespace {

std::shared_ptr<arrow::Schema> SourceSchema() {
  return arrow::schema({arrow::field("k", arrow::int64()), arrow::field("v", arrow::utf8()),
                        arrow::field("_block_num", arrow::uint64())});
}

std::string HashOf(uint64_t block, uint64_t fork_from) {
  return fmt::format("0x{}{}", block, block >= fork_from ? "f" : "a");
}

/// Each block has one row: k is its number. Cut into microbatches of `step` blocks.
struct Chain {
  uint64_t blocks = 10;
  uint64_t step = 5;
  uint64_t fork_from = UINT64_MAX;
  std::string v = "x";

  BlockRange RangeOf(uint64_t start) const {
    const uint64_t end = std::min(start + step, blocks) - 1;
    return {.network = "eth",
            .start = start,
            .end = end,
            .hash = HashOf(end, fork_from),
            .prev_hash = start == 0 ? "" : HashOf(start - 1, fork_from)};
  }
  std::shared_ptr<arrow::RecordBatch> Rows(const BlockRange& range) const {
    std::string json;
    for (uint64_t block = range.start; block <= range.end; ++block) {
      json += fmt::format(R"({}{{"k":{},"v":"{}","_block_num":{}}})", json.empty() ? "" : ",",
                          block, block >= fork_from ? "fork" : v, block);
    }
    return BatchFromJson(SourceSchema(), "[" + json + "]").ValueOrDie();
  }
};

class ChainConnection final : public StreamConnection {
 public:
  ChainConnection(Chain chain, uint64_t next) : chain_(std::move(chain)), next_(next) {}
  std::shared_ptr<arrow::Schema> schema() const override { return SourceSchema(); }
  Result<std::optional<StreamMessage>> Next() override {
    if (next_ >= chain_.blocks) return std::nullopt;
    const BlockRange range = chain_.RangeOf(next_);
    next_ = range.end + 1;
    return StreamMessage{.batch = chain_.Rows(range), .ranges = {range}, .ranges_complete = true};
  }
  void Cancel() override {}

 private:
  Chain chain_;
  uint64_t next_;
};

class ChainSource final : public StreamSource {
 public:
  explicit ChainSource(Chain chain) : chain_(std::move(chain)) {}
  Result<std::unique_ptr<StreamConnection>> Connect(
      const std::vector<BlockRange>& resume) override {
    uint64_t next = resume.empty() ? 0 : resume.front().end + 1;
    // Back to the last common ancestor.
    if (!resume.empty() && next > chain_.fork_from) next = chain_.fork_from;
    return std::make_unique<ChainConnection>(chain_, next);
  }
  std::string Describe() const override { return "a chain"; }
  std::string query() const override { return "SELECT 1"; }

 private:
  Chain chain_;
};

class LMDBVerify : public LMDBStreamFixture {
 protected:
  /// Follows the chain into the table, up to its last block.
  void Follow(const Chain& chain, LoadMode mode = LoadMode::kAppend) {
    AMP_ASSERT_OK_AND_ASSIGN(loader_, Make());
    ChainSource source(chain);
    StreamOptions options{.mode = mode, .until_block = chain.blocks - 1};
    if (mode != LoadMode::kAppend) options.key = {"v"};
    AMP_ASSERT_OK(loader_->LoadStreamContinuous(&source, "t", options).status);
  }
  VerifyResult Verify(const Chain& chain) {
    ChainSource source(chain);
    const auto result = VerifyStream(loader_.get(), &source, "t");
    EXPECT_TRUE(result.ok()) << result.status().message();
    return result.ok() ? *result : VerifyResult{};
  }
  Loaded loader_;
};

TEST_F(LMDBVerify, EqualHoweverTheSourceIsCut) {
  Follow({.blocks = 12, .step = 4});
  for (const uint64_t step : {4, 1, 3, 2, 6, 12}) {
    const VerifyResult result = Verify({.blocks = 12, .step = step});
    EXPECT_TRUE(result.equal()) << step << ": " << result.ToJson();
    EXPECT_EQ(result.rows_source, 12);
    EXPECT_EQ(result.rows_target, 12);
  }
  EXPECT_EQ(Verify({.blocks = 12, .step = 2}).ranges_compared, 3);
  EXPECT_EQ(Verify({.blocks = 12, .step = 6}).ranges_compared, 1);
}

TEST_F(LMDBVerify, TheSourceHasGoneOn) {
  Follow({.blocks = 12, .step = 4});
  const VerifyResult result = Verify({.blocks = 30, .step = 10});
  EXPECT_TRUE(result.equal()) << result.ToJson();
  EXPECT_EQ(result.rows_source, 12);
}

TEST_F(LMDBVerify, NamesTheFirstRangeThatDiffers) {
  Follow({.blocks = 12, .step = 4});
  const VerifyResult result = Verify({.blocks = 12, .step = 4, .v = "y"});
  ASSERT_TRUE(result.first_difference) << result.ToJson();
  EXPECT_EQ(result.ranges_different, 3);
  AMP_EXPECT_ERROR(result.ToStatus("t"), ErrorKind::kDifferent, "in blocks eth 0-3");
}

TEST_F(LMDBVerify, SaysThatAReorgHappened) {
  Follow({.blocks = 12, .step = 4});
  const VerifyResult exact = Verify({.blocks = 16, .step = 4, .fork_from = 10});
  AMP_EXPECT_ERROR(exact.ToStatus("t"), ErrorKind::kDifferent, "network 'eth' from block 10 on");
  const VerifyResult beyond = Verify({.blocks = 30, .step = 10, .fork_from = 10});
  AMP_EXPECT_ERROR(beyond.ToStatus("t"), ErrorKind::kDifferent, "network 'eth' from block 10 on");
}

TEST_F(LMDBVerify, ByKeyTheNewestRowCounts) {
  Follow({.blocks = 12, .step = 4}, LoadMode::kUpsert);
  const VerifyResult result = Verify({.blocks = 12, .step = 3});
  EXPECT_TRUE(result.equal()) << result.ToJson();
  EXPECT_EQ(result.rows_target, 1);
  EXPECT_FALSE(Verify({.blocks = 12, .step = 3, .v = "y"}).equal());
}

TEST_F(LMDBVerify, AnUnknownStreamIsRefused) {
  Follow({.blocks = 4, .step = 4});
  ChainSource source({});
  AMP_EXPECT_ERROR(VerifyStream(loader_.get(), &source, "t", {.stream = "other"}).status(),
                   ErrorKind::kConfigInvalid, "'main'");
}

}  // namespace
}  // namespace amp::testing
