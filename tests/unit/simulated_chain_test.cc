// The simulated chain, against one that is made event by event; its tables; its SQL.

#include "sources/simulated/chain.h"

#include <arrow/compute/api.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "amp/testing/asserts.h"
#include "sources/simulated/query.h"
#include "sources/simulated/server.h"
#include "sources/simulated/tables.h"

namespace amp {
namespace {

constexpr uint64_t kEvents = 400;

SimulatedChain Chain(double rate = 0.3, uint64_t depth = 5, uint64_t seed = 7) {
  return SimulatedChain(seed, "eth", rate, depth);
}

/// The canonical blocks after 1, 2, … events, made one after the other.
std::vector<std::vector<SimulatedBlock>> EventByEvent(const SimulatedChain& chain) {
  std::vector<std::vector<SimulatedBlock>> states(1);
  for (uint64_t event = 0; event < kEvents; ++event) {
    auto blocks = states.back();
    const uint64_t depth = chain.Depth(event);
    blocks.resize(blocks.size() - depth);
    while (blocks.size() <= event) blocks.push_back({.height = blocks.size(), .event = event});
    states.push_back(std::move(blocks));
  }
  return states;
}

TEST(SimulatedChain, HasTheBlocksThatItsEventsMake) {
  const SimulatedChain chain = Chain();
  const auto states = EventByEvent(chain);
  for (uint64_t events = 1; events <= kEvents; ++events) {
    ASSERT_EQ(chain.Blocks(0, events - 1, events), states[events]) << events;
    const uint64_t from = events / 2;
    const uint64_t to = std::min(events - 1, from + 3);
    const std::vector<SimulatedBlock> part(states[events].begin() + static_cast<int64_t>(from),
                                           states[events].begin() + static_cast<int64_t>(to) + 1);
    ASSERT_EQ(chain.Blocks(from, to, events), part) << events;
  }
}

TEST(SimulatedChain, KnowsTheLowestBlockThatChanged) {
  const SimulatedChain chain = Chain();
  const auto states = EventByEvent(chain);
  for (uint64_t from = 1; from < kEvents; ++from) {
    for (uint64_t to = from + 1; to <= std::min(kEvents, from + 12); ++to) {
      uint64_t lowest = 0;
      while (lowest < from && states[from][lowest] == states[to][lowest]) ++lowest;
      ASSERT_EQ(chain.LowestMade(from, to), lowest) << from << " to " << to;
    }
  }
  EXPECT_EQ(chain.LowestMade(5, 5), std::nullopt);
}

TEST(SimulatedChain, LinksEveryBlockToItsParent) {
  const SimulatedChain chain = Chain();
  const auto states = EventByEvent(chain);
  for (const auto& blocks : states) {
    for (size_t i = 1; i < blocks.size(); ++i) {
      ASSERT_EQ(chain.ParentHash(blocks[i]), chain.Hash(blocks[i - 1]));
    }
  }
  EXPECT_EQ(chain.ParentHash({.height = 0, .event = 0}), BlockHash{});
}

TEST(SimulatedChain, FindsEveryBlockThatEverWas) {
  const SimulatedChain chain = Chain();
  std::set<std::string> hashes;
  std::set<std::pair<uint64_t, uint64_t>> blocks;
  for (const auto& state : EventByEvent(chain)) {
    for (const SimulatedBlock& block : state) {
      if (!blocks.emplace(block.height, block.event).second) continue;
      const std::string hash = ToText(chain.Hash(block));
      EXPECT_TRUE(hashes.insert(hash).second);
      EXPECT_EQ(chain.Find(block.height, hash), block);
      EXPECT_EQ(chain.Find(block.height + 1, hash), std::nullopt);
    }
  }
  EXPECT_GT(blocks.size(), kEvents + 100);
  EXPECT_EQ(chain.Find(3, "0x00"), std::nullopt);
}

TEST(SimulatedChain, FollowsFromItsNumbersAlone) {
  const SimulatedBlock block{.height = 12, .event = 13};
  EXPECT_EQ(Chain().Hash(block), Chain().Hash(block));
  EXPECT_NE(Chain().Hash(block), Chain(0.3, 5, 8).Hash(block));
  EXPECT_NE(Chain().Hash(block), SimulatedChain(7, "base", 0.3, 5).Hash(block));
  // Written down: other versions must not give other chains.
  EXPECT_EQ(ToText(SimulatedChain(1, "eth", 0, 0).Hash({.height = 0, .event = 0})),
            "0x05db241eb1ca5ac3b40194ccc68be4fa796f0b723d067cbb4903e6df2a868431");
}

TEST(SimulatedChain, HasReorgsAtTheRateThatIsAskedFor) {
  const SimulatedChain often = Chain(0.25, 6);
  std::map<uint64_t, int> depths;
  for (uint64_t event = 10; event < 100'010; ++event) ++depths[often.Depth(event)];
  EXPECT_NEAR(depths[0], 75'000, 1000);
  for (uint64_t depth = 1; depth <= 6; ++depth) EXPECT_NEAR(depths[depth], 25'000.0 / 6, 400);
  EXPECT_EQ(depths.size(), 7U);
  for (uint64_t event = 0; event < 1000; ++event) EXPECT_EQ(Chain(0, 6).Depth(event), 0U);
  EXPECT_EQ(often.Depth(0), 0U);
  EXPECT_EQ(often.Depth(1), 0U);  // block 0 stays
}

// --- tables ---

std::shared_ptr<arrow::Table> RowsInPieces(const SimulationOptions& options, SimulatedTable table,
                                           int64_t piece) {
  const SimulatedChain chain = Chain();
  const RowMaker rows = RowMaker::Make(&options, table, true, {}).ValueOrDie();
  const std::vector<BlockRun> runs{
      {&chain, chain.Blocks(0, 9, 50)}, {&chain, {}}, {&chain, chain.Blocks(30, 39, 50)}};
  RowCursor cursor;
  std::vector<std::shared_ptr<arrow::RecordBatch>> batches;
  while (true) {
    batches.push_back(rows.Next(runs, &cursor, piece).ValueOrDie());
    EXPECT_TRUE(batches.back()->ValidateFull().ok());
    EXPECT_LE(batches.back()->num_rows(), piece);
    if (batches.back()->num_rows() == 0) break;
  }
  return arrow::Table::FromRecordBatches(batches).ValueOrDie()->CombineChunks().ValueOrDie();
}

TEST(SimulatedTables, RowsAreTheSameHoweverTheyAreSplit) {
  for (const auto table :
       {SimulatedTable::kBlocks, SimulatedTable::kTransactions, SimulatedTable::kLogs}) {
    SimulationOptions options;
    options.empty_rate = 0.3;
    const auto whole = RowsInPieces(options, table, 10'000);
    EXPECT_GT(whole->num_rows(), 15);
    for (const int64_t piece : {1, 7, 20, 64}) {
      EXPECT_TRUE(RowsInPieces(options, table, piece)->Equals(*whole)) << piece;
    }
  }
}

TEST(SimulatedTables, LogsNameTransactionsOfTheirBlock) {
  const SimulationOptions options;
  const auto logs = RowsInPieces(options, SimulatedTable::kLogs, 10'000);
  const auto transactions = RowsInPieces(options, SimulatedTable::kTransactions, 10'000);
  std::map<std::string, uint32_t> index;
  const auto column = [](const auto& table, const char* name) {
    return table->GetColumnByName(name)->chunk(0);
  };
  for (int64_t row = 0; row < transactions->num_rows(); ++row) {
    const auto hash = column(transactions, "tx_hash")->GetScalar(row).ValueOrDie()->ToString();
    const auto number = column(transactions, "tx_index");
    index[hash] = std::static_pointer_cast<arrow::UInt32Array>(number)->Value(row);
  }
  for (int64_t row = 0; row < logs->num_rows(); ++row) {
    const auto hash = column(logs, "tx_hash")->GetScalar(row).ValueOrDie()->ToString();
    ASSERT_TRUE(index.contains(hash));
    const auto number = column(logs, "tx_index");
    EXPECT_EQ(index[hash], std::static_pointer_cast<arrow::UInt32Array>(number)->Value(row));
  }
}

TEST(SimulatedTables, HaveNullsWhereTheSchemaAllowsThem) {
  for (const auto table :
       {SimulatedTable::kBlocks, SimulatedTable::kTransactions, SimulatedTable::kLogs}) {
    SimulationOptions options;
    options.blocks = 500;
    const std::string sql = table == SimulatedTable::kBlocks         ? "SELECT * FROM blocks"
                            : table == SimulatedTable::kTransactions ? "SELECT * FROM transactions"
                                                                     : "SELECT * FROM logs";
    AMP_ASSERT_OK_AND_ASSIGN(const auto reader, CanonicalRows(sql, options));
    AMP_ASSERT_OK_AND_ASSIGN(const auto rows, reader->ToTable());
    AMP_ASSERT_OK(rows->ValidateFull());
    EXPECT_EQ(rows->schema()->field(0)->name(), "_block_num");
    for (int i = 0; i < rows->num_columns(); ++i) {
      const auto& field = rows->schema()->field(i);
      EXPECT_EQ(rows->column(i)->null_count() > 0, field->nullable()) << field->ToString();
      EXPECT_LT(rows->column(i)->null_count(), rows->num_rows()) << field->ToString();
    }
  }
}

TEST(SimulatedTables, HaveTypesThatTellTargetsApart) {
  const auto schema = SimulatedSchema(SimulatedTable::kTransactions, false);
  EXPECT_EQ(schema->GetFieldByName("access_list")->type()->ToString(),
            "list<item: struct<address: fixed_size_binary[20] not null, storage_keys: list<item: "
            "fixed_size_binary[32] not null> not null> not null>");
  EXPECT_EQ(schema->GetFieldByName("gas_price")->type()->ToString(), "decimal128(38, 0)");
  EXPECT_EQ(schema->GetFieldByName("timestamp")->type()->ToString(), "timestamp[ns, tz=+00:00]");
  EXPECT_EQ(SimulatedSchema(SimulatedTable::kLogs, true)->field(1)->name(), "network");
}

TEST(SimulatedTables, AreNotMadeOfNonsense) {
  SimulationOptions options;
  AMP_EXPECT_ERROR(RowMaker::Make(&options, SimulatedTable::kLogs, false, {"nope"}),
                   ErrorKind::kConfigInvalid, "'nope'");
  options.reorg_rate = 1.5;
  AMP_EXPECT_ERROR(CheckSimulationOptions(options), ErrorKind::kConfigInvalid, "reorg-rate");
  options = {};
  options.networks = {"eth", "eth"};
  AMP_EXPECT_ERROR(CheckSimulationOptions(options), ErrorKind::kConfigInvalid, "twice");
  AMP_EXPECT_ERROR(CanonicalRows("SELECT * FROM logs", {}), ErrorKind::kConfigInvalid, "--blocks");
  AMP_EXPECT_ERROR(ParseSimulatedFault("gap@x"), ErrorKind::kConfigInvalid, "number");
}

// --- SQL ---

const std::vector<std::string> kNetworks{"eth", "base"};

TEST(SimulatedQuery, IsUnderstood) {
  AMP_ASSERT_OK_AND_ASSIGN(const SimulatedQuery query,
                           ParseSimulatedQuery("select \"_block_num\", data\n from Base.logs",
                                               std::vector<std::string>{"eth", "Base"}));
  EXPECT_EQ(query.columns, (std::vector<std::string>{"_block_num", "data"}));
  EXPECT_EQ(query.networks, std::vector<std::string>{"Base"});
  AMP_ASSERT_OK_AND_ASSIGN(
      const SimulatedQuery bounds,
      ParseSimulatedQuery("SELECT * FROM \"base\".\"blocks\" WHERE _block_num >= 5 AND block_num < "
                          "9 AND block_num > 5 LIMIT 3 SETTINGS stream = false;",
                          kNetworks));
  EXPECT_EQ(bounds.table, SimulatedTable::kBlocks);
  EXPECT_EQ(bounds.first_block, 6U);
  EXPECT_EQ(bounds.last_block, 8U);
  EXPECT_EQ(bounds.limit, 3);
  EXPECT_FALSE(bounds.stream);
  AMP_ASSERT_OK_AND_ASSIGN(
      const SimulatedQuery all,
      ParseSimulatedQuery("SELECT * FROM all_transactions Settings Stream = True", kNetworks));
  EXPECT_TRUE(all.stream && all.with_network);
  EXPECT_EQ(all.networks, kNetworks);
  AMP_ASSERT_OK_AND_ASSIGN(
      const SimulatedQuery first,
      ParseSimulatedQuery("SELECT * FROM logs WHERE block_num = 4", kNetworks));
  EXPECT_EQ(first.networks, std::vector<std::string>{"eth"});
  EXPECT_EQ(first.first_block, first.last_block);
}

TEST(SimulatedQuery, IsRefusedWithWords) {
  const auto refused = [](const char* sql, ErrorKind kind, const char* text) {
    AMP_EXPECT_ERROR(ParseSimulatedQuery(sql, kNetworks), kind, text);
  };
  refused("", ErrorKind::kConfigInvalid, "expected SELECT");
  refused("SELECT", ErrorKind::kConfigInvalid, "a column or *");
  refused("SELECT FROM logs", ErrorKind::kConfigInvalid, "a column or *");
  refused("SELECT * FROM logs WHERE x = 1", ErrorKind::kConfigInvalid, "_block_num, not 'x'");
  refused("SELECT * FROM logs WHERE block_num = 99999999999999999999", ErrorKind::kConfigInvalid,
          "64 bits");
  refused("SELECT * FROM logs WHERE block_num >= 1 OR block_num = 0", ErrorKind::kConfigInvalid,
          "not 'OR'");
  refused("SELECT * FROM \"logs", ErrorKind::kConfigInvalid, "not closed");
  refused("SELECT * FROM logs more", ErrorKind::kConfigInvalid, "the end, not 'more'");
  refused("SELECT * FROM nothing", ErrorKind::kNotFound, "'nothing'");
  refused("SELECT * FROM polygon.logs", ErrorKind::kNotFound, "'polygon.logs'");
  refused("SELECT * FROM logs ORDER BY block_num SETTINGS stream = true", ErrorKind::kUnsupported,
          "not streamable");
  refused("SELECT * FROM logs GROUP BY data", ErrorKind::kUnsupported, "GROUP");
  refused("SELECT * FROM logs JOIN blocks", ErrorKind::kUnsupported, "JOIN");
  refused("SELECT DISTINCT data FROM logs", ErrorKind::kUnsupported, "DISTINCT");
  refused("SELECT * FROM logs LIMIT 5 SETTINGS stream = true", ErrorKind::kUnsupported, "LIMIT");
  refused("SELECT * FROM logs WHERE block_num > 5 AND block_num < 3 SETTINGS stream = true",
          ErrorKind::kUnsupported, "no block");
}

}  // namespace
}  // namespace amp
