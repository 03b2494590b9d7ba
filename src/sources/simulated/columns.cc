#include "sources/simulated/columns.h"

#include <arrow/util/decimal.h>

namespace amp::columns {
namespace {

constexpr uint64_t kAccounts = 1000;

}  // namespace

SimulatedColumn BlockNumber(std::string name) {
  return UInt64(std::move(name), [](const Row& row) { return row.block.block.height; });
}

SimulatedColumn BlockTime() {
  // Amp's own files name the zone so.
  return Fixed<arrow::TimestampBuilder>("timestamp",
                                        arrow::timestamp(arrow::TimeUnit::NANO, "+00:00"),
                                        [](const Row& row) { return row.block.nanoseconds; });
}

SimulatedColumn BlockHashColumn(std::string name) {
  return Hash(std::move(name), [](const Row& row) -> const BlockHash& { return row.block.hash; });
}

uint64_t TransactionKey(uint64_t block_key, uint64_t index) {
  return Mix(Mix(block_key + static_cast<uint64_t>(SimulatedTable::kTransactions)) + index);
}

BlockHash TransactionHash(uint64_t transaction_key) {
  return BytesOf<32>(Mix(transaction_key ^ 0x7478));
}

Address Account(uint64_t number) { return BytesOf<20>(Mix(number % kAccounts)); }

arrow::Decimal128 Amount(uint64_t key) {
  // Below 10^38.
  constexpr uint64_t kHighest = 0x4B3B'4CA8'5A86'C47AULL;
  const uint64_t low = Mix(key);
  if (key % 16 == 0) return {static_cast<int64_t>(Mix(low) % kHighest), low};
  return {0, low % 1'000'000'000'000'000'000ULL};
}

}  // namespace amp::columns
