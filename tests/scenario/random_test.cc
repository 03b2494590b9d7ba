#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "scenario/model_session.h"

// Random histories against a model of the chain: AMPLOAD_SEED=N runs one again.
namespace amp::testing {
namespace {

constexpr uint64_t kHistories = 10'000;

struct Outcome {
  std::optional<std::string> fault;
  int64_t undos = 0;
  int64_t refused = 0;
  int64_t merged = 0;
  int64_t batches = 0;
  bool dead = false;
};

uint64_t Draw(std::mt19937_64* random, uint64_t most) { return (*random)() % (most + 1); }

SessionOptions OptionsOf(std::mt19937_64* random, Mistake mistake) {
  SessionOptions options{.mistake = mistake};
  options.ledger.retention = static_cast<int64_t>(Draw(random, 10));
  options.ledger.max_undo =
      Draw(random, 3) == 0 ? options.ledger.retention : static_cast<int64_t>(1'000);
  options.ledger.merge = 2 + Draw(random, 2);
  options.atomic = Draw(random, 1) == 0;
  options.state.slot = static_cast<int32_t>(Draw(random, 2));
  options.state.mode = Draw(random, 3) == 0 ? LoadMode::kUpsert : LoadMode::kAppend;
  options.state.checkpoint.last_batch_id = SlotBase(options.state.slot);
  options.state.checkpoint.final_id = SlotBase(options.state.slot);
  return options;
}

ModelChain ChainOf(std::mt19937_64* random) {
  ModelChain chain(/*most_rows=*/2, /*rows_vary=*/true);
  const uint64_t networks = 1 + Draw(random, 2);
  for (uint64_t i = 0; i < networks; ++i) {
    chain.AddNetwork(fmt::format("net{}", i), Draw(random, 1) * 100);
  }
  return chain;
}

void ReorgSome(ModelChain* chain, std::mt19937_64* random) {
  const size_t network = Draw(random, chain->networks().size() - 1);
  const ModelNetwork& blocks = chain->networks()[network];
  const uint64_t most = Draw(random, 4) == 0 ? 40 : 6;
  const uint64_t depth = std::min<uint64_t>(blocks.blocks.size(), Draw(random, most));
  chain->Reorg(network, blocks.next() - depth);
  chain->Grow(network, Draw(random, depth + 2));
}

void Happen(ModelChain* chain, ModelSession* session, std::mt19937_64* random) {
  const uint64_t what = Draw(random, 99);
  if (what < 20) {
    chain->Grow(Draw(random, chain->networks().size() - 1), 1 + Draw(random, 5));
  } else if (what < 25) {
    ReorgSome(chain, random);
  } else if (what < 28) {
    session->DropConnection();
  } else if (what < 31) {
    session->Crash();
  } else if (what < 45) {
    session->Commit();
  } else {
    session->Advance();
  }
}

Outcome RunHistory(uint64_t seed, Mistake mistake = Mistake::kNone) {
  std::mt19937_64 random(seed);
  const SessionOptions options = OptionsOf(&random, mistake);
  ModelChain chain = ChainOf(&random);
  ModelSession session(&chain, &random, options);
  const uint64_t events = 20 + Draw(&random, 100);
  for (uint64_t i = 0; i < events && !session.fault() && !session.dead(); ++i) {
    Happen(&chain, &session, &random);
  }
  session.Drain(&chain);
  Outcome outcome{.fault = session.fault(),
                  .undos = session.undos(),
                  .refused = session.refused(),
                  .dead = session.dead()};
  for (const BatchEntry& line : session.ledger().map().entries()) {
    outcome.batches += line.batches;
    if (line.batches > 1) ++outcome.merged;
  }
  return outcome;
}

TEST(RandomHistories, EndAsTheChainDoes) {
  const char* one = std::getenv("AMPLOAD_SEED");
  if (one != nullptr) {
    const Outcome outcome = RunHistory(std::strtoull(one, nullptr, 10));
    ASSERT_FALSE(outcome.fault) << *outcome.fault;
    return;
  }
  uint64_t whole = 0;
  Outcome sum;
  for (uint64_t seed = 1; seed <= kHistories; ++seed) {
    const Outcome outcome = RunHistory(seed);
    ASSERT_FALSE(outcome.fault) << *outcome.fault << "; again with AMPLOAD_SEED=" << seed;
    whole += outcome.dead ? 0 : 1;
    sum.undos += outcome.undos;
    sum.refused += outcome.refused;
    sum.merged += outcome.merged;
    sum.batches += outcome.batches;
  }
  // Not in vain: most came to their end, and met what they were to meet.
  RecordProperty("whole", static_cast<int>(whole));
  fmt::print("{} histories, {} whole, {} undos, {} refused, {} batches, {} merged lines\n",
             kHistories, whole, sum.undos, sum.refused, sum.batches, sum.merged);
  EXPECT_GT(whole, kHistories * 8 / 10);
  EXPECT_GT(sum.undos, static_cast<int64_t>(kHistories));
  EXPECT_GT(sum.refused, 100);
  EXPECT_GT(sum.merged, 1'000);
}

class RandomMistakes : public ::testing::TestWithParam<std::pair<std::string, Mistake>> {};

// The checks above find each of these.
TEST_P(RandomMistakes, AreFound) {
  uint64_t seed = 1;
  while (seed < 2'000 && !RunHistory(seed, GetParam().second).fault) ++seed;
  EXPECT_LT(seed, 2'000U);
}

INSTANTIATE_TEST_SUITE_P(All, RandomMistakes,
                         ::testing::Values(std::pair{"SkipUndo", Mistake::kSkipUndo},
                                           std::pair{"UndoOneLess", Mistake::kUndoOneLess},
                                           std::pair{"SkipReconnect", Mistake::kSkipReconnect},
                                           std::pair{"SkipInterruptedUndo",
                                                     Mistake::kSkipInterruptedUndo},
                                           std::pair{"KeepRepeats", Mistake::kKeepRepeats},
                                           std::pair{"DropRows", Mistake::kDropRows},
                                           std::pair{"CommitOpen", Mistake::kCommitOpen},
                                           std::pair{"ReuseNumbers", Mistake::kReuseNumbers},
                                           std::pair{"ForgetLines", Mistake::kForgetLines},
                                           std::pair{"ResumeTooFar", Mistake::kResumeTooFar}),
                         [](const auto& param) { return param.param.first; });

}  // namespace
}  // namespace amp::testing
